"""What the commands that grade or show one submission share."""

import contextlib
import os
import secrets
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from rich.console import Console

from autograder.cli._options import Reader
from autograder.course import Course
from autograder.errors import GraderFault, TowerError
from autograder.export import console, html, json, junit
from autograder.gpu import Device
from autograder.report import Report
from tower_student import terminal
from tower_student.files import write_whole
from tower_student.language import tr
from tower_student.submission import Submission

Render = Callable[[Report], str]
Export = tuple[Path | None, Render]
FORMATS: dict[str, Render] = {".html": html.render, ".json": json.render, ".xml": junit.render}
"""What writes a report, by the suffix of the file: for a student the page, for the instructor the others."""
LANES = 3
"""Modules that are graded at the same time where there are several cores: more would wait for each other."""


def graded(
    course: Course,
    submission: Submission,
    required: str,
    *,
    seed: int | None,
    fit: str,
    device: Device = "cpu",
    only: Collection[str] = (),
) -> Report:
    """Grade with a broker of its own, showing progress."""
    from autograder.broker import Broker  # on Linux alone
    from autograder.pool import warm

    with (
        Broker(
            course.policy,
            [course.root],
            require=required,
            gpu=device == "cuda",
            imports=course.imports,
        ) as broker,
        terminal.progress() as progress,
    ):
        warm(broker)
        from autograder import grading  # imports torch, while the first workers start

        grading.prepare_process()
        return grading.grade(
            course,
            submission,
            broker,
            seed=secrets.randbelow(1 << 31) if seed is None else seed,
            fit=fit,
            device=device,
            only=only,
            # Several workers at once may not fit on a GPU.
            lanes=LANES if device != "cuda" and len(os.sched_getaffinity(0)) > 1 else 1,
            progress=progress,
        )


def formats(reader: Reader) -> dict[str, Render]:
    """Return FORMATS, with the page for this reader."""
    return FORMATS if reader == "student" else {**FORMATS, ".html": html.whole}


def demand_targets(exports: Iterable[Export]) -> None:
    """Raise UsageError unless every report that is asked for can be written."""
    for path, _ in exports:
        if path is not None:
            terminal.demand_writable(path)


def write(report: Report, exports: Iterable[Export]) -> None:
    """Write the report in each format for which there is a path."""
    for path, render in exports:
        if path is not None:
            write_whole(path, render(report))


def print_report(report: Report) -> None:
    """Print the report for people. Raises TowerError where it cannot be printed, as on a full disk."""
    try:
        # rich's answer to a reader that goes away, as head does
        with contextlib.suppress(SystemExit):
            console.show(report, Console(highlight=False))
    except OSError as error:
        raise TowerError(
            tr(
                "The report could not be printed: {reason}. Files that were asked for are written.",
                reason=error.strerror,
            )
        ) from None


def demand_no_faults(report: Report) -> None:
    """Raise GraderFault if a check could not be judged, with the tracebacks as its notes."""
    if not report.faults:
        return
    alike: dict[str, list[str]] = {}
    for sentence, _ in report.faults:
        check, _, why = sentence.partition(": ")
        alike.setdefault(why, []).append(check)
    texts = [f"{', '.join(checks)}: {why}" for why, checks in alike.items()]
    fault = GraderFault("\n".join([tr("These checks could not be judged:"), *texts]))
    for trace in dict.fromkeys(trace for _, trace in report.faults):
        fault.add_note(terminal.printable(trace))
    raise fault
