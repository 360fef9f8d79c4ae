"""Answer with numbers that JSON does not have, and with those no float can hold."""

import os
import struct
import sys

FAMILY = "forgery"
NOT_NAIVE = "Where everything runs in one process there are no frames to forge."


def number():
    frame = sys._getframe()
    while "meta" not in frame.f_locals:
        frame = frame.f_back
    return frame.f_locals["meta"]["id"]


def forge(layer, input, output):
    digits = "9" * 5000
    for odd in ("NaN", "-Infinity", "1e999", digits, f'{{"float": "{digits}"}}', '"\\ud800"'):
        header = f'{{"meta": {{"id": {number()}, "output": {odd}}}, "tensors": []}}'.encode()
        os.write(101, struct.pack("<4sIQ", b"TOI1", len(header), 0) + header)
    return output
