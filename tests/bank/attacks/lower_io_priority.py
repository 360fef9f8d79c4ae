"""Make another process wait for the disk until nobody else wants it."""

import ctypes
import errno
import os
import platform

FAMILY = "signals"
IOPRIO_SET, WHO_PROCESS, IDLE = 251, 1, 3 << 13


def system_call(number, *arguments):
    """A system call by its number on x86-64. Raises OSError."""
    if platform.machine() != "x86_64":
        raise OSError(errno.ENOSYS, "the number is known for x86-64 alone")
    libc = ctypes.CDLL(None, use_errno=True)
    given = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = libc.syscall(ctypes.c_long(number), *given)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attack(world):
    system_call(IOPRIO_SET, WHO_PROCESS, world["victim"], IDLE)
    return "lowered"
