"""Be so long that whoever copies it runs out of memory or time: fifty million characters."""

FAMILY = "text"


def text():
    return "long message " * 3_850_000
