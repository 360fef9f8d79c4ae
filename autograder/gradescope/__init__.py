"""Builds the zip that Gradescope takes for an autograder: this kit, a setup script and one that runs it."""

import io
import shlex
import zipfile
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path

import tower_student
from autograder.course import Course
from autograder.errors import CourseError
from autograder.export.gradescope import refused
from tower_student.language import mark, tr

KIT = "tower"
"""The folder of the zip that holds the kit, with the course in it."""
EXECUTABLE, ORDINARY = 0o100755, 0o100644
UNFINISHED = mark(
    "The grader was ended before it had a result, perhaps for want of memory or time. This says nothing "
    "about your work. Submit again; if it stays so, tell your instructor."
)


def build(course: Course, options: Sequence[str]) -> bytes:
    """The zip. The same course and options give the same bytes.

    Args:
        options: for `tower gradescope run`.

    Raises CourseError where the kit is not run from its checkout.
    """
    line = shlex.join(["gradescope", "run", *options])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:

        def add(name: str, content: bytes, mode: int = ORDINARY) -> None:
            entry = zipfile.ZipInfo(name)  # dated 1980: the date of a build is no part of it
            entry.external_attr = mode << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)

        add("setup.sh", _script("setup.sh"), EXECUTABLE)
        run = _script("run_autograder").replace(b"gradescope run", line.encode())
        add("run_autograder", run, EXECUTABLE)
        add("unfinished.json", refused(tr(UNFINISHED)).encode())
        for name, file in sorted(_kit(course)):
            add(f"{KIT}/{name}", file.read_bytes())
    return buffer.getvalue()


def _script(name: str) -> bytes:
    return resources.files(__package__).joinpath(name).read_bytes()


def _kit(course: Course) -> Iterator[tuple[str, Path]]:
    """What grading takes, by its name within the kit: no solutions, no tests of the kit, no bank."""
    package = Path(__file__).parents[1]
    for folder in (package, Path(tower_student.__file__).parent):
        for file in folder.rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                yield str(file.relative_to(folder.parent)), file
    for name in ("pyproject.toml", "constraints.txt"):
        file = package.parent / name
        if not file.is_file():
            raise CourseError(
                tr(
                    "{path} is not there. Build from a checkout of the kit (pip install -e .).",
                    path=file,
                )
            )
        yield name, file
    for file in (*course.judging_files(), *course.data_files()):
        yield str(file.relative_to(course.root)), file
