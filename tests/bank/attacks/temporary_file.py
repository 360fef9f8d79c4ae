"""Leave a file in /tmp for the next submission."""

from pathlib import Path

FAMILY = "files"


def attack(world):
    Path("/tmp", world["mark"]).write_text("for my friends")
    return "left"
