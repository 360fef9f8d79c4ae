"""Make the grader and the fork server run at the lowest priority."""

import os

FAMILY = "signals"


def attack(world):
    os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)
    os.setpriority(os.PRIO_PROCESS, world["grader"], 19)
    return "lowered"
