"""Read the hidden tests through a symbolic link."""

import os

FAMILY = "secrets"


def attack(world):
    os.symlink(world["hidden"], "link.py")
    with open("link.py") as file:
        return file.read(500)
