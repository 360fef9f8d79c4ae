"""Become root in a user namespace of its own."""

import ctypes
import os

FAMILY = "network"
CLONE_NEWUSER = 0x10000000


def checked(result):
    """The result of a call into libc. Raises OSError."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    checked(libc.unshare(CLONE_NEWUSER))
    return f"GOT a user namespace, as user {os.getuid()}"
