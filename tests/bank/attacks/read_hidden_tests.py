"""Read the hidden tests."""

FAMILY = "secrets"


def attack(world):
    with open(world["hidden"]) as file:
        return file.read(500)
