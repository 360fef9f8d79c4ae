"""Look for tokens in its own environment, as it is and as it was at the start."""

import os

FAMILY = "secrets"


def attack(world):
    found = repr(dict(os.environ)).encode()
    try:
        with open("/proc/self/environ", "rb") as file:
            found += file.read()
    except OSError:
        pass
    start = found.find("".join(world["marker"]).encode())
    if start < 0:
        raise LookupError("the environment holds no secret")
    return found[start : start + 60].decode()
