"""What a grading found, as plain frozen data. Every export is a function of a Report."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

Status = Literal["passed", "failed", "not_verified", "not_submitted"]
Visibility = Literal["visible", "after_due_date", "after_published", "hidden"]
"""When students see a check, in Gradescope's words."""
VISIBILITIES: tuple[Visibility, ...] = get_args(Visibility)


@dataclass(frozen=True)
class Place:
    """A line of a module: where it raised, or where what the check asked for is defined."""

    file: str
    line: int


@dataclass(frozen=True)
class CheckResult:
    """The outcome of one check. `message` and `hint` are written for the student.

    Attributes:
        place: the line of the submission that a failure is about, where one can be named.
        measured: what a check measured that judges by one number: the fit's accuracy, in [0, 1].
    """

    id: str
    title: str
    status: Status
    score: float
    max_score: float
    message: str = ""
    hint: str = ""
    seconds: float = 0.0
    place: Place | None = None
    measured: float | None = None
    visibility: Visibility = "visible"


@dataclass(frozen=True)
class ModuleResult:
    """The checks of one module. `note` is what holds for the module as a whole."""

    name: str
    checks: tuple[CheckResult, ...]
    note: str = ""

    @property
    def score(self) -> float:
        """The points earned."""
        return _total(check.score for check in self.checks)

    @property
    def max_score(self) -> float:
        """The points that could be earned; a check that could not be verified has none."""
        return _total(check.max_score for check in self.checks)


@dataclass(frozen=True)
class Isolation:
    """How far student code was kept apart: a level (A+ to D), and what it consists of."""

    level: str
    detail: str

    @property
    def is_weak(self) -> bool:
        """Whether code that means harm could have forged the result."""
        return self.level == "D"


@dataclass(frozen=True)
class Report:
    """One submission, graded. Equal inputs and seeds give equal reports, but for the seconds.

    `faults` is empty unless the grader itself failed in some check: a sentence and a traceback for
    each. Such a check counts as failed, and the run ends with exit code 3.
    """

    submission: str
    submission_digest: str
    suite_digest: str
    seed: int
    device: str
    isolation: Isolation
    seconds: float
    environment: Mapping[str, str]
    modules: tuple[ModuleResult, ...]
    faults: tuple[tuple[str, str], ...] = ()

    @property
    def score(self) -> float:
        """The points earned."""
        return _total(module.score for module in self.modules)

    @property
    def max_score(self) -> float:
        """The points that could be earned."""
        return _total(module.max_score for module in self.modules)

    @property
    def per_cent(self) -> float:
        """Score as a share of the maximum; 0 where nothing could be verified."""
        return 100 * self.score / self.max_score if self.max_score else 0.0

    def visible(self) -> "Report":
        """What students may see at once: the checks that are visible, and the points of these."""
        modules = (
            replace(module, checks=tuple(c for c in module.checks if c.visibility == "visible"))
            for module in self.modules
        )
        return replace(self, modules=tuple(module for module in modules if module.checks))


def _total(points: Iterable[float]) -> float:
    return round(sum(points), 6)
