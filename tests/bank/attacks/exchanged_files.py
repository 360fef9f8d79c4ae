"""Exchange the results and the hidden tests by one call."""

import ctypes
import os

FAMILY = "files"
AT_FDCWD, RENAME_EXCHANGE = -100, 2


def checked(result):
    """The result of a call into libc. Raises OSError."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    one, other = world["results"].encode(), world["hidden"].encode()
    checked(libc.renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE))
    return "exchanged"
