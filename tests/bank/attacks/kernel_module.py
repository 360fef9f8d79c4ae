"""Load a module into the kernel."""

import ctypes
import errno
import os
import platform

FAMILY = "network"
NOT_NAIVE = "Only root may load modules."
INIT_MODULE = 175


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
    try:
        system_call(INIT_MODULE, b"no module at all", 16, b"")
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
    return "GOT as far as the kernel's loader of modules"
