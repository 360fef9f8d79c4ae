"""Truncate the results file."""

import os

FAMILY = "forgery"


def attack(world):
    os.truncate(world["results"], 0)
    return "truncated"
