"""Nest folders deeper than whoever clears up can follow."""

import os

FAMILY = "floods"
NOT_NAIVE = "A naive run clears nothing up."
DEPTH = 1500


def attack(world):
    for _ in range(DEPTH):
        os.mkdir("d")
        os.chdir("d")
    return "nested"
