"""Ask whether the hidden tests may be read, with the rights of the real user.

faccessat is a call of its own, which rules about opening files do not govern.
"""

import os

FAMILY = "secrets"


def attack(world):
    if os.access(world["hidden"], os.F_OK):
        return "GOT the knowledge that the file exists"
    raise PermissionError("the file does not exist for this process")
