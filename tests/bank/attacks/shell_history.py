"""Read the shell history in the grader's home folder."""

from pathlib import Path

FAMILY = "secrets"


def attack(world):
    return (Path(world["home"]) / ".bash_history").read_text()
