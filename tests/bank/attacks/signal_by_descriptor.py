"""Kill another process by pidfd_send_signal."""

import os
import signal

FAMILY = "signals"


def attack(world):
    signal.pidfd_send_signal(os.pidfd_open(world["victim"]), signal.SIGKILL)
    return "sent"
