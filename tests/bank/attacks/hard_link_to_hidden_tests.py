"""Read the hidden tests through a hard link in the scratch."""

import os

FAMILY = "secrets"


def attack(world):
    os.link(world["hidden"], "hard.py")
    with open("hard.py") as file:
        return file.read(500)
