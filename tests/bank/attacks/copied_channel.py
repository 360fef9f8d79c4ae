"""Keep copies of the channel, and go on talking from a thread while the worker answers."""

import os
import struct
import threading

FAMILY = "forgery"
NOT_NAIVE = "Where everything runs in one process there is no channel."


def chatter(channel):
    header = b'{"meta": {"passed": true}, "tensors": []}'
    for _ in range(50):
        os.write(channel, struct.pack("<4sIQ", b"TOI1", len(header), 0) + header)


def forge(layer, input, output):
    threading.Thread(target=chatter, args=[os.dup(101)], daemon=True).start()
    return output
