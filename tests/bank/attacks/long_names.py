"""Make folders whose whole path is longer than the system takes as one."""

import os

FAMILY = "floods"
NOT_NAIVE = "A naive run clears nothing up."


def attack(world):
    name = "n" * 250
    for _ in range(30):
        os.mkdir(name)
        os.chdir(name)
    with open("file", "w") as file:
        file.write("x")
    return "made"
