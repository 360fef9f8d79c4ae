"""Write into the memory of its parent, at an address that is the same there.

What it writes is what stands there already, so that the parent goes on.
"""

import ctypes
import os

FAMILY = "forgery"


class Piece(ctypes.Structure):
    _fields_ = [("start", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def checked(result):
    """The result of a call into libc. Raises OSError."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(8)
    local = ctypes.byref(Piece(ctypes.addressof(buffer), 8))
    remote = ctypes.byref(Piece(id(None), 8))
    checked(libc.process_vm_readv(os.getppid(), local, 1, remote, 1, 0))
    checked(libc.process_vm_writev(os.getppid(), local, 1, remote, 1, 0))
    return "GOT a word written into the parent's memory"
