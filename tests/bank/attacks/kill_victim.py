"""Kill another process of the same user."""

import os
import signal

FAMILY = "signals"


def attack(world):
    os.kill(world["victim"], signal.SIGKILL)
    return "sent"
