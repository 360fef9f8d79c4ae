"""Make namespaces of its own for the network, for mounts and for processes."""

import ctypes
import os

FAMILY = "network"
NOT_NAIVE = (
    "An ordinary user may make them only inside a user namespace, where that is allowed at all."
)
NEW_NETWORK, NEW_MOUNTS, NEW_PROCESSES = 0x40000000, 0x00020000, 0x20000000


def checked(result):
    """The result of a call into libc. Raises OSError."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    checked(libc.unshare(NEW_NETWORK | NEW_MOUNTS | NEW_PROCESSES))
    return "GOT namespaces of its own"
