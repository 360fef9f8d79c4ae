"""Give itself every capability that it can have."""

import ctypes
import os
import struct

FAMILY = "network"
NOT_NAIVE = "An ordinary user has no capability to give itself."
VERSION_3 = 0x20080522


def checked(result):
    """The result of a call into libc. Raises OSError."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    header = ctypes.create_string_buffer(struct.pack("Ii", VERSION_3, 0))
    present = ctypes.create_string_buffer(24)
    checked(libc.capget(header, present))
    _, permitted, *_ = struct.unpack("6I", present.raw)
    if not permitted:
        raise PermissionError("there is no capability to take")
    checked(libc.capset(header, present))
    return f"GOT the capabilities {permitted:08x}"
