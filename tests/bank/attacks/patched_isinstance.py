"""Replace isinstance, so that anything is whatever is asked for."""

import builtins

FAMILY = "lies"
NOT_NAIVE = "The naive tests do not ask what an output is."

honest = builtins.isinstance
builtins.isinstance = lambda thing, kind: True if honest(thing, Impostor) else honest(thing, kind)


class Impostor:
    shape = ()


def forge(layer, input, output):
    return Impostor()
