"""Leave a System V shared memory behind, which outlives every process."""

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
    checked(libc.shmget(world["key"], 4096, IPC_CREAT | 0o666))
    return "left"
