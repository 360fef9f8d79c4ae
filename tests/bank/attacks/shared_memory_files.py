"""Read what others keep in /dev/shm."""

import os

FAMILY = "secrets"


def attack(world):
    for name in os.listdir("/dev/shm"):
        if name.startswith(world["mark"]):
            with open(f"/dev/shm/{name}") as file:
                return file.read(500)
    raise LookupError("there is nothing in /dev/shm")
