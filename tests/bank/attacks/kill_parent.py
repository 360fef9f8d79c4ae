"""Kill its parent process, the fork server of all later workers."""

import os
import signal

FAMILY = "signals"


def attack(world):
    parent = os.getppid()
    if not parent:
        raise ProcessLookupError("the parent is not to be seen")
    os.kill(parent, signal.SIGKILL)
    return "sent"
