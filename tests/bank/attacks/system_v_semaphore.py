"""Leave a System V semaphore behind, which outlives every process."""

import ctypes
import os

FAMILY = "floods"
IPC_CREAT = 0o1000


def checked(result):
    """The result of a call into libc. Raises OSError."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    checked(libc.semget(world["key"], 1, IPC_CREAT | 0o666))
    return "left"
