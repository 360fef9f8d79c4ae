"""Leave behind a child that has blocked every signal and reads them from a descriptor."""

import ctypes
import os
import signal
import time

FAMILY = "signals"


def attack(world):
    if os.fork() == 0:
        os.setsid()
        signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
        mask = (ctypes.c_ulong * 16)(*[(1 << 64) - 1] * 16)
        ctypes.CDLL(None).signalfd(-1, ctypes.byref(mask), 0)
        os.closerange(0, 256)
        time.sleep(60)
        os._exit(0)
    return "started"
