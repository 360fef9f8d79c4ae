"""Leave a file in /var/tmp, which survives a restart."""

from pathlib import Path

FAMILY = "files"


def attack(world):
    Path("/var/tmp", world["mark"]).write_text("for my friends")
    return "left"
