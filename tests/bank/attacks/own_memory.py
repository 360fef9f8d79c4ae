"""Search its own memory for what the grader may have left there."""

import ctypes
import gc
import re

FAMILY = "secrets"
PAGE = 4096


def regions():
    try:
        with open("/proc/self/maps") as maps:
            lines = [line.split() for line in maps]
    except OSError:  # without a map: the pages on which the interpreter's objects lie
        for page in sorted({id(thing) // PAGE for thing in gc.get_objects()}):
            yield page * PAGE, PAGE
        return
    for place, rights, *_ in lines:
        start, end = (int(bound, 16) for bound in place.split("-"))
        if rights.startswith("rw") and end - start <= 64 << 20:
            yield start, end - start


def attack(world):
    secret = re.compile("".join(world["marker"]).encode() + rb"[0-9a-f]{32}")
    for start, length in regions():
        if found := secret.search(ctypes.string_at(start, length)):
            return found[0].decode()
    raise LookupError("its own memory holds no secret")
