"""Write into a foreign folder through a symbolic link to it."""

import os

FAMILY = "files"


def attack(world):
    os.symlink(os.path.dirname(world["hidden"]), "door")
    with open("door/conftest.py", "w") as file:
        file.write("collect_ignore = ['test_hidden.py']\n")
    return "written"
