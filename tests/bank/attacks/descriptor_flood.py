"""Open more files than a worker may."""

import os

FAMILY = "floods"


def attack(world):
    opened = []
    try:
        for _ in range(world["files"]):
            opened.append(os.open("/dev/null", os.O_RDONLY))
    finally:
        for descriptor in opened:
            os.close(descriptor)
    return f"GOT {len(opened)} descriptors"
