"""Make system calls by the numbers of the x32 processors, which a filter may not know."""

import ctypes
import errno
import os
import platform

FAMILY = "network"
NOT_NAIVE = "Hardly any kernel is built with the x32 calls."
X32, GETPID = 0x40000000, 39


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
    return f"GOT an answer to an x32 call: {system_call(X32 | GETPID) > 0}"
