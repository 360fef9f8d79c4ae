"""Count events of the processor, through which other processes can be spied upon."""

import ctypes
import errno
import os
import platform
import struct

FAMILY = "network"
NOT_NAIVE = "Many systems keep the counters from ordinary users."
PERF_EVENT_OPEN, SOFTWARE, TASK_CLOCK, EXCLUDE_KERNEL = 298, 1, 1, 1 << 5


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
    event = struct.pack("2I3Q2Q", SOFTWARE, 112, TASK_CLOCK, 0, 0, 0, EXCLUDE_KERNEL)
    buffer = ctypes.create_string_buffer(event, 112)
    os.close(system_call(PERF_EVENT_OPEN, buffer, world["victim"], -1, -1, 0))
    return "GOT a counter on another process"
