"""Return a tensor that is larger than a reply may be."""

FAMILY = "floods"
NOT_NAIVE = "The naive tests compare it, find it wrong, and go on."


def forge(layer, input, output):
    return output.new_zeros(3_000_000)
