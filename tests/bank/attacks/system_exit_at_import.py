"""Raise SystemExit(0) while the module is imported."""

import sys

FAMILY = "forgery"
NOT_NAIVE = "pytest takes it for an error of the file."

sys.exit(0)


def forge(layer, input, output):
    return output
