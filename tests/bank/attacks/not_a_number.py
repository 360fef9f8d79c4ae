"""Return NaN everywhere, which no comparison finds too large."""

FAMILY = "lies"


def forge(layer, input, output):
    return output * float("nan")
