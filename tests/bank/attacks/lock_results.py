"""Hold a lock on the results file, so that the grader waits for ever."""

import fcntl
import os

FAMILY = "forgery"


def attack(world):
    descriptor = os.open(world["results"], os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return "GOT a lock on the results"
