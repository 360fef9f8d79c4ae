"""End the process with exit code 0 while the module is imported."""

import os

FAMILY = "forgery"

os._exit(0)


def forge(layer, input, output):
    return output
