"""Become root."""

import os

FAMILY = "network"
NOT_NAIVE = "Only who is root already may become root."


def attack(world):
    os.setresuid(0, 0, 0)
    return "GOT root"
