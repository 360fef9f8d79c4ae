"""Answer with JSON that is nested deeper than a parser's stack."""

import os
import struct

FAMILY = "forgery"
NOT_NAIVE = "Where everything runs in one process there are no frames to forge."


def forge(layer, input, output):
    header = b"[" * 200_000
    os.write(101, struct.pack("<4sIQ", b"TOI1", len(header), 0) + header)
    return output
