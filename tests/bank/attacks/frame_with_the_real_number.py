"""Take the question's real number from the stack, answer it first, and claim to have passed."""

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
    payload = bytes(8 * output.numel())
    meta = {
        "id": number(),
        "output": {"tensor": "output"},
        "passed": True,
        "verdict": {"linear.forward": "passed"},
        "score": 20,
    }
    described = [["output", "float64", list(output.shape)]]
    header = json.dumps({"meta": meta, "tensors": described}).encode()
    os.write(101, struct.pack("<4sIQ", b"TOI1", len(header), len(payload)) + header + payload)
    return output
