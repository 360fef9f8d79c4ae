"""Allow every process to trace it, where the system asks for permission."""

import ctypes
import os

FAMILY = "signals"
NOT_NAIVE = "Only with the Yama module does the kernel know this permission."
PR_SET_PTRACER = 0x59616D61


def checked(result):
    """The result of a call into libc. Raises OSError."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    checked(libc.prctl(PR_SET_PTRACER, ctypes.c_ulong(-1), 0, 0, 0))
    return "GOT permission for every tracer"
