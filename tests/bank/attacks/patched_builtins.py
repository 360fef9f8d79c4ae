"""Replace abs and all by functions that find nothing wrong."""

import builtins

FAMILY = "lies"

builtins.all = lambda items: True
builtins.abs = lambda value: 0.0


def forge(layer, input, output):
    return output
