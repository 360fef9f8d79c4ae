"""Trace the grader, its parent or a process of the same user, and read a word of its memory."""

import ctypes
import os

FAMILY = "secrets"
ATTACH, DETACH, PEEK_USER = 16, 17, 3


def checked(result):
    """The result of a call into libc. Raises OSError."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.restype = ctypes.c_long
    failures = []
    for pid in (world["grader"], os.getppid(), world["victim"]):
        try:
            checked(libc.ptrace(ATTACH, pid, None, None))
        except OSError as error:
            failures.append(error)
            continue
        os.waitpid(pid, 0x40000000)
        ctypes.set_errno(0)
        word = libc.ptrace(PEEK_USER, pid, None, None)
        checked(-1 if word == -1 and ctypes.get_errno() else 0)
        libc.ptrace(DETACH, pid, None, None)
        return "GOT a register of a process that it traced"
    raise failures[0]
