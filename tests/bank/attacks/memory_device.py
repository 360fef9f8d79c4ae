"""Open the memory of the machine."""

import os

FAMILY = "secrets"
NOT_NAIVE = "Only root may open the device, where there is one."


def attack(world):
    for path in ("/dev/mem", "/dev/port", "/proc/kcore"):
        try:
            os.close(os.open(path, os.O_RDONLY))
        except OSError as error:
            failure = error
            continue
        return f"GOT {path}"
    raise failure
