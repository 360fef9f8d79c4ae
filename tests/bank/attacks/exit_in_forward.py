"""End the process with exit code 0 in the middle of a test."""

import os

FAMILY = "forgery"


def forge(layer, input, output):
    os._exit(0)
