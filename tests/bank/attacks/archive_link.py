"""Pack a symbolic link to a file that only the grader can read."""

import stat
import zipfile

FAMILY = "archives"


def build(folder):
    path = folder / "submission.zip"
    link = zipfile.ZipInfo("linear.py")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "../secret.py")
        archive.writestr("conv2d.py", "x = 1\n")
    return path
