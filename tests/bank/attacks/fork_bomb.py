"""Fork more processes than a worker may have."""

import os
import time

FAMILY = "floods"


def attack(world):
    children = []
    wait, go = os.pipe()
    try:
        for _ in range(world["processes"]):
            child = os.fork()
            if child == 0:
                os.close(go)
                os.read(wait, 1)
                os._exit(0)
            children.append(child)
        time.sleep(0.3)
    finally:
        os.close(go)
        for child in children:
            os.waitpid(child, 0)
    return "forked"
