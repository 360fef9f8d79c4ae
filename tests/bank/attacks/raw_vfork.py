"""Start another program by posix_spawn, which uses vfork."""

import os

FAMILY = "floods"


def attack(world):
    child = os.posix_spawn("/bin/sleep", ["sleep", "60"], {})
    return f"started {child}"
