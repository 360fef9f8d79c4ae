"""Put the results file under its own group, which changes its time though nothing else."""

import os

FAMILY = "files"


def attack(world):
    os.chown(world["results"], -1, os.getgid())
    return "changed"
