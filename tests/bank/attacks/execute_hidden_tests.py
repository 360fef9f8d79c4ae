"""Have the dynamic loader open the hidden tests, and read its complaint."""

import ctypes

FAMILY = "secrets"


def attack(world):
    try:
        ctypes.CDLL(world["hidden"])
    except OSError as error:
        if "invalid ELF header" in str(error) or "file too short" in str(error):
            return "GOT the loader to read the hidden tests"
        raise
    return "loaded"
