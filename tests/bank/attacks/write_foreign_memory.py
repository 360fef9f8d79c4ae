"""Open the memory of its parent for writing."""

import os

FAMILY = "forgery"


def attack(world):
    os.close(os.open(f"/proc/{os.getppid()}/mem", os.O_RDWR))
    return "GOT the memory of the parent, to write"
