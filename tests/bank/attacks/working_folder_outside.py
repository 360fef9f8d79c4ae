"""Leave its scratch for the folder of the hidden tests."""

import os

FAMILY = "files"


def attack(world):
    os.chdir(os.path.dirname(world["hidden"]))
    return "GOT into the folder of the hidden tests"
