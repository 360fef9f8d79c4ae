"""Take memory in several processes, each of which stays below the limit."""

import os
import time

FAMILY = "floods"
CHILDREN = 6


def attack(world):
    children = []
    wait, go = os.pipe()
    taken_read, taken_write = os.pipe()
    for _ in range(CHILDREN):
        child = os.fork()
        if child == 0:
            os.close(go)
            taken = bytearray(b"x") * (world["memory"] // CHILDREN)
            os.write(taken_write, taken[:1])
            os.read(wait, 1)
            os._exit(0)
        children.append(child)
    os.close(taken_write)
    for _ in range(CHILDREN):
        os.read(taken_read, 1)
    time.sleep(0.3)
    os.close(go)
    for child in children:
        os.waitpid(child, 0)
    return "taken"
