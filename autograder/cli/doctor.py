"""`tower doctor`: what this machine gives."""

import typer
from rich.console import Console

from autograder.cli._options import CourseOption, RequireOption, demand_linux, the_course
from autograder.errors import GraderFault
from autograder.isolation import LEVELS, WEAKEST_ACCEPTED
from tower_student.language import tr


def doctor(
    require: RequireOption = WEAKEST_ACCEPTED,
    course: CourseOption = None,
) -> None:
    """Show what this machine gives to keep student code apart, the grader's self-test, and what to do.

    Exit codes: 0 this machine can grade; 1 it keeps student code less apart than --require-isolation; 3 the
    grader does not pass its self-test here.
    """
    demand_linux()
    loaded = the_course(course)
    from autograder.doctor import examine, show  # on Linux alone

    trying = tr("Starting a worker and trying to break out of it")
    with Console(stderr=True).status(trying):
        diagnosis = examine(loaded)
    show(diagnosis, Console(highlight=False))
    if not diagnosis.is_sound:
        raise typer.Exit(GraderFault.exit_code)
    if LEVELS.index(diagnosis.level) > LEVELS.index(require):
        raise typer.Exit(1)
