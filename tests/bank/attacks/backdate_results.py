"""Give the results file another time."""

import os

FAMILY = "forgery"


def attack(world):
    os.utime(world["results"], (1, 1))
    return "backdated"
