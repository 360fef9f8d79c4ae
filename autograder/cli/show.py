"""`tower show`: a report that there is."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from autograder.cli._grading import demand_targets, formats, print_report, write
from autograder.cli._options import ReaderOption
from autograder.errors import UsageError
from autograder.export import github
from autograder.export import json as json_export
from autograder.report import Counts, Report, Standing
from tower_student.language import mark, plural, tr
from tower_student.terminal import did_you_mean
from tower_student.text import one_line, wrappable

SHOWN = 12
"""Students that an error lists."""
SEVERAL = mark("Several students are called {name}. There are: {students}.")
NOBODY = mark("No student is called {name}. There are: {students}.")


def show(
    path: Annotated[
        Path,
        typer.Argument(
            help="A report that tower grade --json wrote, or the name of a student of a class.",
            metavar="REPORT|NAME",
        ),
    ],
    results: Annotated[
        Path | None,
        typer.Option(
            "--in",
            help="The folder that tower class wrote to.",
            show_default="this folder, or results/ in it",
        ),
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Write it as JUnit XML.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write it as one web page.")] = None,
    reader: ReaderOption = "student",
    markdown: Annotated[
        Path | None,
        typer.Option(help="Write what the student may see as Markdown, for a comment on GitHub."),
    ] = None,
) -> None:
    """Show a report again, checked against its schema, or that of a student; write it in other formats."""
    renders = formats(reader)
    exports = [(junit, renders[".xml"]), (html, renders[".html"]), (markdown, github.comment)]
    demand_targets(exports)
    remarks: list[Text] = []
    if results or not path.is_file():
        report, remarks = _of_student(str(path), results)
    else:
        try:
            report = json_export.parse(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or error
            raise UsageError(
                tr("{path} is not a report that can be read: {reason}.", path=path, reason=reason)
            ) from None
    write(report, exports)
    for remark in remarks:
        Console(highlight=False).print(remark)
    print_report(report)


def _of_student(name: str, results: Path | None) -> tuple[Report, list[Text]]:
    """Return the report of the attempt of a student that counts, and what else the gradebook knows."""
    from autograder.classroom import standing_rows  # on Linux alone
    from autograder.classroom.gradebook import FILE, Gradebook

    folders = [results] if results else [Path(), Path("results")]
    found = next((folder for folder in folders if (folder / FILE).is_file()), None)
    if found is None:
        if results:
            text = tr("There is no {file} in {folder}.", file=FILE, folder=results)
        else:
            text = tr("There is no file {name}, and no {file} here.", name=name, file=FILE)
        what_to_do = tr(
            "Name a report of tower grade --json, or a student, with --in RESULTS for the folder that tower "
            "class wrote to."
        )
        raise UsageError(f"{text} {what_to_do}")
    with Gradebook(found, make=False) as gradebook:
        settings = gradebook.last_settings()
        counts = msgspec.convert(gradebook.choices().get("counts", "last"), Counts)
        rows = [] if settings is None else standing_rows(gradebook, settings, counts, {})
        standing = _meant(rows, name)
        if standing.counted is None:
            text = tr("{student} has no grade.", student=standing.student)
            raise UsageError(f"{text} {standing.remark}".strip())
        return gradebook.report(standing.counted.id), list(_remarks(standing))


def _remarks(standing: Standing) -> Iterator[Text]:
    twins = tr("The same was handed in by {students}.", students=", ".join(standing.twins))
    for sentence in filter(None, (standing.remark, twins if standing.twins else "")):
        yield Text(wrappable(sentence), "yellow")
    if len(standing.attempts) > 1:
        for number, attempt in enumerate(standing.attempts, 1):
            text = tr(
                "Attempt {number}: {score:g} of {max_score:g}",
                number=number,
                score=attempt.score,
                max_score=attempt.max_score,
            )
            if attempt.late_days:
                late = plural("{count} day late", "{count} days late", attempt.late_days)
                text = f"{text}, {late}"
            yield Text(text)


def _meant(rows: Sequence[Standing], name: str) -> Standing:
    folded = name.casefold()
    exact = [row for row in rows if row.student.casefold() == folded]
    near = exact or [row for row in rows if folded in row.student.casefold()]
    if len(near) == 1:
        return near[0]
    listed = ", ".join(row.student for row in (near or rows)[:SHOWN])
    template = SEVERAL if near else NOBODY
    nearest = did_you_mean(name, [row.student for row in rows]) if not near else ""
    raise UsageError(f"{tr(template, name=one_line(name), students=listed)}{nearest}")
