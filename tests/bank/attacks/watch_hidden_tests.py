"""Watch the folder of the hidden tests for when they are opened."""

import ctypes
import os

FAMILY = "secrets"
IN_OPEN = 0x20


def checked(result):
    """The result of a call into libc. Raises OSError."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    watch = checked(libc.inotify_init())
    folder = os.path.dirname(world["hidden"]).encode()
    checked(libc.inotify_add_watch(watch, folder, IN_OPEN))
    return "GOT a watch on the hidden tests"
