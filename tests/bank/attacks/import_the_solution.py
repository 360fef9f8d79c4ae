"""Import the reference solution and copy its answer."""

import importlib
import os
import sys

FAMILY = "secrets"


def attack(world):
    folder, name = os.path.split(world["solution"])
    sys.path.insert(0, folder)
    return importlib.import_module(name.removesuffix(".py")).SECRET
