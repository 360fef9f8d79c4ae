"""Answer a question with the bytes of an earlier answer."""

import sys

FAMILY = "forgery"
NOT_NAIVE = "Where everything runs in one process there are no frames to replay."

earlier = []

if "sandbox.worker" in sys.modules:
    worker = sys.modules["sandbox.worker"]
    send = worker._write

    def replay(frame):
        earlier.append([memoryview(bytes(part)) for part in frame])
        send(list(earlier[0 if len(earlier) < 4 else len(earlier) // 2]))

    worker._write = replay


def forge(layer, input, output):
    return output
