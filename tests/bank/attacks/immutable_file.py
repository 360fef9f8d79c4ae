"""Leave a file in the scratch that not even root may remove."""

import array
import fcntl

FAMILY = "files"
NOT_NAIVE = "Only root may make a file immutable, and not on every file system."
FS_IOC_SETFLAGS, IMMUTABLE = 0x40086602, 0x10


def attack(world):
    with open("immutable", "w") as file:
        fcntl.ioctl(file, FS_IOC_SETFLAGS, array.array("l", [IMMUTABLE]))
    return "left"
