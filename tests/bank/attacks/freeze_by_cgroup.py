"""Make a control group of its own, in which processes can be frozen."""

import os

FAMILY = "signals"
NOT_NAIVE = "Only root may change control groups, where they are mounted."


def attack(world):
    for root in ("/sys/fs/cgroup", "/sys/fs/cgroup/pids", "/sys/fs/cgroup/unified"):
        folder = f"{root}/{world['mark']}"
        try:
            os.mkdir(folder)
        except OSError as error:
            failure = error
            continue
        os.rmdir(folder)
        return "GOT a control group"
    raise failure
