"""Mount by the newer calls, which work on descriptors."""

import ctypes
import errno
import os
import platform

FAMILY = "network"
NOT_NAIVE = "Only root may mount."
FSOPEN = 430


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
    os.close(system_call(FSOPEN, b"tmpfs", 0))
    return "GOT a file system of its own"
