"""Start a daemon that outlives the grading: a double fork and a session of its own."""

import os
import time

FAMILY = "floods"


def attack(world):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for descriptor in range(256):
                try:
                    os.close(descriptor)
                except OSError:
                    continue
            time.sleep(60)
        os._exit(0)
    os.wait()
    return "started"
