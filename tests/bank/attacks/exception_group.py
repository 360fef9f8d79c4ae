"""Raise a thousand exceptions that hold one another."""

FAMILY = "floods"
NOT_NAIVE = "Python prints all of it, and stops."


def attack(world):
    error = ValueError("x" * 1000)
    for _ in range(900):
        error = ExceptionGroup("g" * 1000, [error, ValueError("y" * 1000)])
    raise error
