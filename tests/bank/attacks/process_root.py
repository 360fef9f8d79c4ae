"""Reach the hidden tests through the root folder of the grader's process."""

FAMILY = "secrets"


def attack(world):
    with open(f"/proc/{world['grader']}/root{world['hidden']}") as file:
        return file.read(500)
