"""Ask the kernel for quotas, swap and accounting, each a privilege of root."""

import ctypes
import os

FAMILY = "network"
NOT_NAIVE = "It asks for what no system has; the refusal tells whether it might."


def checked(result):
    """The result of a call into libc. Raises OSError."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    nowhere = f"/nowhere/{world['mark']}".encode()
    try:
        checked(libc.swapon(nowhere, 0))
    except FileNotFoundError:
        return "GOT as far as the list of swap devices"
