"""Have the kernel send no signal when the parent dies, so that the worker outlives it."""

import ctypes
import os

FAMILY = "signals"
PR_SET_PDEATHSIG = 1


def checked(result):
    """The result of a call into libc. Raises OSError."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    checked(libc.prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0))
    return "GOT rid of the signal at its parent's death"
