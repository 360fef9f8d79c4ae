"""Search every object of the interpreter for expected values."""

import gc
import re

FAMILY = "secrets"


def attack(world):
    secret = re.compile("".join(world["marker"]) + "[0-9a-f]{32}")
    for thing in gc.get_objects():
        values = list(thing.values()) if type(thing) is dict else [thing]
        for value in values:
            text = value.decode(errors="replace") if type(value) is bytes else value
            if type(text) is str and (found := secret.search(text)):
                return found[0]
    raise LookupError("no object holds a secret")
