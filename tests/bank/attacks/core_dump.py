"""Allow itself core dumps, so that a crash writes the memory of the process to the disk."""

import resource

FAMILY = "secrets"


def attack(world):
    resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20))
    return "GOT the right to dump core"
