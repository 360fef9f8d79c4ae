"""Read the reference solution."""

FAMILY = "secrets"


def attack(world):
    with open(world["solution"]) as file:
        return file.read(500)
