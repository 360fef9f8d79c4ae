"""Read the log of the kernel."""

import ctypes
import os

FAMILY = "secrets"
NOT_NAIVE = "Many systems keep the kernel's log to root."
SYSLOG_ACTION_READ_ALL = 3


def checked(result):
    """The result of a call into libc. Raises OSError."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(1000)
    length = checked(libc.klogctl(SYSLOG_ACTION_READ_ALL, buffer, 1000))
    return f"GOT {length} bytes of the kernel's log"
