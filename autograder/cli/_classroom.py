"""What `tower class` does, and shows."""

import contextlib
import fcntl
import statistics
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from autograder.classroom import (
    Change,
    Crew,
    Job,
    Lost,
    changes,
    graded,
    lost,
    plan,
    run_class,
    standings,
)
from autograder.classroom.gradebook import FILE, Gradebook, Settings, Work
from autograder.classroom.intake import hand_ins
from autograder.classroom.times import read_times
from autograder.course import Course, suite_digest
from autograder.errors import GraderFault, Stopped, UsageError
from autograder.export import classroom as export
from autograder.export.charts import score_histogram, stumbles
from autograder.pool import each
from autograder.report import Attempt, ClassReport, Counts, Report, Standing
from tower_student.files import write_whole
from tower_student.language import plural, tr
from tower_student.submission import Submission
from tower_student.text import wrappable

CHUNK = 100
"""Hand-ins that are noted in one transaction."""
INDEX, STUDENTS, REVIEW = "index.html", "students", "review"
STUMBLES, SHOWN = 5, 12
"""Lines of a list that are shown on a terminal; the pages hold all of them."""
TENTHS = 10
"""How often progress is printed where there is no terminal."""


def grade_class(
    course: Course,
    folder: Path,
    out: Path,
    settings: Settings,
    crew: Crew,
    *,
    seed: int | None,
    regrade: bool,
    choices: Mapping[str, str],
    times: Path | None,
    console: Console,
) -> None:
    """Grade what is not graded yet, write everything that people read, and say what there is.

    Args:
        choices: "fit", "counts" and "due", which is "" where nobody has said; the gradebook keeps them.

    Raises UsageError, Stopped after Ctrl-C, GraderFault where something could not be graded, and the other
    TowerErrors.
    """
    with opened(out, folder) as gradebook:
        try:
            remarks = _take_in(gradebook, folder, course, out)
            if times:
                _take_times(gradebook, times, choices["due"], console)
            _say_changes(gradebook.choices(), choices, console)
            gradebook.choose(choices)
            suite = suite_digest(course)
            todo = plan(gradebook, settings, suite, regrade=regrade, seed=seed)
            failed = 0
            if todo.work or todo.copies:
                run = gradebook.begin(suite, settings, seed)
                results = run_class(gradebook, course, todo, settings, run, crew)
                failed = _follow(results, len(todo.work))
            gradebook.end()
            counts = msgspec.convert(choices["counts"], Counts)
            report = standings(gradebook, course, settings, counts, remarks)
            write_pages(gradebook, report, out)
        except KeyboardInterrupt:
            raise Stopped(
                tr(
                    "What has been graded is kept in {path}. Run the same command again to go on.",
                    path=gradebook.path,
                )
            ) from None
        show_class(report, out, console)
        if regrade:
            show_changes(list(changes(gradebook, settings, suite)), console)
        elif todo.stale:
            console.print(
                plural(
                    "{count} of the grades is by another suite than today's; --regrade grades it again.",
                    "{count} of the grades are by another suite than today's; --regrade grades these again.",
                    todo.stale,
                )
            )
    if failed:
        raise GraderFault(
            plural(
                "{count} of {total} submissions could not be judged, or not in full; the class page names "
                "it. Run the same command again to try it again.",
                "{count} of {total} submissions could not be judged, or not in full; the class page names "
                "them. Run the same command again to try these again.",
                failed,
                total=len(todo.work),
            )
        )


def choices_in(out: Path) -> dict[str, str]:
    """What a gradebook remembers of the last run, see grade_class; nothing where there is none."""
    if not (out / FILE).is_file():
        return {}
    with Gradebook(out, make=False) as gradebook:
        last = gradebook.last_settings()
        return ({"fit": last.fit} if last else {}) | gradebook.choices()


