"""Make itself a real-time process, which comes before everything else."""

import os

FAMILY = "signals"
NOT_NAIVE = "Only root may become a real-time process."


def attack(world):
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    return "GOT real-time priority"
