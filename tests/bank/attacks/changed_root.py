"""Change its root folder, from which there are ways out for root."""

import os

FAMILY = "network"
NOT_NAIVE = "Only root may change the root folder."


def attack(world):
    os.chroot(".")
    return "GOT another root folder"
