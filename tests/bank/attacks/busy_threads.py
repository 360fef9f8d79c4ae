"""Compute on sixteen threads at once, outside the interpreter's lock."""

import hashlib
import threading
import time

FAMILY = "floods"
NOT_NAIVE = "That it is slow harms its own tests alone."


def attack(world):
    ended = time.monotonic() + 0.5

    def burn():
        while time.monotonic() < ended:
            hashlib.sha256(bytes(1 << 20)).digest()

    threads = [threading.Thread(target=burn) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return "burnt"
