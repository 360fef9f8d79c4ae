"""Stop the grader, so that no report is ever written."""

import os
import signal

FAMILY = "signals"


def attack(world):
    os.kill(world["grader"], signal.SIGSTOP)
    return "sent"
