"""Become another program, so that nobody answers any more."""

import os

FAMILY = "floods"


def attack(world):
    os.execv("/bin/true", ["true"])
