"""Load a program or make a map in the kernel by bpf."""

import ctypes
import errno
import os
import platform
import struct

FAMILY = "network"
NOT_NAIVE = "Only root may use bpf on most systems."
BPF, MAP_CREATE, ARRAY = 321, 0, 2


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
    attributes = ctypes.create_string_buffer(struct.pack("4I", ARRAY, 4, 8, 1), 64)
    system_call(BPF, MAP_CREATE, attributes, 64)
    return "GOT a map in the kernel"
