"""Close the descriptors of the channel and put others in their places."""

import os

FAMILY = "forgery"
NOT_NAIVE = "Where everything runs in one process there is no channel."


def forge(layer, input, output):
    os.dup2(1, 101)
    os.dup2(0, 100)
    return output
