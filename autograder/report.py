"""What a grading found, as plain frozen data. Every export is a function of a Report."""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct

from tower_student.language import ENGLISH, NAME

Points = Annotated[float, Meta(ge=0)]
Seconds = Annotated[float, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
"""SHA-256."""
Status = Literal["passed", "failed", "not_verified", "not_submitted"]
Counts = Literal["last", "best"]
"""Which attempt of a student counts."""
COUNTS: tuple[Counts, ...] = get_args(Counts)
Visibility = Literal["visible", "after_due_date", "after_published", "hidden"]
"""When students see a check, in Gradescope's words."""
Causes = Literal["all", "half"]
"""To whom likely causes are told: all students, or a half of them, so that what they help is measured."""


def tells_causes(causes: Causes, course: str, student: str) -> bool:
    """Whether a student is told likely causes. A digest of the name decides: the same at every hand-in."""
    return causes == "all" or hashlib.sha256(f"{course}\n{student}".encode()).digest()[0] % 2 == 0


@dataclass(frozen=True)
class SourceLocation:
    """A line of a module: where it raised, or where what the check asked for is defined."""

    file: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_]+\.py$")]
    line: Annotated[int, Meta(ge=1)]


@dataclass(frozen=True)
class Measured:
    """The number that a check judges by, such as an accuracy. It is shown in per cent, under its name."""

    name: str
    value: Share


@dataclass(frozen=True)
class Cause:
    """What a failed check is put down to.

    Attributes:
        id: such as "bias.subtracted"; the same for every check and every language.
        text: a sentence for the student; in a report without the names of `values` in braces.
        values: what stands in the sentence, by name.
    """

    id: Annotated[str, Meta(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)+$")]
    text: str
    values: Mapping[str, str | int | float] = field(default_factory=dict, hash=False)

    @property
    def is_partial(self) -> bool:
        """Whether it explains some answers alone: its sentence then stands in one that says of which."""
        return "said" in self.values


@dataclass(frozen=True)
class Feedback:
    """Why a check failed, in parts. What a submission wrote stands in `quoted` alone.

    Attributes:
        asked: what the submission was asked, in words.
        found: what it returned, with the arithmetic, or how it failed.
        quoted: lines of the submission, or of its exceptions: data, never sentences of ours.
        right: what is right about it, where that narrows the search.
        cause: the likely cause, where one can be named.
        location: the line of the submission that it is about, where one can be named.
        reading: where to read on.
        same_as: the id of an earlier check that failed for the same cause; "" where none did.
    """

    asked: str
    found: str
    quoted: tuple[str, ...] = ()
    right: str = ""
    cause: Cause | None = None
    location: SourceLocation | None = None
    reading: str = ""
    same_as: str = ""


@dataclass(frozen=True)
class CheckResult:
    """The outcome of one check.

    Attributes:
        score: the whole maximum of a check that passed; of one that failed a part, where some groups of its
            cases passed.
        remark: what is said of a check that passed, was not judged, or earned a part of its points.
        feedback: why it failed.
        measured: what the check measured, where it judges by one number.
        visibility: when students see the check.
    """

    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_]+\.[A-Za-z0-9_]+$")]
    title: str
    status: Status
    score: Points
    max_score: Points
    remark: str = ""
    feedback: Feedback | None = None
    seconds: Seconds = 0.0
    measured: Measured | None = None
    visibility: Visibility = "visible"

    @property
    def cause(self) -> str:
        """The likely cause, or else what was found or remarked; "" of a check that passed."""
        if self.status == "passed":
            return ""
        if self.feedback is None:
            return self.remark.split("\n")[:2][
                -1
            ]  # of schemas 1 and 2: what was asked, what was found
        return self.feedback.cause.text if self.feedback.cause else self.feedback.found

    @property
    def cause_id(self) -> str:
        """The id of the likely cause; "" where none is named."""
        return self.feedback.cause.id if self.feedback and self.feedback.cause else ""


@dataclass(frozen=True)
class ModuleResult:
    """The checks of one module.

    Attributes:
        note: what holds for the module as a whole.
        bonus: whether its points come on top of the report's maximum.
        later: points of checks that are left out, since students see them later.
    """

    name: str
    checks: tuple[CheckResult, ...]
    note: str = ""
    bonus: bool = False
    later: Points = 0.0

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

    level: Annotated[str, Meta(pattern=r"^(A\+?|B|C|D|none)$")]
    detail: str

    @property
    def is_weak(self) -> bool:
        """Whether code that means harm could have forged the result."""
        return self.level == "D"


# Figures are structs of msgspec: a union in JSON needs the tag that tells its kinds apart.


