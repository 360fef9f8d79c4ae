"""Raise an exception whose text takes for ever to make."""

FAMILY = "floods"


class Slow(Exception):
    def __str__(self):
        while True:
            pass


def attack(world):
    raise Slow
