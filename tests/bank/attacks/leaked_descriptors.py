"""Read every descriptor that was left open."""

import os

FAMILY = "secrets"


def attack(world):
    prefix = "".join(world["marker"])
    for descriptor in range(3, 1024):
        try:
            text = os.pread(descriptor, 4096, 0).decode(errors="replace")
        except OSError:
            continue
        if prefix in text:
            return text
    raise LookupError("no descriptor holds a secret")
