"""`tower similar`: submissions of a class that are alike."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from autograder.cli._options import CourseOption, demand_installed, the_course
from tower_student import terminal


def similar(
    results: Annotated[
        Path, typer.Argument(help="The folder that tower class wrote to.", metavar="RESULTS")
    ],
    threshold: Annotated[
        float,
        typer.Option(min=0, max=100, help="Show pairs that are alike by at least this percentage."),
    ] = 60.0,
    course: CourseOption = None,
) -> None:
    """Compare the submissions of a class with each other, what the skeletons hold left out.

    Writes RESULTS/similar/index.html, and a page with both texts side by side for each pair that is alike. It
    is a place to look, never a verdict. Needs the extra similar.
    """
    loaded = the_course(course)
    demand_installed(("copydetect",), extra="similar")
    from autograder.classroom.similar import compare_class

    with terminal.progress() as progress:
        compare_class(loaded, results, threshold / 100, progress, Console(highlight=False))
