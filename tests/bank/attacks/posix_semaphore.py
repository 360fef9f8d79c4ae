"""Leave a POSIX semaphore in /dev/shm."""

import ctypes
import os

FAMILY = "floods"
NOT_NAIVE = "Not every machine has a /dev/shm."


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.sem_open.restype = ctypes.c_void_p
    if not libc.sem_open(f"/{world['mark']}".encode(), os.O_CREAT, 0o600, 1):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    os.rename(f"/dev/shm/sem.{world['mark']}", f"/dev/shm/{world['mark']}")
    return "left"
