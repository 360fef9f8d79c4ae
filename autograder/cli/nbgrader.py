"""`tower nbgrader`: a course for nbgrader."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from autograder.cli._options import (
    CourseOption,
    FitOption,
    RequireOption,
    chosen_fit,
    demand_installed,
    the_course,
)
from autograder.errors import UsageError
from autograder.isolation import WEAKEST_ACCEPTED
from autograder.release import write
from tower_student import terminal
from tower_student.language import plural, tr

app = terminal.group("Grade notebooks with nbgrader.")


@app.command("build")
def build_course(
    out: Annotated[Path, typer.Argument(help="The folder of the course.", metavar="COURSE")],
    fit: FitOption = None,
    require: RequireOption = WEAKEST_ACCEPTED,
    course: CourseOption = None,
) -> None:
    """Write a course for nbgrader: a notebook for each module, and the configuration that grades it here.

    In that folder nbgrader's own commands then hand out, grade and report. Needs the extra nbgrader.
    """
    loaded = the_course(course)
    mode = chosen_fit(fit, loaded)
    demand_installed(("nbgrader", "jupytext"), extra="nbgrader")
    if out.exists() and not out.is_dir():
        raise UsageError(tr("{out} is a file; name a folder for the course.", out=out))
    from autograder.nbgrader import build

    written = write(build(loaded, fit=mode, level=require), out)
    text = plural(
        "{count} file written to {folder}. There, as in every course of nbgrader:",
        "{count} files written to {folder}. There, as in every course of nbgrader:",
        len(written),
        folder=escape(str(out)),
    )
    what = tr("what lies in {folder}", folder=f"submitted/STUDENT/{loaded.slug}/")
    Console(highlight=False).print(
        f"{text}\n"
        f"  nbgrader generate_assignment {loaded.slug}\n"
        f"  nbgrader autograde {loaded.slug}        {what}\n"
        f"  nbgrader generate_feedback {loaded.slug}\n"
        "  nbgrader export --to grades.csv",
        soft_wrap=True,
    )
