"""Open what the grader has open, through /proc/PID/fd."""

import os

FAMILY = "secrets"


def attack(world):
    folder = f"/proc/{world['grader']}/fd"
    for name in os.listdir(folder):
        if os.readlink(f"{folder}/{name}").startswith(world["hidden"]):
            with open(f"{folder}/{name}") as file:
                return file.read(500)
    raise LookupError("the hidden tests are not open there")
