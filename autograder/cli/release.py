"""`tower release`: what students get."""

import contextlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from autograder.cli._options import CourseOption, the_course
from autograder.errors import UsageError
from autograder.release import refreshed, student_repository, unreleased, write
from tower_student.language import plural, tr


def release(
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write a whole student repository here: assignments, the tower command, a workflow.",
            show_default="the assignments alone, to assignments/ of the course",
        ),
    ] = None,
    course: CourseOption = None,
) -> None:
    """Generate skeletons from solutions/, and fill in what handouts say of course.toml.

    Nothing is written unless everything can be generated, and over no module that someone has worked on.
    """
    loaded = the_course(course)
    if out is None:
        target = loaded.root / "assignments"
        files: Mapping[PurePosixPath, str | bytes] = {**refreshed(loaded)}
    elif out.exists() and not out.is_dir():
        raise UsageError(tr("{out} is a file; name a folder for the student repository.", out=out))
    else:
        target, files = out, student_repository(loaded)
        _demand_untouched(out, files)
    written = write(files, target)
    console = Console(highlight=False)
    text = plural(
        "{count} file written to {folder}.",
        "{count} files written to {folder}.",
        len(written),
        folder=escape(str(target)),
    )
    console.print(text)
    for path in unreleased(loaded):
        text = tr("{path} is for no module of course.toml; students do not get it.", path=path)
        console.print(text)


def _demand_untouched(folder: Path, files: Mapping[PurePosixPath, str | bytes]) -> None:
    for path, text in files.items():
        if len(path.parts) == 1 and path.suffix == ".py" and isinstance(text, str):
            with contextlib.suppress(FileNotFoundError):
                if (folder / path).read_bytes() != text.encode():
                    raise UsageError(
                        tr(
                            "{path} is there already and is not the skeleton: someone has worked on it. "
                            "Name an empty folder.",
                            path=folder / path,
                        )
                    )
