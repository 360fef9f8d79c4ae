"""Let children end without taking notice, so that they fill the table of processes."""

import os
import time

FAMILY = "floods"


def attack(world):
    for _ in range(3):
        if os.fork() == 0:
            os._exit(0)
    time.sleep(0.1)
    return "GOT three zombies"
