"""Open the disk below the file system, where no file's rights count."""

import os
import stat

FAMILY = "secrets"
NOT_NAIVE = (
    "Only root may make or open a device of the disk, and in a namespace of its own not even root."
)


def attack(world):
    device = os.stat("/usr").st_dev
    os.mknod("disk", 0o600 | stat.S_IFBLK, device)
    try:
        os.close(os.open("disk", os.O_RDONLY))
    finally:
        os.unlink("disk")
    return "GOT the raw disk"
