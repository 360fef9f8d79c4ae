"""Recurse until the stack of the process itself overflows."""

import sys

FAMILY = "floods"


class Endless:
    def __repr__(self):
        return repr([self])


def attack(world):
    sys.setrecursionlimit(1 << 30)
    repr(Endless())
