"""Make the results file writable for everybody."""

import os

FAMILY = "forgery"


def attack(world):
    os.chmod(world["results"], 0o666)
    return "changed"
