"""Pack a symbolic link to a folder outside, then a file that is written through it."""

import stat
import zipfile

FAMILY = "archives"


def build(folder):
    path = folder / "submission.zip"
    link = zipfile.ZipInfo("out")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, str(folder))
        archive.writestr("out/planted.py", "x = 1\n")
        archive.writestr("linear.py", "x = 1\n")
    return path
