"""Ask its parent to trace it, which stops it at every signal."""

import ctypes
import os

FAMILY = "signals"
TRACEME = 0


def checked(result):
    """The result of a call into libc. Raises OSError."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    checked(libc.ptrace(TRACEME, 0, None, None))
    return "GOT its parent to be its tracer"
