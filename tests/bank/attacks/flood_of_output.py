"""Print without end."""

import os
import time

FAMILY = "floods"


def attack(world):
    written, ended = 0, time.monotonic() + 2
    while written < 8 * world["output"] and time.monotonic() < ended:
        written += os.write(1, b"y" * 65536)
    return f"printed {written >> 20} MiB"
