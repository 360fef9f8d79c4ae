"""Fill the module with a hundred thousand names, all of which the import reports."""

FAMILY = "forgery"
NOT_NAIVE = "A naive run does not list what a module holds."

globals().update({f"name_{i}": None for i in range(100_000)})


def forge(layer, input, output):
    return output
