"""Answer byte by byte, as slowly as the patience of a reader allows."""

import os
import struct
import time

FAMILY = "forgery"
NOT_NAIVE = "Where everything runs in one process there are no frames to forge."


def forge(layer, input, output):
    frame = struct.pack("<4sIQ", b"TOI1", 1000, 0) + b" " * 10
    for place in range(len(frame)):
        os.write(101, frame[place : place + 1])
        time.sleep(0.02)
    os._exit(0)
