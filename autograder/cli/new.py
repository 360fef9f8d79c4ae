"""`tower new`: the beginning of a course, or of a module."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from autograder.authoring import new_course, new_module
from autograder.course import FILE as COURSE
from autograder.course import load_course
from autograder.errors import UsageError
from tower_student import terminal
from tower_student.language import NAME, plural, tr

app = terminal.group("Begin a course, or a module or a language of one.")
FolderOption = Annotated[
    Path | None,
    typer.Option("--course", help="The folder of the course.", show_default="this one"),
]


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
    course: FolderOption = None,
) -> None:
    """Write the beginning of a module, and its table in course.toml. It can be graded at once."""
    root = _root(course)
    needed = [need.strip() for need in needs.split(",") if need.strip()]
    _list_written(new_module(root, name, points, needed))
    command = f"tower grade {root}/solutions --course {root} --only {name}"
    then = tr("Next: {command}", command=command)
    Console(highlight=False).print(escape(then), soft_wrap=True)


@app.command("language")
def begin_language(
    name: Annotated[
        str, typer.Argument(help="Such as ru or pt_BR, by ISO 639 and 3166.", metavar="LANGUAGE")
    ],
    course: FolderOption = None,
) -> None:
    """Write the catalogues of a language, to be filled in, or bring them up to date.

    They are gettext's LANGUAGE.po: what students receive in assignments/tests/locale, the rest in
    tests/hidden/locale. What is translated stays; what is not appears in English.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            tr("{name!r} is no name of a language: expected one such as ru or pt_BR.", name=name)
        )
    root = _root(course)
    from autograder.translations import update  # and with it pytest and Babel

    for path, missing in update(load_course(root), name).items():
        print(
            plural(
                "wrote {path}, in which {count} sentence is not translated",
                "wrote {path}, in which {count} sentences are not translated",
                missing,
                path=terminal.printable(str(path)),
            )
        )
    line = f'language = "{name}"'
    print(tr("Then, in {file}: {line}", file=terminal.printable(str(root / COURSE)), line=line))


def _root(course: Path | None) -> Path:
    """The folder of the course that is named, or this one. Raises UsageError."""
    root = (course or Path()).resolve()
    if not (root / COURSE).is_file():
        raise UsageError(
            tr(
                "There is no {file} in {root}. Go to the folder of your course, or name it with --course.",
                file=COURSE,
                root=root,
            )
        )
    return root


def _list_written(paths: list[Path]) -> None:
    for path in paths:
        print(tr("wrote {path}", path=terminal.printable(str(path))))
