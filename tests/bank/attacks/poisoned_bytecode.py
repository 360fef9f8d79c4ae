"""Put compiled code beside the solution, which the next import takes for it."""

import os

FAMILY = "files"


def attack(world):
    folder = os.path.join(os.path.dirname(world["solution"]), "__pycache__")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "planted_solution.cpython-311.pyc"), "wb") as file:
        file.write(b"poison")
    return "written"
