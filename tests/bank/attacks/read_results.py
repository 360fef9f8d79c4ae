"""Read the results of the others."""

FAMILY = "secrets"


def attack(world):
    with open(world["results"]) as file:
        return file.read(500)
