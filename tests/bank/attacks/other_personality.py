"""Take on the personality of another system, without random addresses."""

import ctypes
import os

FAMILY = "network"
ADDR_NO_RANDOMIZE = 0x0040000


def checked(result):
    """The result of a call into libc. Raises OSError."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    before = checked(libc.personality(ctypes.c_ulong(0xFFFFFFFF)))
    checked(libc.personality(ctypes.c_ulong(before | ADDR_NO_RANDOMIZE)))
    return "GOT another personality"
