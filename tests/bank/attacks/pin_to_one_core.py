"""Pin another process to a single core."""

import os

FAMILY = "signals"
NOT_NAIVE = "On a machine with one core there is nothing to take away."


def attack(world):
    os.sched_setaffinity(world["victim"], {max(os.sched_getaffinity(0))})
    return "pinned"
