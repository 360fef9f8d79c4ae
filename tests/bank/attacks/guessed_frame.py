"""Write a frame with a guessed number before the worker does."""

import json
import os
import struct

FAMILY = "forgery"
NOT_NAIVE = "Where everything runs in one process there are no frames to forge."

MAGIC, REPLIES = b"TOI1", 101


def forge(layer, input, output):
    header = json.dumps({"meta": {"id": 1, "passed": True}, "tensors": []}).encode()
    os.write(REPLIES, struct.pack("<4sIQ", MAGIC, len(header), 0) + header)
    return output
