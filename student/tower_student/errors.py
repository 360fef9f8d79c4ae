"""The ways a command can go wrong. Each is shown and turned into an exit code in terminal.py alone."""


class TowerError(Exception):
    """A sentence for the user: what happened, where, and what to do."""

    exit_code = 3


class UsageError(TowerError):
    """What was asked for cannot be done as asked: a path, an option, a choice that does not exist."""

    exit_code = 2


class Stopped(TowerError):
    """Ctrl-C, where something is kept; the sentence says what."""

    exit_code = 130
