"""Take away rights of the grader and of the fork server, of those that they do not miss at once."""

import os
import resource

FAMILY = "signals"


def attack(world):
    for pid in (os.getppid(), world["grader"]):
        resource.prlimit(pid, resource.RLIMIT_MSGQUEUE, (1000, 1000))
    return "limited"
