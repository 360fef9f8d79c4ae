"""Learn the size and the time of the hidden tests.

No content, but whoever knows them can tell one release of the suite from another.
"""

import os

FAMILY = "secrets"


def attack(world):
    found = os.stat(world["hidden"])
    return f"GOT the size, {found.st_size}, and the time of the hidden tests"
