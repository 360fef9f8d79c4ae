"""A whole class: many submissions → a gradebook, and from it what people read.

intake      who handed in what
gradebook   what is known, in one SQLite file
run_class   grades what is not graded yet, here or on a cluster, and keeps each result as it comes
standings   what the gradebook says of each student
"""

import hashlib
import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from autograder.bank import Bank
from autograder.broker import Broker
from autograder.classroom.gradebook import (
    Gradebook,
    Grading,
    HandInKey,
    HandInRow,
    Run,
    Settings,
    Work,
)
from autograder.course import OFF, Course, suite_digest
from autograder.errors import GraderFault
from autograder.pool import KILLED
from autograder.report import (
    Attempt,
    ClassReport,
    Counts,
    Failure,
    Report,
    Standing,
    Tries,
    tells_causes,
)
from tower_student.language import tr
from tower_student.submission import Submission


@dataclass(frozen=True)
class Job:
    """One submission to grade."""

    submission: Submission
    settings: Settings
    seed: int


@dataclass(frozen=True)
class Lost:
    """A submission that could not be graded, and why: the grader's fault, whoever provoked it."""

    reason: str


Crew = Callable[[Iterable[Job]], Iterator[tuple[int, "Report | Lost"]]]
"""Grades jobs, in whatever order: yields the number of each with its report."""


def graded(course: Course, broker: Broker, job: Job) -> "Report | Lost":
    """Grade one submission; for a process of a pool. Raises IsolationError and CourseError alone."""
    from autograder.grading import grade

    settings = job.settings
    try:
        return grade(
            course,
            job.submission,
            broker,
            seed=job.seed,
            fit=settings.fit,
            device=settings.device,
            only=settings.only,
        )
    except GraderFault as error:
        return Lost(str(error))


def lost(job: Job) -> Lost:
    """What becomes of a job over which two processes have died."""
    return Lost(tr(KILLED))


@dataclass(frozen=True)
class Plan:
    """What a run has to do.

    Attributes:
        work: submissions to be graded, each for all who handed it in.
        copies: gradings that hold for another student as well.
        kept: how many hand-ins are graded already.
        stale: how many of these by another suite than today's.
    """

    work: tuple[Work, ...]
    copies: tuple[tuple[Grading, str], ...]
    kept: int
    stale: int


def plan(
    gradebook: Gradebook,
    settings: Settings,
    suite: str,
    *,
    regrade: bool,
    seed: int | None = None,
) -> Plan:
    """Find what is not graded yet with these settings.

    Args:
        suite: the digest of today's suite.
        regrade: whether what another suite has graded is to be graded again, or with another seed than `seed`
            if one is demanded.
    """
    newest: dict[HandInKey, Grading] = {}
    by_text: dict[tuple[str, str], Grading] = {}
    for grading in gradebook.gradings(settings):
        if grading.is_whole:
            newest[grading.key] = grading
            by_text[grading.digest, grading.problems] = grading

    def is_current(grading: Grading) -> bool:
        return grading.suite_digest == suite and (seed is None or grading.seed == seed)

    wanted: dict[tuple[str, str], list[str]] = {}
    copies, kept, stale = [], set(), 0
    for row in gradebook.hand_ins():
        text = row.digest, row.problems
        if row.key in kept or row.student in wanted.get(text, ()):
            continue
        mine, same = newest.get(row.key), by_text.get(text)
        if mine and (is_current(mine) or not regrade):
            stale += mine.suite_digest != suite
            kept.add(row.key)
        elif same and is_current(same):
            copies.append((same, row.student))
            kept.add(row.key)
        else:
            wanted.setdefault(text, []).append(row.student)
    work = tuple(Work(*text, tuple(students)) for text, students in wanted.items())
    return Plan(work, tuple(copies), len(kept) - len(copies), stale)


def run_class(
    gradebook: Gradebook,
    course: Course,
    plan: Plan,
    settings: Settings,
    run: Run,
    crew: Crew,
) -> Iterator[tuple[Work, "Report | Lost"]]:
    """Do what is planned; yields each submission as its result has been kept.

    With a fit the reference solutions are graded as well, where there are any, for the pictures.
    """
    for grading, student in plan.copies:
        gradebook.copy(grading, student)
    if not plan.work:
        return
    extra = []
    if not run.has_reference and _has_fit(course, settings):
        extra = [Job(_reference(course), settings, run.seed)]
    # Each submission is read when its turn comes, so that memory holds few of them.
    jobs = (Job(gradebook.submission(work), settings, run.seed) for work in plan.work)
    for number, result in crew(itertools.chain(extra, jobs)):
        if number < len(extra):
            if isinstance(result, Report):
                gradebook.set_reference(run, result)
            continue
        work = plan.work[number - len(extra)]
        if isinstance(result, Report):
            gradebook.add(work, settings, result)
        else:
            for student in work.students:
                remark = tr("It could not be graded: {reason}", reason=result.reason)
                gradebook.add_trouble(student, remark)
        yield work, result


def _has_fit(course: Course, settings: Settings) -> bool:
    """Whether there is a fit to compare, and solutions to compare with."""
    names = settings.only or tuple(course.modules)
    fitted = any(course.modules[name].long for name in names)
    return settings.fit != OFF and fitted and (course.root / "solutions").is_dir()


def _reference(course: Course) -> Submission:
    return Submission("the reference solutions", Bank(course.root).solutions(course.modules), {})


