"""`tower class`: many submissions."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from autograder.cli._options import (
    CourseOption,
    DeviceOption,
    OnlyOption,
    RequireOption,
    SeedOption,
    chosen_fit,
    chosen_modules,
    demand_installed,
    demand_linux,
    fit_option,
    named_path,
    the_course,
)
from autograder.course import OFF
from autograder.gpu import Device, choose
from autograder.isolation import WEAKEST_ACCEPTED
from autograder.report import Counts


def grade_a_class(
    path: Annotated[
        Path,
        typer.Argument(
            help="A directory with a folder, a .zip or a set of modules for each student.",
            parser=named_path,
            metavar="SUBMISSIONS",
        ),
    ],
    out: Annotated[
        Path, typer.Option(help="The folder of the gradebook and of all pages.", metavar="RESULTS")
    ],
    only: OnlyOption = None,
    fit: Annotated[str | None, fit_option(show_default="as before, or as course.toml says")] = None,
    seed: SeedOption = None,
    device: DeviceOption = "cpu",
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="Graders at a time.", show_default="one for each core"),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            help="Grade on the workers of this Dask scheduler, as in tcp://HOST:8786; needs the extra "
            "cluster.",
            metavar="ADDRESS",
        ),
    ] = None,
    regrade: Annotated[
        bool,
        typer.Option(
            "--regrade",
            help="Grade again what another suite has graded, and say whose points changed and why.",
        ),
    ] = False,
    counts: Annotated[
        Counts | None,
        typer.Option(
            help="Which attempt of a student counts.", show_default="as before, or the last"
        ),
    ] = None,
    times: Annotated[
        Path | None,
        typer.Option(help="A CSV file with the columns student and time; with --due, days late."),
    ] = None,
    due: Annotated[
        str | None,
        typer.Option(
            help="When it was due, as in 2026-11-27T23:59+01:00.", show_default="as before"
        ),
    ] = None,
    require: RequireOption = WEAKEST_ACCEPTED,
    course: CourseOption = None,
) -> None:
    """Grade a whole class, and go on where an earlier run stopped.

    What is graded is kept in RESULTS/gradebook.sqlite as it comes; a submission is graded once, and again
    when it changes. RESULTS remembers --fit, --counts and --due. A Moodle, Canvas or GitHub Classroom export
    is known by its names. Writes RESULTS/index.html, in review/ a page of each student, in students/ the one
    to send, and gradebook.csv and .md.

    Exit codes: 0 graded; 2 wrong usage; 3 something could not be judged; 130 stopped by Ctrl-C.
    """
    demand_linux()
    loaded = the_course(course)
    chosen = tuple(chosen_modules(only, loaded))
    from autograder.classroom.gradebook import Settings  # on Linux alone
    from autograder.cli import _classroom

    # On a cluster it is the workers that have a GPU or not.
    chosen_device: Device = "cuda" if cluster and device == "cuda" else choose(device)
    before = _classroom.choices_in(out)
    if before.get("fit") in (OFF, *loaded.fits):
        fit = fit or before["fit"]
    settings = Settings(chosen_fit(fit, loaded), chosen_device, chosen)
    choices = {
        "fit": settings.fit,
        "counts": counts or before.get("counts", "last"),
        "due": due or before.get("due", ""),
    }
    if cluster:
        demand_installed(("distributed",), extra="cluster")
        from autograder.classroom.cluster import cluster_crew

        crew = cluster_crew(loaded, settings, require, cluster)
    else:
        cores = len(os.sched_getaffinity(0))
        crew = _classroom.local_crew(loaded, settings, require, processes or cores)
    _classroom.grade_class(
        loaded,
        path,
        out,
        settings,
        crew,
        seed=seed,
        regrade=regrade,
        choices=choices,
        times=times,
        console=Console(highlight=False),
    )