def _say_changes(before: Mapping[str, str], now: Mapping[str, str], console: Console) -> None:
    """Say what this run chooses otherwise than the one before, before it changes a grade."""
    for option, value in now.items():
        if before.get(option, value) != value:
            text = tr(
                "--{option} is {now} from here on; it was {before}.",
                option=option,
                now=value,
                before=before[option] or tr("not given"),
            )
            console.print(_line(text, "yellow"))


def _take_times(gradebook: Gradebook, times: Path, due: str, console: Console) -> None:
    """Note when things were handed in, and say whose time cannot be placed."""
    read, unknown = read_times(times, due, {row.student for row in gradebook.hand_ins()})
    gradebook.set_times({name: (t.at, t.late_days) for name, t in read.items()})
    if unknown:
        listed = ", ".join(unknown[:SHOWN]) + (" …" if len(unknown) > SHOWN else "")
        text = tr(
            "{file} names students who are not in the class: {names}.", file=times, names=listed
        )
        console.print(_line(text, "yellow"))


def local_crew(course: Course, settings: Settings, required: str, processes: int) -> Crew:
    """Graders in so many processes of this machine."""
    return partial(_here, course, settings, required, processes)


def _here(
    course: Course, settings: Settings, required: str, processes: int, jobs: Iterable[Job]
) -> Iterator[tuple[int, Report | Lost]]:
    gpu = settings.device == "cuda"
    return each(graded, course, jobs, processes, require=required, gpu=gpu, on_death=lost)


