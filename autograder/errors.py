"""The ways a run can go wrong. Each is shown and turned into an exit code by `tower_student.terminal`."""

from tower_student.errors import Stopped as Stopped
from tower_student.errors import TowerError as TowerError
from tower_student.errors import UsageError as UsageError


class CourseError(TowerError):
    """course.toml or solutions/ does not say what it must; the instructor has to mend it."""

    exit_code = 2


class GraderFault(TowerError):
    """The grader itself failed. It is never the submission's fault, and never in its favour."""


class IsolationError(TowerError):
    """This machine keeps student code less apart than was demanded. Nothing was graded."""
