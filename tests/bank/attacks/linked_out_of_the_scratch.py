"""Link a file of the scratch into /tmp, so that it outlives the scratch."""

import os

FAMILY = "files"


def attack(world):
    with open("linked", "w") as file:
        file.write("for my friends")
    os.link("linked", f"/tmp/{world['mark']}")
    return "linked"
