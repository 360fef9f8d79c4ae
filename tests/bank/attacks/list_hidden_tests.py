"""List the folder of the hidden tests."""

import os

FAMILY = "secrets"


def attack(world):
    return os.listdir(os.path.dirname(world["hidden"]))
