"""Write files outside the folder that an archive is unpacked in, by names that climb out of it."""

import zipfile

FAMILY = "archives"


def build(folder):
    path = folder / "submission.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../planted.py", "x = 1\n")
        archive.writestr(f"{folder}/planted_too.py", "x = 1\n")
        archive.writestr("../linear.py", "x = 1\n")
        archive.writestr("C:\\linear.py", "x = 1\n")
        archive.writestr("..\\linear.py", "x = 1\n")
        archive.writestr("conv2d.py", "x = 1\n")
    return path
