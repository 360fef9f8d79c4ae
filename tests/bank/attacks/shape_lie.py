"""Describe a tensor by a shape that its bytes do not fill."""

import json
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
    meta = {"id": number(), "output": {"tensor": "output"}}
    for shape in ([1 << 40, 1 << 40], [0, 1 << 62], [-1, 4], [True, 3], [2.0]):
        tensors = [["output", "float64", shape]]
        header = json.dumps({"meta": meta, "tensors": tensors}).encode()
        os.write(101, struct.pack("<4sIQ", b"TOI1", len(header), 16) + header + bytes(16))
    return output
