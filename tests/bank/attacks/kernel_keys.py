"""Keep a message for the next submission in the kernel's keyring of the user."""

import ctypes
import errno
import os
import platform

FAMILY = "network"
ADD_KEY, KEYCTL, UNLINK, USER_KEYRING = 248, 250, 9, -4


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
    name = world["mark"].encode()
    key = system_call(ADD_KEY, b"user", name, b"exfiltrated", 11, USER_KEYRING)
    system_call(KEYCTL, UNLINK, key, USER_KEYRING)
    return "GOT a key into the user's keyring"
