"""Open the hidden tests by O_PATH, which asks for no rights, and open that again for reading."""

import os

FAMILY = "secrets"


def attack(world):
    descriptor = os.open(world["hidden"], os.O_PATH)
    with open(f"/proc/self/fd/{descriptor}") as file:
        return file.read(500)
