"""Use up the watches of files that the user may have in all processes together."""

import ctypes
import os

FAMILY = "floods"
INSTANCES = 100


def checked(result):
    """The result of a call into libc. Raises OSError."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    opened = []
    try:
        for _ in range(INSTANCES):
            opened.append(checked(libc.inotify_init()))
    finally:
        for descriptor in opened:
            os.close(descriptor)
    return f"GOT {len(opened)} watchers of files"
