"""Put a link to a foreign folder in the place of its scratch, for whoever clears up."""

import os

FAMILY = "files"
NOT_NAIVE = "A naive run clears nothing up."


def attack(world):
    scratch = os.getcwd()
    os.rename(scratch, f"{scratch}-{world['mark']}")
    os.symlink(os.path.dirname(world["hidden"]), scratch)
    return "exchanged"
