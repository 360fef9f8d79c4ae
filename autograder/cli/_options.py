"""Options that several commands take, and what is checked of them by hand."""

import importlib.util
import platform
import sys
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from autograder.course import OFF, Course, course_root, load_course, speak
from autograder.errors import UsageError
from autograder.gpu import Choice
from tower_student.language import tr
from tower_student.terminal import demand_choice

Level = Literal["A+", "A", "B", "C"]
"""Levels of isolation under which no submission can forge its result."""

CourseOption = Annotated[
    Path | None,
    typer.Option(
        "--course",
        help="The checkout with course.toml; otherwise $TOWER_COURSE, or where the kit is installed from.",
    ),
]
RequireOption = Annotated[
    Level,
    typer.Option(
        "--require-isolation",
        help="Refuse to run student code below this level. See tower doctor.",
    ),
]
fit_option = partial(
    typer.Option,
    help="How the long checks are run: off, or the name of a plan in course.toml.",
    metavar="PLAN",
)
FitOption = Annotated[str | None, fit_option(show_default="as course.toml says")]
SeedOption = Annotated[
    int | None, typer.Option(min=0, help="Repeat a run exactly.", show_default="a new one")
]
OnlyOption = Annotated[
    str | None,
    typer.Option(
        help="Grade these modules alone, their names joined by commas.",
        metavar="NAMES",
        show_default="all of them",
    ),
]
DeviceOption = Annotated[
    Choice,
    typer.Option(
        help="Where the GPU's checks and the long ones run; auto: on a GPU if there is one."
    ),
]
Reader = Literal["student", "instructor"]
ReaderOption = Annotated[
    Reader,
    typer.Option(
        "--for",
        help="Who reads the web page: it tells a student nothing of checks that are not visible yet.",
    ),
]
PointsOption = Annotated[
    float | None,
    typer.Option(
        min=0,
        help="What the autograder is worth on Gradescope.",
        show_default="the points of course.toml",
    ),
]


def the_course(given: Path | None) -> Course:
    """Return the course that `--course` names, and say everything in its language from here on.

    Raises CourseError.
    """
    course = load_course(course_root(given))
    speak(course)
    return course


def named_path(text: str) -> Path:
    """Return the path that the text names. Raises UsageError where it is empty."""
    if not text:  # Path("") is the working directory, which nobody has named
        raise UsageError(
            tr("PATH is empty. Name a directory or a .zip; the working directory is .")
        )
    return Path(text)


def chosen_modules(only: str | None, course: Course) -> list[str]:
    """Return the modules that `--only` names, none where it is not given. Raises UsageError."""
    if only is None:
        return []
    names = [name.strip() for name in only.split(",")]
    for name in names:
        demand_choice(name, course.modules, "--only")
    return names


def chosen_fit(fit: str | None, course: Course) -> str:
    """Return the plan that `--fit` names, by default the course's. Raises UsageError."""
    if fit is None:
        return course.fit
    demand_choice(fit, (OFF, *course.fits), "--fit")
    return fit


def demand_linux() -> None:
    """Raise UsageError unless this is Linux."""
    if not sys.platform.startswith("linux"):
        raise UsageError(
            tr(
                "Grading keeps student code apart by means of the Linux kernel, and this is {system}. Grade "
                "on Linux or in the kit's container. `tower check` and the public tests work here.",
                system=platform.system(),
            )
        )


def demand_installed(names: Collection[str], *, extra: str) -> None:
    """Raise UsageError unless the libraries of an extra are installed."""
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            tr(
                "{missing} must be installed for this: pip install 'tower-of-insight[{extra}]', or "
                "'.[{extra}]' in a checkout.",
                missing=tr(" and ").join(missing),
                extra=extra,
            )
        )
