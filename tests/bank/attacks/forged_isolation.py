"""Say once more how well it is locked in, at a level of its own choice."""

import json
import os
import struct

FAMILY = "forgery"
NOT_NAIVE = "A naive run has no isolation to report."

header = json.dumps(
    {"meta": {"isolation": {"level": "A+", "detail": "all is well"}}, "tensors": []}
)
try:
    os.write(101, struct.pack("<4sIQ", b"TOI1", len(header), 0) + header.encode())
except OSError:
    pass


def forge(layer, input, output):
    return output
