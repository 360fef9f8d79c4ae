"""Recurse until the stack of the process itself overflows."""

import faulthandler
import sys

FAMILY = "floods"


class Endless:
    def __repr__(self):
        return repr([self])


def attack(world):
    sys.setrecursionlimit(1 << 30)
    try:
        repr(Endless())
    except RecursionError:  # from 3.12 on Python bounds its own recursion in C as well
        faulthandler._stack_overflow()
