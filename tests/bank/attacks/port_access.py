"""Ask for direct access to the ports of the machine."""

import ctypes
import os

FAMILY = "network"
NOT_NAIVE = "Only root may touch the ports."


def checked(result):
    """The result of a call into libc. Raises OSError."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    checked(libc.ioperm(ctypes.c_ulong(0x378), ctypes.c_ulong(3), 1))
    return "GOT the ports of the machine"