def standings(
    gradebook: Gradebook,
    course: Course,
    settings: Settings,
    counts: Counts,
    remarks: Mapping[str, str] = MappingProxyType({}),
) -> ClassReport:
    """Every student with all that was handed in and graded, by name.

    Args:
        counts: which attempt of a student counts.
        remarks: what is to be said of students besides.
    """
    rows = standing_rows(gradebook, settings, counts, remarks)
    return ClassReport(
        course.title,
        {name: module.points for name, module in course.modules.items()},
        tuple(rows),
        settings.fit,
        settings.device,
        suite_digest(course),
        counts,
        gradebook.reference(),
        tuple(_tries(gradebook, course, rows)) if course.causes == "half" else None,
    )


def _tries(gradebook: Gradebook, course: Course, rows: Iterable[Standing]) -> Iterator[Tries]:
    """What each student did about each check that had failed."""
    texts = gradebook.texts()
    for row in rows:
        told = tells_causes(course.causes, course.title, row.student)
        for module in course.modules.values():
            for check in (f"{module.name}.{name}" for name in module.weights):
                passed: dict[str, bool] = {}  # by text, in the order in which they were handed in
                for attempt in row.attempts:
                    if check in attempt.judged:
                        passed[texts[attempt.digest][module.name]] = attempt.judged[check]
                since = list(itertools.dropwhile(bool, passed.values()))
                if since:
                    solved = True in since
                    count = since.index(True) if solved else len(since) - 1
                    yield Tries(row.student, check, told, count, solved)


def standing_rows(
    gradebook: Gradebook, settings: Settings, counts: Counts, remarks: Mapping[str, str]
) -> list[Standing]:
    """The students alone, as above."""
    newest: dict[HandInKey, Grading] = {}
    for grading in gradebook.gradings(settings):
        if grading.is_whole or grading.key not in newest:
            newest[grading.key] = grading
    attempts: dict[str, list[Attempt]] = {}
    sharing: dict[tuple[str, str], set[str]] = {}
    for row in gradebook.hand_ins():
        sharing.setdefault(row.content, set()).add(row.student)
        attempts.setdefault(row.student, [])
        if found := newest.get(row.key):
            attempts[row.student].append(_attempt(found, gradebook.report(found.id), row))
    twins: dict[str, set[str]] = {}
    for group in sharing.values():
        for student in group:
            twins.setdefault(student, set()).update(group - {student})
    troubles = gradebook.troubles()
    return [
        Standing(
            student,
            page_name(student) if attempts.get(student) else "",
            tuple(attempts.get(student, ())),
            _counting(attempts.get(student, ()), counts),
            " ".join(filter(None, (remarks.get(student), troubles.get(student)))),
            tuple(sorted(twins.get(student, ()))),
        )
        for student in sorted({*attempts, *troubles}, key=lambda name: (name.casefold(), name))
    ]


def _attempt(grading: Grading, report: Report, row: HandInRow) -> Attempt:
    failed = [
        Failure(check.id, check.title, check.cause, check.cause_id)
        for module in report.modules
        for check in module.checks
        if check.status in ("failed", "not_submitted")
    ]
    return Attempt(
        grading.id,
        grading.digest,
        report.score,
        report.max_score,
        {module.name: (module.score, module.max_score) for module in report.modules},
        tuple(failed),
        grading.graded_at,
        grading.suite_digest,
        grading.seed,
        {measured.name: measured.value for measured in report.measured},
        report.curves,
        row.handed_in_at or "",
        row.late_days,
        {
            check.id: check.status == "passed"
            for module in report.modules
            for check in module.checks
            if check.status in ("passed", "failed")
        },
    )


def _counting(attempts: Sequence[Attempt], counts: Counts) -> int:
    if counts == "last" or not attempts:
        return -1
    return max(range(len(attempts)), key=lambda i: attempts[i].per_cent)


def page_name(student: str) -> str:
    """The file of a student's page: legible, the same on every system, and no two alike."""
    plain = unicodedata.normalize("NFKD", student).encode("ascii", "ignore").decode()
    short = re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-").lower()[:40] or "student"
    return f"{short}-{hashlib.sha256(student.encode()).hexdigest()[:8]}.html"


@dataclass(frozen=True)
class Change:
    """What another suite made of the same hand-in."""

    student: str
    before: float
    after: float
    why: tuple[str, ...]


def changes(gradebook: Gradebook, settings: Settings, suite: str) -> Iterator[Change]:
    """Whose points differ between the last suite but one that graded a hand-in and this one, and why."""
    history: dict[HandInKey, list[Grading]] = {}
    for grading in gradebook.gradings(settings):
        history.setdefault(grading.key, []).append(grading)
    for gradings in history.values():
        *earlier, now = gradings
        before = next((g for g in reversed(earlier) if g.suite_digest != suite), None)
        if before is None or now.suite_digest != suite:
            continue
        if (before.score, before.max_score) == (now.score, now.max_score):
            continue
        differences = _differences(gradebook.report(before.id), gradebook.report(now.id))
        yield Change(now.student, before.score, now.score, tuple(differences))


def _differences(before: Report, after: Report) -> Iterator[str]:
    old = {check.id: check for module in before.modules for check in module.checks}
    new = {check.id: check for module in after.modules for check in module.checks}
    for check in old | new:
        was, now = old.get(check), new.get(check)
        if was is None or now is None:
            yield tr("{check} is gone", check=check) if was else tr("{check} is new", check=check)
        elif was.status != now.status:
            cause = now.cause or was.cause
            yield f"{check}: {was.status} → {now.status}{f' ({cause})' if cause else ''}"
        elif was.score != now.score:
            yield tr(
                "{check} counts {now:g}, not {before:g}",
                check=check,
                now=now.max_score,
                before=was.max_score,
            )
