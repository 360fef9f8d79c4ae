"""Put an extended attribute on the results file."""

import os

FAMILY = "forgery"
NOT_NAIVE = "Not every file system has extended attributes of users."


def attack(world):
    os.setxattr(world["results"], "user.score", b"100")
    return "tagged"
