"""Empty the results file by opening it with O_TRUNC and writing nothing."""

import os

FAMILY = "files"


def attack(world):
    os.close(os.open(world["results"], os.O_WRONLY | os.O_TRUNC))
    return "emptied"
