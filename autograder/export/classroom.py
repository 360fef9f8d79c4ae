"""A class as pages for people (static HTML), and as tables for others' tools (CSV, Markdown).

Pages hold no script and ask for nothing from elsewhere; they work from a file, without a network.
"""

import csv
import io
import itertools
import re
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import replace

from autograder.export import charts
from autograder.export.html import templates
from autograder.report import Bars, ClassReport, Curve, Figure, Images, Report, Standing
from tower_student.language import tr

_FORMULA = re.compile(r"(?:^|(?<=[;\t\r\n|]))(?=\s*[=+\-@＝＋－＠]|[\t\r])")
"""Where a cell begins that a spreadsheet would compute, also one that cells end for at other characters than
commas: a name that a student has chosen may hold it."""


def class_page(report: ClassReport) -> str:
    """The page of the class, index.html."""
    shares = [attempt.per_cent for _, attempt in report.counted]
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
            overlays=list(_overlays(report)),
            remarked=[standing for standing in report.standings if standing.remark],
            older=sum(a.suite_digest != report.suite_digest for _, a in report.counted),
            not_whole=report.reference is not None and report.reference.per_cent < 100,
            any_late=any(attempt.late_days is not None for _, attempt in report.counted),
        )
    )


def feedback_page(report: ClassReport) -> str:
    """The page on what likely causes help, feedback.html: tries of both halves."""
    tries = report.tries or ()
    halves = [[each for each in tries if each.told is told] for told in (True, False)]
    told, untold = map(charts.solved, halves)
    points = [[(0, 0.0), *((each.number, each.share) for each in half)] for half in (told, untold)]
    by_check = {
        check: [[each for each in half if each.check == check] for half in halves]
        for check in dict.fromkeys(each.check for each in tries)
    }
    return (
        templates()
        .get_template("feedback.html.j2")
        .render(
            title=report.title,
            students=[len({each.student for each in half}) for half in halves],
            plot=charts.curves({tr("told"): points[0]}, points[1]) if told or untold else None,
            rows=list(itertools.zip_longest(told, untold)),
            by_check=by_check,
        )
    )


def _overlays(report: ClassReport) -> Iterator[tuple[Curve, charts.Curves]]:
    """The curves of each title in one picture: the students', and the reference's."""
    reference = (
        {curve.title: curve for curve in report.reference.curves} if report.reference else {}
    )
    by_title: dict[str, dict[str, Curve]] = {title: {} for title in reference}
    for standing, attempt in report.counted:
        for curve in attempt.curves:
            by_title.setdefault(curve.title, {})[standing.student] = curve
    for title, curves in by_title.items():
        theirs = reference.get(title)
        named = {student: curve.points for student, curve in curves.items()}
        if plot := charts.curves(named, theirs.points if theirs else ()):
            yield theirs or next(iter(curves.values())), plot


def student_page(standing: Standing, report: Report, whole: ClassReport) -> str:
    """What students may see of their own: of the report of the attempt that counts, and of all attempts.

    Nothing of other students is in it, nor what is remarked for the instructor.

    Args:
        standing: with the points of visible checks in its attempts.
    """
    own = replace(standing, remark="", twins=())
    return _student_page(own, report.visible(), whole, link="")


def review_page(standing: Standing, report: Report, whole: ClassReport) -> str:
    """The instructor's page of one student: all of the report, and what the class page links to."""
    return _student_page(standing, report, whole, link="../index.html")


def _student_page(standing: Standing, report: Report, whole: ClassReport, link: str) -> str:
    return (
        templates()
        .get_template("student.html.j2")
        .render(
            report=report,
            standing=standing,
            attempt=standing.counted,
            title=whole.title,
            link=link,
            figures=list(_plots(standing.student, report, whole.reference)),
        )
    )


_Plot = charts.Curves | charts.Tiles | charts.Rows


def _plots(
    student: str, report: Report, reference: Report | None
) -> Iterator[tuple[str, Figure, _Plot, charts.Tiles | None]]:
    """Each figure with its kind, its plot, and where there is one the reference's to stand beside it."""
    references = {figure.title: figure for figure in reference.figures} if reference else {}
    same_seed = reference is not None and reference.seed == report.seed
    for figure in report.figures:
        theirs = references.get(figure.title)
        if isinstance(figure, Curve):
            line = theirs.points if isinstance(theirs, Curve) else ()
            if curves := charts.curves({student: figure.points}, line):
                yield "curve", figure, curves, None
        elif isinstance(figure, Bars):
            if rows := charts.rows(figure.bars):
                yield "bars", figure, rows, None
        elif figure.images:
            beside = None
            if isinstance(theirs, Images) and figure.comparable and same_seed:
                beside = charts.tiles(theirs.images)
            yield "images", figure, charts.tiles(figure.images), beside


def _columns(report: ClassReport) -> Iterator[tuple[str, ...]]:
    """The gradebook as a table: a heading, then a row for each student."""
    yield (
        *("student", "score", "max_score", "per_cent", *report.modules, "attempts", "best", "last"),
        *("handed_in_at", "late_days", *report.measured, "submission_digest", "remark"),
    )
    for standing in report.standings:
        counted, best, last = standing.counted, standing.best, standing.last
        if counted is None or best is None or last is None:
            empty = [""] * (3 + len(report.modules))
            rest = [""] * (5 + len(report.measured))
            yield (standing.student, *empty, "0", *rest, standing.remark)
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
            *(
                f"{counted.measured[name]:.4f}" if name in counted.measured else ""
                for name in report.measured
            ),
            counted.digest,
            standing.remark,
        )


def as_csv(report: ClassReport) -> str:
    """The gradebook for a spreadsheet or another system, a row for each student."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in _columns(report):
        writer.writerow([_FORMULA.sub("'", cell) for cell in row])
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
