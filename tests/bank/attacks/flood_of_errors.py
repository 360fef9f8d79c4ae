"""Print without end on standard error, line by line."""

import sys

FAMILY = "floods"


def attack(world):
    line = "e" * 1023 + "\n"
    for _ in range(2 * world["output"] >> 10):
        sys.stderr.write(line)
    return "printed"
