"""`tower new`: the beginning of a course, or of a module."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from autograder.authoring import new_course, new_module
from autograder.course import FILE as COURSE
from autograder.errors import UsageError
from tower_student import terminal
from tower_student.language import tr

app = terminal.group("Begin a course, or a module of one.")


@app.command("course")
def begin_course(
    folder: Annotated[Path, typer.Argument(help="An empty folder, or a new one.", metavar="DIR")],
    title: Annotated[str, typer.Option(help="As its pages are to be titled.")] = "A new course",
) -> None:
    """Write the beginning of a course: course.toml and its folders."""
    _list_written(new_course(folder, title))
    then = tr("Next, in {folder}: {command}", folder=folder, command="tower new module NAME")
    Console(highlight=False).print(escape(then))


@app.command("module")
def begin_module(
    name: Annotated[
        str, typer.Argument(help="As its file is to be called, without .py.", metavar="NAME")
    ],
    points: Annotated[int, typer.Option(min=1, help="What the module is worth.")] = 10,
    needs: Annotated[
        str, typer.Option(help="Modules it builds on, their names joined by commas.")
    ] = "",
    course: Annotated[
        Path | None,
        typer.Option("--course", help="The folder of the course.", show_default="this one"),
    ] = None,
) -> None:
    """Write the beginning of a module, and its table in course.toml. It can be graded at once."""
    root = (course or Path()).resolve()
    if not (root / COURSE).is_file():
        raise UsageError(
            tr(
                "There is no {file} in {root}. Go to the folder of your course, or name it with --course.",
                file=COURSE,
                root=root,
            )
        )
    needed = [need.strip() for need in needs.split(",") if need.strip()]
    _list_written(new_module(root, name, points, needed))
    command = f"tower grade {root}/solutions --course {root} --only {name}"
    then = tr("Next: {command}", command=command)
    Console(highlight=False).print(escape(then), soft_wrap=True)


def _list_written(paths: list[Path]) -> None:
    for path in paths:
        print(tr("wrote {path}", path=terminal.printable(str(path))))
