"""Leave a POSIX message queue behind, for the next submission to read."""

import ctypes
import os

FAMILY = "floods"
NOT_NAIVE = "Not every kernel is built with POSIX message queues."


def checked(result):
    """The result of a call into libc. Raises OSError."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    name = f"/{world['mark']}".encode()
    checked(libc.mq_open(name, os.O_CREAT | os.O_RDWR, 0o600, None))
    return "left"
