"""Open the kernel's own message device."""

import os

FAMILY = "secrets"
NOT_NAIVE = "Only root may open the device, where there is one."


def attack(world):
    os.close(os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK))
    return "GOT the kernel's messages"
