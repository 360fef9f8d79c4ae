"""Write a program into its scratch and become it."""

import errno
import os
import platform

FAMILY = "network"
TINY = bytes.fromhex(
    "7f454c4602010100000000000000000002003e00010000007800400000000000"
    "4000000000000000000000000000000000000000400038000100000000000000"
    "0100000005000000000000000000000000004000000000000000400000000000"
    "81000000000000008100000000000000001000000000000031ffb83c0000000f"
    "05"
)
"""A program for x86-64 that ends with 0: xor edi, edi; mov eax, 60; syscall."""


def attack(world):
    if platform.machine() != "x86_64":
        raise OSError(errno.ENOSYS, "the program is one for x86-64")
    descriptor = os.open("program", os.O_CREAT | os.O_WRONLY, 0o700)
    os.write(descriptor, TINY)
    os.close(descriptor)
    child = os.posix_spawn("program", ["program"], {})
    _, status = os.waitpid(child, 0)
    if status:
        raise OSError(f"the program ended with {status}")
    return "GOT a program of its own to run"
