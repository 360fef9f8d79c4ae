"""Take shared memory, which some limits do not count."""

import mmap
import time

FAMILY = "floods"


def attack(world):
    taken = []
    for _ in range(world["memory"] // (64 << 20)):
        pages = mmap.mmap(-1, 64 << 20)
        pages.write(b"x" * (64 << 20))
        taken.append(pages)
    time.sleep(0.3)
    return "taken"
