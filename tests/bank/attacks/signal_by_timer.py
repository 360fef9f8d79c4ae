"""Have a timer of its own signal a thread of another process."""

import ctypes
import errno
import os
import platform
import signal
import struct

FAMILY = "signals"
NOT_NAIVE = "The kernel lets a timer signal threads of its own process alone."
TIMER_CREATE, SIGEV_THREAD_ID = 222, 4


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
    event = struct.pack("Qiii44x", 0, signal.SIGKILL, SIGEV_THREAD_ID, world["victim"])
    timer = ctypes.c_int()
    system_call(TIMER_CREATE, 1, ctypes.create_string_buffer(event), ctypes.byref(timer))
    return "GOT a timer that signals another process"
