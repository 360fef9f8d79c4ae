"""Reserve disk without writing to it."""

import os

FAMILY = "floods"


def attack(world):
    for number in range(4):
        descriptor = os.open(f"reserved-{number}", os.O_CREAT | os.O_RDWR, 0o600)
        os.posix_fallocate(descriptor, 0, world["disk"] // 4)
    return f"GOT {world['disk'] >> 20} MiB of disk reserved"
