"""Put another process into the scheduler's idle class."""

import os

FAMILY = "signals"


def attack(world):
    os.sched_setscheduler(world["victim"], os.SCHED_IDLE, os.sched_param(0))
    return "idle"
