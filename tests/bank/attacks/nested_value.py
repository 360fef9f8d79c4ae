"""Return a value that holds itself."""

FAMILY = "forgery"
NOT_NAIVE = "A list that holds itself is no tensor, and every assertion fails on it."


def forge(layer, input, output):
    endless = [output]
    endless.append(endless)
    return endless
