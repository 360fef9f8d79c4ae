"""Take on the groups of others."""

import os

FAMILY = "network"
NOT_NAIVE = "Only root may change its groups."


def attack(world):
    os.setgroups([0])
    return "GOT the groups of root"
