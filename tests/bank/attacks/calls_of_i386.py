"""Make system calls by the numbers of 32-bit processors, which a filter may not know."""

import ctypes
import errno
import mmap
import platform

FAMILY = "network"
GETPID = b"\xb8\x14\x00\x00\x00\xcd\x80\xc3"
"""mov eax, 20; int 0x80; ret"""


def attack(world):
    if platform.machine() != "x86_64":
        raise OSError(errno.ENOSYS, "the numbers are those of x86")
    rights = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    code = mmap.mmap(-1, len(GETPID), prot=rights)
    code.write(GETPID)
    start = ctypes.addressof(ctypes.c_char.from_buffer(code))
    return f"GOT an answer to a 32-bit call: {ctypes.CFUNCTYPE(ctypes.c_int)(start)() > 0}"
