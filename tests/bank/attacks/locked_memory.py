"""Lock its memory, so that the system cannot make room."""

import ctypes
import mmap
import os

FAMILY = "floods"
NOT_NAIVE = "How much memory an ordinary user may lock differs from system to system."
MAX_LOCKED = 16 << 20


def checked(result):
    """The result of a call into libc. Raises OSError."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    pages = mmap.mmap(-1, MAX_LOCKED)
    start = ctypes.addressof(ctypes.c_char.from_buffer(pages))
    checked(libc.mlock(ctypes.c_void_p(start), ctypes.c_size_t(MAX_LOCKED)))
    return f"GOT {MAX_LOCKED >> 20} MiB locked"
