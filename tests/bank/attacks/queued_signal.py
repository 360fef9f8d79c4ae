"""Kill another process by rt_sigqueueinfo."""

import ctypes
import errno
import os
import platform
import signal

FAMILY = "signals"
RT_SIGQUEUEINFO = 129


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
    information = ctypes.create_string_buffer(128)
    ctypes.c_int.from_buffer(information, 8).value = -1  # si_code: SI_QUEUE
    system_call(RT_SIGQUEUEINFO, world["victim"], int(signal.SIGKILL), ctypes.byref(information))
    return "sent"
