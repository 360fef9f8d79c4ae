"""Announce sixteen exabytes of tensors."""

import os
import struct

FAMILY = "forgery"
NOT_NAIVE = "Where everything runs in one process there are no frames to forge."


def forge(layer, input, output):
    header = b'{"meta": {}, "tensors": []}'
    os.write(101, struct.pack("<4sIQ", b"TOI1", len(header), (1 << 64) - 1) + header)
    return output
