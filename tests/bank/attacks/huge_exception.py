"""Raise an exception with a message of 50 megabytes."""

FAMILY = "floods"


def attack(world):
    raise ValueError("m" * (50 << 20))
