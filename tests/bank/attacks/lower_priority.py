"""Make another process run at the lowest priority."""

import os

FAMILY = "signals"


def attack(world):
    os.setpriority(os.PRIO_PROCESS, world["victim"], 19)
    return "lowered"
