"""Mount a file system over a folder of its own."""

import ctypes
import os

FAMILY = "network"
NOT_NAIVE = "Only root may mount."


def checked(result):
    """The result of a call into libc. Raises OSError."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    os.mkdir("mounted")
    checked(libc.mount(b"none", b"mounted", b"tmpfs", 0, None))
    checked(libc.umount(b"mounted"))
    return "GOT a file system mounted"
