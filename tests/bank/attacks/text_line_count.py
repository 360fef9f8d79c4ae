"""Push everything else out of sight by a million empty lines."""

FAMILY = "text"


def text():
    return "the end" + "\n" * 500_000 + "\t\n" * 250_000
