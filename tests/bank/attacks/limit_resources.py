"""Take away another process's right to open files and to write."""

import resource

FAMILY = "signals"


def attack(world):
    resource.prlimit(world["victim"], resource.RLIMIT_NOFILE, (3, 3))
    resource.prlimit(world["victim"], resource.RLIMIT_FSIZE, (0, 0))
    return "limited"
