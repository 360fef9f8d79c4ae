"""Return infinity where a relative tolerance multiplies it away."""

FAMILY = "lies"
NOT_NAIVE = "Every assertion of the naive tests finds infinity different."


def forge(layer, input, output):
    return output * float("inf")
