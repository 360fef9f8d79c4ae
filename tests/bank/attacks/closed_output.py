"""Close its own output and go on without."""

import os
import time

FAMILY = "floods"
NOT_NAIVE = "It ends by itself."


def attack(world):
    os.close(1)
    os.close(2)
    time.sleep(0.5)
    raise ValueError("nobody hears me")
