"""Seize another process by ptrace and keep it."""

import ctypes
import os

FAMILY = "signals"
SEIZE, INTERRUPT = 0x4206, 0x4207


def checked(result):
    """The result of a call into libc. Raises OSError."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    checked(libc.ptrace(SEIZE, world["victim"], None, None))
    checked(libc.ptrace(INTERRUPT, world["victim"], None, None))
    return "GOT another process by ptrace"