class _OfCheck(Struct, frozen=True, kw_only=True):
    check: str = ""


class _Figure(_OfCheck, frozen=True, forbid_unknown_fields=True, tag=str.lower):
    """Something to look at, in the course's words. Nothing of it decides a point.

    The reference solutions' figure of the same title is drawn with it.

    Attributes:
        check: the id of the check that shows it; "" in reports before schema 6.
    """

    title: str
    caption: str


class Curve(_Figure, frozen=True):
    """A share in [0, 1] over steps, such as the accuracy during training."""

    points: tuple[tuple[Annotated[int, Meta(ge=0)], Share], ...]


class Images(_Figure, frozen=True):
    """Square images, each with its values row by row.

    Attributes:
        comparable: whether the reference's images of a run with the same seed are worth a look beside these.
    """

    images: tuple[tuple[float, ...], ...]
    comparable: bool = False


class Bars(_Figure, frozen=True):
    """Numbers by name, the submission's and the reference's, to be drawn on a logarithmic scale."""

    bars: Mapping[str, tuple[Annotated[float, Meta(ge=0)], Annotated[float, Meta(ge=0)]]]


Figure = Curve | Images | Bars


@dataclass(frozen=True)
class Report:
    """One submission, graded. Equal inputs and seeds give equal reports, but for the seconds.

    `faults` is empty unless the grader itself failed in some check: a sentence and a traceback for
    each. Such a check is not verified, and the run ends with exit code 3: it is no grade.

    Attributes:
        course: the title of the course.
        environment: what a result depends on beside its seed: versions, and the plan of the long checks.
        language: of all sentences, such as "en".
        causes: to which students likely causes are told; the report itself holds them.
    """

    course: str
    submission: str
    submission_digest: Digest
    suite_digest: Digest
    seed: Annotated[int, Meta(ge=0)]
    device: Literal["cpu", "cuda", "simulated"]
    isolation: Isolation
    seconds: Seconds
    environment: Mapping[str, str]
    modules: tuple[ModuleResult, ...]
    faults: tuple[tuple[str, str], ...] = ()
    figures: tuple[Figure, ...] = ()
    language: Annotated[str, Meta(pattern=f"^{NAME.pattern}$")] = ENGLISH
    causes: Causes = "all"

    @property
    def score(self) -> float:
        """The points earned."""
        return _total(module.score for module in self.modules)

    @property
    def max_score(self) -> float:
        """The points that could be earned, without bonus points."""
        return _total(module.max_score for module in self.modules if not module.bonus)

    @property
    def per_cent(self) -> float:
        """Score as a share of the maximum; 0 where nothing could be verified."""
        return 100 * self.score / self.max_score if self.max_score else 0.0

    @property
    def later(self) -> float:
        """The points of checks that are left out, since students see them later."""
        return _total(module.later for module in self.modules)

    @property
    def measured(self) -> tuple[Measured, ...]:
        """What the checks measured."""
        checks = (check for module in self.modules for check in module.checks)
        return tuple(check.measured for check in checks if check.measured)

    @property
    def curves(self) -> tuple[Curve, ...]:
        """The curves among the figures."""
        return tuple(figure for figure in self.figures if isinstance(figure, Curve))

    def told(self) -> "Report":
        """What people read: without likely causes where the student is of the half that is told none."""
        if tells_causes(self.causes, self.course, self.submission):
            return self
        return replace(self, modules=tuple(_without_causes(module) for module in self.modules))

    def visible(self) -> "Report":
        """What students may see at once: no word of a check that is not visible, nor its points."""
        told = self.told()
        checks = [check for module in told.modules for check in module.checks]
        hidden = {check.id for check in checks if check.visibility != "visible"}
        pairs = ((module, _visible(module, hidden)) for module in told.modules)
        return replace(
            told,
            modules=tuple(
                seen for module, seen in pairs if seen.checks or seen.later or not module.checks
            ),
            figures=tuple(
                figure
                for figure in told.figures
                if figure.check not in hidden and (figure.check or not hidden)
            ),
            faults=tuple(fault for fault in told.faults if not _names(fault[0], hidden)),
        )


def _names(text: str, checks: Collection[str]) -> bool:
    return any(re.search(rf"\b{re.escape(check)}\b", text) for check in checks)


def _visible(module: ModuleResult, hidden: Collection[str]) -> ModuleResult:
    def unless_hidden(text: str) -> str:
        return "" if _names(text, hidden) else text

    def of_others(check: CheckResult) -> CheckResult:
        feedback = check.feedback
        if feedback and feedback.same_as in hidden:
            feedback = replace(feedback, same_as="")
        return replace(check, remark=unless_hidden(check.remark), feedback=feedback)

    later = [check.max_score for check in module.checks if check.id in hidden]
    return replace(
        module,
        checks=tuple(of_others(check) for check in module.checks if check.id not in hidden),
        note=unless_hidden(module.note),
        later=_total([module.later, *later]),
    )


