"""Put an empty test in the place of the hidden ones."""

import os

FAMILY = "forgery"


def attack(world):
    folder = os.path.dirname(world["hidden"])
    os.rename(folder, f"{folder}-old")
    os.mkdir(folder)
    with open(world["hidden"], "w") as file:
        file.write("def test():\n    pass\n")
    return "replaced"
