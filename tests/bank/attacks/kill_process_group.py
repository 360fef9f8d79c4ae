"""Kill the grader's whole process group."""

import os
import signal

FAMILY = "signals"


def attack(world):
    os.killpg(os.getpgid(world["grader"]), signal.SIGKILL)
    return "sent"