def _without_causes(module: ModuleResult) -> ModuleResult:
    checks = (
        replace(check, feedback=replace(check.feedback, cause=None)) if check.feedback else check
        for check in module.checks
    )
    return replace(module, checks=tuple(checks))


def _total(points: Iterable[float]) -> float:
    return round(sum(points), 6)


@dataclass(frozen=True)
class Failure:
    """A check that did not pass: its id, its title, the likely cause, and the id of that where it has one."""

    id: str
    title: str
    cause: str
    cause_id: str = ""


@dataclass(frozen=True)
class Attempt:
    """One hand-in of a student, graded: what a gradebook needs of its report.

    Attributes:
        id: of the grading.
        modules: points and maximum of each module, by name.
        failed: the checks that did not pass.
        judged: whether each check passed that was judged.
        measured: what checks measured, shares in [0, 1] by name.
        curves: those among the report's figures.
        handed_in_at: as ISO 8601, where it is known; late_days counts from when it was due.
        suite_digest: of the suite that graded it.
    """

    id: int
    digest: str
    score: float
    max_score: float
    modules: Mapping[str, tuple[float, float]]
    failed: tuple[Failure, ...]
    graded_at: str
    suite_digest: str
    seed: int
    measured: Mapping[str, float] = field(default_factory=dict)
    curves: tuple[Curve, ...] = ()
    handed_in_at: str = ""
    late_days: int | None = None
    judged: Mapping[str, bool] = field(default_factory=dict)

    @property
    def per_cent(self) -> float:
        """Score as a share of the maximum."""
        return 100 * self.score / self.max_score if self.max_score else 0.0


@dataclass(frozen=True)
class Standing:
    """One student of a class.

    Attributes:
        page: the name of the student's page below the class page; "" where there is none.
        attempts: in the order in which they were handed in.
        counts: the index of the attempt that counts.
        remark: what an instructor should know, such as why there is nothing to grade.
        twins: students who handed in the same, to the byte.
    """

    student: str
    page: str = ""
    attempts: tuple[Attempt, ...] = ()
    counts: int = -1
    remark: str = ""
    twins: tuple[str, ...] = ()

    @property
    def counted(self) -> Attempt | None:
        """The attempt that counts."""
        return self.attempts[self.counts] if self.attempts else None

    @property
    def best(self) -> Attempt | None:
        """The one with the largest share of its maximum, the first of equals."""
        return max(self.attempts, key=lambda attempt: attempt.per_cent, default=None)

    @property
    def last(self) -> Attempt | None:
        """The one handed in last."""
        return self.attempts[-1] if self.attempts else None


@dataclass(frozen=True)
class Tries:
    """What a student did about a check that had failed.

    Attributes:
        told: whether the student is told likely causes.
        count: of other texts of the module handed in since, up to the first that passed.
        solved: whether one passed.
    """

    student: str
    check: str
    told: bool
    count: int
    solved: bool


@dataclass(frozen=True)
class ClassReport:
    """A whole class, graded.

    Attributes:
        title: of the course.
        modules: names and points, in the order of the course.
        reference: what the reference solutions reached in the last run with a fit.
        tries: what became of each check that failed; None where all students are told likely causes.
    """

    title: str
    modules: Mapping[str, int]
    standings: tuple[Standing, ...]
    fit: str
    device: str
    suite_digest: str
    counts: Counts
    reference: Report | None = None
    tries: tuple[Tries, ...] | None = None

    @property
    def counted(self) -> list[tuple[Standing, Attempt]]:
        """Those who have a grade."""
        return [(s, s.counted) for s in self.standings if s.counted]

    @property
    def measured(self) -> tuple[str, ...]:
        """The names of what was measured in the attempts that count."""
        return tuple(dict.fromkeys(name for _, each in self.counted for name in each.measured))


@dataclass(frozen=True)
class Alike:
    """Two students' texts of one module that share more than the skeleton.

    Attributes:
        shares: of the left text what is found in the right, and of the right what is in the left, in [0, 1].
        texts: left and right.
        lines: first and last line of each run of either text that the other has as well, from 1.
    """

    module: str
    left: str
    right: str
    shares: tuple[float, float]
    texts: tuple[str, str]
    lines: tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]

    @property
    def share(self) -> float:
        """The larger of the two."""
        return max(self.shares)
