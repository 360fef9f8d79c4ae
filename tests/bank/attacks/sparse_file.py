"""Make a file that claims to be larger than every disk."""

import os

FAMILY = "floods"


def attack(world):
    with open("sparse", "wb") as file:
        os.truncate(file.fileno(), 1 << 40)
    return "GOT a file of a terabyte"
