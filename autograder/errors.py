"""The ways a run can go wrong. Each is shown and turned into an exit code in cli.py alone."""


class TowerError(Exception):
    """A sentence for the user: what happened, where, and what to do."""

    exit_code = 3


class UsageError(TowerError):
    """What was asked for cannot be done as asked: a path, an option, a choice that does not exist."""

    exit_code = 2


class CourseError(TowerError):
    """course.toml or solutions/ does not say what it must; the instructor has to mend it."""

    exit_code = 2


class GraderFault(TowerError):
    """The grader itself failed. It is never the submission's fault, and never in its favour."""


class Stopped(TowerError):
    """Ctrl-C, where something is kept; the sentence says what."""

    exit_code = 130


class IsolationError(TowerError):
    """This machine keeps student code less apart than was demanded. Nothing was graded."""
