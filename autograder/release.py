"""solutions/ → assignments/: what a student receives is generated, never written.

Between `### BEGIN SOLUTION <task>` and `### END SOLUTION` stands what a student has to write. The skeleton
raises NotImplementedError with the task in its place. Handouts and public tests are copied.
"""

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from autograder.errors import CourseError
from autograder.files import write_whole

_BEGIN = re.compile(r"^(?P<indent>\s*)### BEGIN SOLUTION\b\s*(?P<task>.*?)\s*$")
_END = re.compile(r"^\s*### END SOLUTION\s*$")
_COPIED = ("conftest.py", "handouts/*.md", "tests/*.py")


def skeleton(source: str, name: str) -> str:
    """A solution's text with every marked block replaced by `raise NotImplementedError(task)`.

    Raises CourseError, with file and line, where a marker is nested, unclosed, unopened or without a
    task, and where there is none at all.
    """
    lines: list[str] = []
    opened: int | None = None
    blocks = 0
    for number, line in enumerate(source.splitlines(), 1):
        begin = _BEGIN.match(line)
        if begin:
            if opened is not None:
                raise CourseError(
                    f"{name}, line {number}: BEGIN SOLUTION inside the block of line {opened}."
                )
            if not begin["task"]:
                raise CourseError(f"{name}, line {number}: say after BEGIN SOLUTION what to write.")
            opened, blocks = number, blocks + 1
            lines.append(f"{begin['indent']}raise NotImplementedError({_quoted(begin['task'])})")
        elif _END.match(line):
            if opened is None:
                raise CourseError(f"{name}, line {number}: END SOLUTION without a BEGIN SOLUTION.")
            opened = None
        elif opened is None:
            if "BEGIN SOLUTION" in line or "END SOLUTION" in line:
                raise CourseError(f"{name}, line {number}: a marker stands on a line of its own.")
            lines.append(line)
    if opened is not None:
        raise CourseError(f"{name}, line {opened}: BEGIN SOLUTION without an END SOLUTION.")
    if not blocks:
        raise CourseError(f"{name} marks no solution: nothing would be left to write.")
    return "\n".join(lines) + "\n"


def generate(solutions: Path, modules: Iterable[str]) -> dict[PurePosixPath, str]:
    """Every file of assignments/ with its text. Raises CourseError."""
    files = {}
    for module in modules:
        source = solutions / f"{module}.py"
        if not source.is_file():
            raise CourseError(f"{source} does not exist, but course.toml names the module.")
        text = skeleton(source.read_text(encoding="utf-8"), source.name)
        files[PurePosixPath(source.name)] = text
    for pattern in _COPIED:
        for source in sorted(solutions.glob(pattern)):
            path = PurePosixPath(source.relative_to(solutions).as_posix())
            files[path] = source.read_text(encoding="utf-8")
    return files


def release(solutions: Path, target: Path, modules: Iterable[str]) -> list[PurePosixPath]:
    """Write assignments/; returns what was written. Nothing is written unless all can be generated.

    Raises CourseError, and TowerError where the target cannot be written.
    """
    files = generate(solutions, modules)
    for path, text in files.items():
        write_whole(target / path, text)
    return list(files)


def _quoted(task: str) -> str:
    return '"' + task.replace("\\", "\\\\").replace('"', '\\"') + '"'
