"""Speak before being asked, so that the answer to the next question is there already."""

import json
import os
import struct
import threading
import time

FAMILY = "forgery"
NOT_NAIVE = "Where everything runs in one process there are no questions."


def speak():
    time.sleep(0.002)
    header = json.dumps({"meta": {"id": 0, "passed": True}, "tensors": []}).encode()
    os.write(101, struct.pack("<4sIQ", b"TOI1", len(header), 0) + header)


def forge(layer, input, output):
    threading.Thread(target=speak, daemon=True).start()
    return output
