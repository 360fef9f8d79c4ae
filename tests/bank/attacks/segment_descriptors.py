"""Change the table of segments, a rarely used corner of the kernel."""

import ctypes
import errno
import os
import platform
import struct

FAMILY = "network"
NOT_NAIVE = "Not every kernel is built with it."
MODIFY_LDT = 154


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
    entry = ctypes.create_string_buffer(struct.pack("4I", 0, 0, 0xFFFFF, 0x51))
    system_call(MODIFY_LDT, 0x11, entry, 16)
    return "GOT a segment of its own"
