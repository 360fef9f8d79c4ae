"""Put a file among the installed packages, where a .pth is run at the start of every later Python.

It is a harmless one, since the packages are real.
"""

from pathlib import Path

FAMILY = "forgery"


def attack(world):
    Path(world["packages"], f"{world['mark']}.txt").write_text("was here\n")
    return "written"
