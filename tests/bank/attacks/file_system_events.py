"""Watch or veto what every process opens, by fanotify."""

import ctypes
import os

FAMILY = "network"


def checked(result):
    """The result of a call into libc. Raises OSError."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    os.close(checked(libc.fanotify_init(0x200, os.O_RDONLY)))  # FAN_REPORT_FID
    return "GOT events of the file system"
