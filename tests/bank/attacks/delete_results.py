"""Delete the results file."""

import os

FAMILY = "forgery"


def attack(world):
    os.unlink(world["results"])
    return "deleted"
