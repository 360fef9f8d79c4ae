"""Have the kernel send a signal when somebody opens a file: a lease whose owner is another process."""

import fcntl
import os
import signal

FAMILY = "signals"
F_SETSIG, F_SETLEASE = 10, 1024


def attack(world):
    descriptor = os.open("leased", os.O_CREAT | os.O_RDONLY, 0o600)
    fcntl.fcntl(descriptor, F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(descriptor, F_SETLEASE, fcntl.F_RDLCK)
    fcntl.fcntl(descriptor, fcntl.F_SETOWN, world["victim"])
    try:
        os.open("leased", os.O_WRONLY | os.O_NONBLOCK)
    except BlockingIOError:
        return "sent"
    return "the lease was not broken"
