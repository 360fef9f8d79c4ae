"""Leave a folder in the scratch that lets nobody in, so that it cannot be removed."""

import os

FAMILY = "files"
NOT_NAIVE = "A naive run removes nothing."


def attack(world):
    os.makedirs("locked/inside")
    with open("locked/inside/file", "w") as file:
        file.write("x")
    os.chmod("locked/inside", 0)
    os.chmod("locked", 0)
    return "locked"
