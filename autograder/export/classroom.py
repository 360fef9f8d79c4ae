"""A class as pages for people (static HTML), and as tables for others' tools (CSV, Markdown).

Pages hold no script and ask for nothing from elsewhere; they work from a file, without a network.
"""

import csv
import io
import re
import statistics
from collections.abc import Iterator, Sequence

from autograder.export import charts
from autograder.export.html import templates
from autograder.report import ClassReport, Report, Standing

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would compute: a name that a student has chosen may."""


def class_page(report: ClassReport) -> str:
    """The page of the class, index.html."""
    shares = [attempt.per_cent for _, attempt in report.counted]
    curves = {standing.student: attempt.curve for standing, attempt in report.counted}
    insight = report.reference.insight if report.reference else None
    return (
        templates()
        .get_template("class.html.j2")
        .render(
            report=report,
            shares=shares,
            mean=statistics.fmean(shares) if shares else 0.0,
            median=statistics.median(shares) if shares else 0.0,
            bars=charts.score_histogram(shares),
            stumbles=charts.stumbles(report),
            curves=charts.learning_curves(curves, insight.curve if insight else ()),
            remarked=[standing for standing in report.standings if standing.remark],
            older=sum(a.suite_digest != report.suite_digest for _, a in report.counted),
            not_whole=report.reference is not None and report.reference.per_cent < 100,
            any_late=any(attempt.late_days is not None for _, attempt in report.counted),
            any_fit=any(attempt.accuracy is not None for _, attempt in report.counted),
        )
    )


def student_page(standing: Standing, report: Report, whole: ClassReport) -> str:
    """The page of one student, about the attempt that counts: the report, and what was seen of the Tower."""
    seen = report.insight
    reference = whole.reference.insight if whole.reference else None
    # Kernels grow from the run's own start, under its own transform: only then are they alike.
    same_run = whole.reference is not None and whole.reference.seed == report.seed
    curves = kernels = layers = reference_kernels = None
    if seen:
        theirs = reference.curve if reference else ()
        curves = (
            charts.learning_curves({standing.student: seen.curve}, theirs) if seen.curve else None
        )
        kernels = charts.kernels(seen.filters) if seen.filters else None
        layers = charts.gradient_flow(seen.gradient_flow)
        if reference and reference.filters and same_run:
            reference_kernels = charts.kernels(reference.filters)
    return (
        templates()
        .get_template("student.html.j2")
        .render(
            report=report,
            standing=standing,
            attempt=standing.counted,
            title=whole.title,
            curves=curves,
            kernels=kernels,
            reference_kernels=reference_kernels,
            layers=layers,
        )
    )


def _columns(report: ClassReport) -> Iterator[tuple[str, ...]]:
    """The gradebook as a table: a heading, then a row for each student."""
    yield (
        *("student", "score", "max_score", "per_cent", *report.modules, "attempts", "best", "last"),
        *("handed_in_at", "late_days", "accuracy", "submission_digest", "remark"),
    )
    for standing in report.standings:
        counted, best, last = standing.counted, standing.best, standing.last
        if counted is None or best is None or last is None:
            empty = [""] * (3 + len(report.modules))
            yield (standing.student, *empty, "0", *[""] * 6, standing.remark)
            continue
        modules = (
            f"{counted.modules[name][0]:g}" if name in counted.modules else ""
            for name in report.modules
        )
        yield (
            standing.student,
            f"{counted.score:g}",
            f"{counted.max_score:g}",
            f"{counted.per_cent:.1f}",
            *modules,
            str(len(standing.attempts)),
            f"{best.score:g}",
            f"{last.score:g}",
            counted.handed_in_at,
            "" if counted.late_days is None else str(counted.late_days),
            "" if counted.accuracy is None else f"{counted.accuracy:.4f}",
            counted.digest,
            standing.remark,
        )


def as_csv(report: ClassReport) -> str:
    """The gradebook for a spreadsheet or another system, a row for each student."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in _columns(report):
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row])
    return text.getvalue()


def as_markdown(report: ClassReport) -> str:
    """The gradebook as a table in Markdown."""
    heading, *rows = _columns(report)
    shown = [i for i, name in enumerate(heading) if name != "submission_digest"]
    lines = [f"# {report.title}", "", _line([heading[i] for i in shown])]
    lines.append(_line(["---", *["---:"] * (len(shown) - 2), "---"]))
    lines += [_line([row[i] for i in shown]) for row in rows]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    escaped = (re.sub(r"([\\`*_{}\[\]<>|#@])", r"\\\1", cell) for cell in cells)
    return f"| {' | '.join(escaped)} |"
