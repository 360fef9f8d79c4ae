"""Write more into files in memory than a worker may have of it; they are in nobody's address space."""

import os

FAMILY = "floods"


def attack(world):
    taken, piece = 0, b"x" * (8 << 20)
    while taken < world["memory"]:
        descriptor = os.memfd_create("flood")
        taken += os.write(descriptor, piece)
    return f"GOT {taken >> 20} MiB in files in memory"
