"""`tower calibrate`: the thresholds of long checks."""

import os
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from autograder.cli._options import CourseOption, demand_installed, demand_linux, the_course
from tower_student import terminal
from tower_student.language import tr
from tower_student.terminal import demand_choice, demand_writable


def calibrate(
    fit: Annotated[
        str | None,
        typer.Option(metavar="PLAN", help="Measure this plan alone.", show_default="all of them"),
    ] = None,
    seeds: Annotated[int, typer.Option(min=3, help="Fits of the reference.")] = 20,
    broken_seeds: Annotated[int, typer.Option(min=0, help="Fits of each broken submission.")] = 3,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Fits at a time.", show_default="one for each core")
    ] = None,
    course: CourseOption = None,
) -> None:
    """Measure a long check: what the solutions reach over many seeds, and what broken submissions do.

    Writes calibration.json and calibration.svg beside course.toml, and says which thresholds follow.
    It may take hours. Needs the extra calibrate.
    """
    demand_linux()
    loaded = the_course(course)
    if fit is not None:
        demand_choice(fit, loaded.fits, "--fit")
    demand_installed(("matplotlib", "scipy"), extra="calibrate")
    from autograder import calibration  # on Linux alone

    path = loaded.root / calibration.FILE
    for output in (path, path.with_suffix(".svg")):
        demand_writable(output)
    console = Console(highlight=False)
    known = list(calibration.read(path))
    for mode in [fit] if fit else loaded.fits:
        with terminal.progress() as progress:
            found = calibration.measure(
                loaded,
                mode,
                seeds=seeds,
                broken_seeds=broken_seeds,
                processes=processes or os.cpu_count() or 1,
                progress=progress,
            )
        known.append(found)
        calibration.write(known, path)
        calibration.plot(list(calibration.read(path)), loaded, path.with_suffix(".svg"))
        calibration.show(found, loaded, console)
    console.print(
        tr(
            "{file} and {picture} were written to {folder}.",
            file=path.name,
            picture=path.with_suffix(".svg").name,
            folder=escape(str(path.parent)),
        )
    )
