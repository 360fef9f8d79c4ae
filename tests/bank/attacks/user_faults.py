"""Handle page faults itself, by which exploits win races in the kernel."""

import ctypes
import errno
import os
import platform

FAMILY = "network"
NOT_NAIVE = "Many systems keep this from ordinary users."
USERFAULTFD = 323


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
    os.close(system_call(USERFAULTFD, 0))
    return "GOT the handling of page faults"
