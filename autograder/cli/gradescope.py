"""`tower gradescope`: the autograder that is uploaded there, and what it runs."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from autograder.cli._grading import demand_no_faults, graded, print_report
from autograder.cli._options import (
    CourseOption,
    FitOption,
    PointsOption,
    RequireOption,
    SeedOption,
    chosen_fit,
    demand_linux,
    the_course,
)
from autograder.errors import UsageError
from autograder.export import gradescope as export
from autograder.gradescope import build
from autograder.isolation import WEAKEST_ACCEPTED
from tower_student import terminal
from tower_student.files import write_whole
from tower_student.language import tr
from tower_student.submission import NotRead, read_submission
from tower_student.text import one_line

app = terminal.group("Grade on Gradescope.")


@app.command("build")
def build_for_gradescope(
    out: Annotated[Path, typer.Option(help="The zip to write.")] = Path("gradescope.zip"),
    fit: FitOption = None,
    points: PointsOption = None,
    require: RequireOption = WEAKEST_ACCEPTED,
    course: CourseOption = None,
) -> None:
    """Write the zip to upload to Gradescope, under Configure Autograder."""
    loaded = the_course(course)
    options = [f"--fit={chosen_fit(fit, loaded)}", f"--require-isolation={require}"]
    terminal.demand_writable(out)
    options += [] if points is None else [f"--points={points:g}"]
    content = build(loaded, options)
    write_whole(out, content)
    Console(highlight=False).print(
        tr(
            "{path}: {size:.1f} MiB. Upload it under Configure Autograder, with Ubuntu as its base image and "
            "a container of at least 2 CPUs and 3 GB.",
            path=escape(str(out)),
            size=len(content) / 2**20,
        )
    )


@app.command("run")
def run_on_gradescope(
    home: Annotated[Path, typer.Option(help="Where Gradescope puts everything.")] = Path(
        "/autograder"
    ),
    fit: FitOption = None,
    seed: SeedOption = None,
    points: PointsOption = None,
    require: RequireOption = WEAKEST_ACCEPTED,
    course: CourseOption = None,
) -> None:
    """Grade submission/ and write results/results.json; run_autograder in the zip calls this.

    There is a result whatever happens. Exit codes are those of tower grade.
    """
    results = home / "results" / "results.json"
    try:
        demand_linux()
        loaded = the_course(course)
        mode = chosen_fit(fit, loaded)
        submission = read_submission(home / "submission", loaded.wanted())
        submission = replace(submission, name=_student(home) or submission.name)
        report = graded(loaded, submission, require, seed=seed, fit=mode)
    except UsageError as error:
        said = error.why if isinstance(error, NotRead) else str(error)  # a student reads it
        write_whole(results, export.refused(terminal.printable(said)))
        raise
    except Exception:
        write_whole(results, export.refused(tr(export.FAILED)))
        raise
    worth = loaded.points if points is None else points
    write_whole(results, export.render(report, worth))
    print_report(report)
    demand_no_faults(report)


def _student(home: Path) -> str:
    """Who handed it in, all of a group, as Gradescope says; "" where it does not."""
    try:
        content = json.loads((home / "submission_metadata.json").read_text(encoding="utf-8"))
        return one_line(", ".join(sorted(str(user["email"]) for user in content["users"])))
    except (OSError, ValueError, KeyError, TypeError):
        return ""
