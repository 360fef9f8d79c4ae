"""Give the results file away."""

import os

FAMILY = "files"
NOT_NAIVE = "Only root may give a file away."


def attack(world):
    os.chown(world["results"], 12345, 12345)
    return "given away"
