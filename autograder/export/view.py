"""What a report says of each check, in lines, for every export to render."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from autograder.report import CheckResult, Feedback, ModuleResult, Report
from tower_student.language import mark, tr
from tower_student.text import PREFIX

ASKED, FOUND, RIGHT = mark("Asked"), mark("Found"), mark("Right so far")
CAUSE, READING = mark("Likely cause"), mark("Read on")


class Line(NamedTuple):
    """One line of what is said of a check.

    Attributes:
        label: what kind of line it is, as FOUND; "" for a sentence that stands by itself.
        quoted: whether a submission wrote it. Wherever it is shown, every line that it is broken into has to
            be distinguishable from ours.
    """

    text: str
    label: str = ""
    quoted: bool = False

    def __str__(self) -> str:
        if self.quoted:
            return PREFIX + self.text
        return f"{tr(self.label)}: {self.text}" if self.label else self.text


class CheckLines(NamedTuple):
    """A check, and what is said of it where those before it have been read."""

    check: CheckResult
    lines: tuple[Line, ...]


def lines_by_module(report: Report) -> Iterator[tuple[ModuleResult, list[CheckLines]]]:
    """Yield each module with its checks. Failures with one root are described once, as is a module's note."""
    report = report.told()
    shown = {check.id: check for module in report.modules for check in module.checks}
    for module in report.modules:
        yield (
            module,
            [CheckLines(check, _lines(check, module.note, shown)) for check in module.checks],
        )


def lines(check: CheckResult) -> tuple[Line, ...]:
    """Return all that is said of a check, whatever has been read before."""
    return _lines(check, "", {})


def message(check: CheckResult) -> str:
    """Return all that is said of a check, as plain text: a submission's lines have a prefix."""
    return "\n".join(map(str, lines(check)))


def facts(report: Report) -> tuple[str, str, str]:
    """Return how it was graded: the seed, the plan of the long checks, and the isolation."""
    isolation = report.isolation
    return (
        tr("seed {seed}", seed=report.seed),
        tr("fit {plan}", plan=report.environment.get("fit", "off")),
        tr("isolation {level}: {detail}", level=isolation.level, detail=isolation.detail),
    )


def name(module: ModuleResult) -> str:
    """Return the name of a module, marked where its points are a bonus."""
    return tr("{module} (bonus)", module=module.name) if module.bonus else module.name


def has_score(part: Report | ModuleResult) -> bool:
    """Return whether there is a score to tell: not where all points are shown later."""
    return bool(part.max_score or not part.later)


def later(part: Report | ModuleResult) -> str:
    """Return how many points students see later, as a phrase; "" where they see all."""
    if not part.later:
        return ""
    if part.later == 1:
        return tr("1 point shown later")
    return tr("{points:g} points shown later", points=part.later)


def _lines(check: CheckResult, note: str, shown: Mapping[str, CheckResult]) -> tuple[Line, ...]:
    remark = map(Line, check.remark.split("\n")) if check.remark not in ("", note) else ()
    return (*remark, *(_of(check.feedback, shown) if check.feedback else ()))


def _of(feedback: Feedback, shown: Mapping[str, CheckResult]) -> Iterator[Line]:
    root = shown.get(feedback.same_as) if feedback.same_as else None
    if root and root.feedback:
        if feedback.found != root.feedback.found:
            yield from _question(feedback)
        yield Line(tr("The same cause as {check}.", check=root.id))
        return
    yield from _question(feedback)
    yield from (Line(line, quoted=True) for line in feedback.quoted)
    if feedback.right and (feedback.cause is None or feedback.cause.is_partial):
        yield Line(feedback.right, RIGHT)  # beside a cause of everything it would narrow nothing
    if feedback.cause:
        yield Line(feedback.cause.text, CAUSE)
    if feedback.reading:
        yield Line(feedback.reading, READING)


def _question(feedback: Feedback) -> Iterator[Line]:
    yield Line(feedback.asked, ASKED)
    yield Line(feedback.found, FOUND)
