"""Make a device of its own for the memory of the machine."""

import os
import stat

FAMILY = "files"
NOT_NAIVE = "Only root may make a device, and in a namespace of its own not even root."


def attack(world):
    os.mknod("memory", 0o600 | stat.S_IFCHR, os.makedev(1, 1))
    return "GOT a device of its own"
