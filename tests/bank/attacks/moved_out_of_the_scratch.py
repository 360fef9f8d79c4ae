"""Move a file out of the scratch by a rename."""

import os

FAMILY = "files"


def attack(world):
    with open("moved", "w") as file:
        file.write("for my friends")
    os.rename("moved", f"/tmp/{world['mark']}")
    return "moved"
