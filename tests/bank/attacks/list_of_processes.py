"""Go through every process of the machine and read the command lines."""

import os

FAMILY = "secrets"


def attack(world):
    prefix, found = "".join(world["marker"]), []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline") as file:
                line = file.read()
        except OSError:
            continue
        if prefix in line:
            found.append(line[line.index(prefix) :][:60])
    if not found:
        raise LookupError("no command line holds a secret")
    return found
