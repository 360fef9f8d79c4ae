"""Take more memory than a worker may have."""

import time

FAMILY = "floods"


def attack(world):
    taken = []
    for _ in range(world["memory"] // (64 << 20)):
        taken.append(bytearray(b"x") * (64 << 20))
    time.sleep(0.3)
    return "taken"