@contextlib.contextmanager
def opened(out: Path, folder: Path) -> Iterator[Gradebook]:
    """The gradebook in a folder, made where there is none, for one command at a time. Raises UsageError."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        if folder.exists() and out.samefile(folder):
            raise UsageError(
                tr(
                    "--out is {out}, where the submissions are; name another folder for the results.",
                    out=out,
                )
            )
        lock = (out / ".lock").open("w")
    except OSError as error:
        raise UsageError(
            tr("{out} cannot be written to: {reason}.", out=out, reason=error.strerror)
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                tr(
                    "Another tower class is writing to {out}. Wait for it, or name another folder with "
                    "--out.",
                    out=out,
                )
            ) from None
        with Gradebook(out, make=True) as gradebook:
            yield gradebook


def _take_in(gradebook: Gradebook, folder: Path, course: Course, out: Path) -> dict[str, str]:
    """Note everything that was handed in; returns remarks by student."""
    remarks, troubles = {}, {}
    waiting: list[Submission] = []
    for item in hand_ins(folder, course.wanted(), leave=out):
        if item.remark:
            remarks[item.student] = item.remark
        if item.submission is None:
            troubles[item.student] = item.problem
        else:
            waiting.append(item.submission)
        if len(waiting) == CHUNK:
            gradebook.hand_in(waiting)
            waiting = []
    gradebook.hand_in(waiting)
    gradebook.set_troubles(troubles)
    return remarks


def _follow(results: Iterator[tuple[Work, Report | Lost]], total: int) -> int:
    """Go through the results, showing progress; returns how many could not be judged in full."""
    console = Console(file=sys.stderr)
    columns = (
        TextColumn(tr("grading")),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[failures]}"),
    )
    failed, started = 0, time.monotonic()
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=total, rate="", failures="")
        for number, (_, result) in enumerate(results, 1):
            failed += isinstance(result, Lost) or bool(result.faults)
            rate = tr("{rate:.0f} a minute", rate=60 * number / (time.monotonic() - started))
            text = plural("{count} not judged", "{count} not judged", failed) if failed else ""
            bar.update(task, completed=number, rate=rate, failures=text)
            if (
                not console.is_terminal
                and number * TENTHS // total > (number - 1) * TENTHS // total
            ):
                text = tr(
                    "graded {number} of {total}, {rate}", number=number, total=total, rate=rate
                )
                print(text, file=sys.stderr, flush=True)
    return failed


# What people read


def write_pages(gradebook: Gradebook, report: ClassReport, out: Path) -> None:
    """Write the class page, two pages for each student, and the gradebook as CSV and Markdown."""
    graded = [standing for standing in report.standings if standing.counted]
    pages = {standing.page for standing in graded}
    for name in (STUDENTS, REVIEW):
        (out / name).mkdir(exist_ok=True)
        for path in set((out / name).glob("*-????????.html")):
            if path.name not in pages:
                path.unlink()  # of an earlier run: of whom there is no grade any more
    for standing in graded:
        assert standing.counted
        own = gradebook.report(standing.counted.id)
        write_whole(out / REVIEW / standing.page, export.review_page(standing, own, report))
        seen = replace(standing, attempts=tuple(_seen(gradebook, standing, own)))
        write_whole(out / STUDENTS / standing.page, export.student_page(seen, own, report))
    write_whole(out / "gradebook.csv", export.as_csv(report))
    write_whole(out / "gradebook.md", export.as_markdown(report))
    if report.tries is not None:
        write_whole(out / "feedback.html", export.feedback_page(report))
    write_whole(out / INDEX, export.class_page(report))


def _seen(gradebook: Gradebook, standing: Standing, counted: Report) -> Iterator[Attempt]:
    """The attempts of a student with the points of visible checks; the one that counts has this report."""
    for attempt in standing.attempts:
        report = counted if attempt is standing.counted else gradebook.report(attempt.id)
        seen = report.visible()
        yield replace(attempt, score=seen.score, max_score=seen.max_score)


def show_class(report: ClassReport, out: Path, console: Console) -> None:
    """The class in a few lines: how many are graded, how they stand, what needs a look."""
    shares = [attempt.per_cent for _, attempt in report.counted]
    text = plural(
        "{count} of {total} graded.",
        "{count} of {total} graded.",
        len(shares),
        total=len(report.standings),
    )
    console.print(text, end=" ")
    if shares:
        console.print(
            tr(
                "Median {median:.1f} %, lowest {lowest:.1f} %, highest {highest:.1f} %.",
                median=statistics.median(shares),
                lowest=min(shares),
                highest=max(shares),
            )
        )
        _show_scores(shares, console)
        _show_stumbles(report, console)
    remarked = [standing for standing in report.standings if standing.remark]
    for standing in remarked[:SHOWN]:
        console.print(_line(f"{standing.student}: {standing.remark}", "yellow"))
    if len(remarked) > SHOWN:
        more = len(remarked) - SHOWN
        console.print(plural("… and {count} more.", "… and {count} more.", more))
    text = tr(
        "{page} shows the class, {file} the grades.", page=out / INDEX, file=out / "gradebook.csv"
    )
    console.print(_line(text))


def _show_scores(shares: list[float], console: Console) -> None:
    counts = [bar.count for bar in score_histogram(shares)]
    for tenth, count in reversed(list(enumerate(counts))):
        if count:
            bar = "█" * max(1, round(40 * count / max(counts)))
            console.print(Text(f"{10 * tenth:3} % {bar} {count}"))


def _show_stumbles(report: ClassReport, console: Console) -> None:
    table = Table(title=tr("failed most"), title_justify="left", box=None, show_header=False)
    for stumble in stumbles(report)[:STUMBLES]:
        table.add_row(str(stumble.count), stumble.id, Text(wrappable(stumble.title)))
    if table.row_count:
        console.print(table)


def show_changes(found: list[Change], console: Console) -> None:
    """Who has other points than under the suite before, and why."""
    if not found:
        console.print(tr("Nobody's points have changed."))
        return
    title = plural(
        "{count} has other points than before",
        "{count} have other points than before",
        len(found),
    )
    table = Table(title=title, title_justify="left")
    table.add_column(tr("student"))
    for heading in (tr("before"), tr("now")):
        table.add_column(heading, justify="right")
    table.add_column(tr("why"))
    for change in found:
        why = "\n".join(change.why)
        table.add_row(
            Text(change.student), f"{change.before:g}", f"{change.after:g}", Text(wrappable(why))
        )
    console.print(table)


def _line(text: str, style: str = "") -> Text:
    return Text(wrappable(text), style)
