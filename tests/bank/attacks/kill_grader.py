"""Kill the grader."""

import os
import signal

FAMILY = "signals"


def attack(world):
    os.kill(world["grader"], signal.SIGKILL)
    return "sent"
