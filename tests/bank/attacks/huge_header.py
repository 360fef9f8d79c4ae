"""Announce a header of four gigabytes."""

import os
import struct

FAMILY = "forgery"
NOT_NAIVE = "Where everything runs in one process there are no frames to forge."


def forge(layer, input, output):
    os.write(101, struct.pack("<4sIQ", b"TOI1", 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF))
    return output
