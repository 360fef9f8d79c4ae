"""solutions/ → skeletons in assignments/ → a student's repository.

Between `### BEGIN SOLUTION <task>` and `### END SOLUTION` stands what a student has to write. The skeleton
raises NotImplementedError with the task in its place. Handouts and public tests are written in assignments/.
The repository adds the `tower` command: desk/ of this package, and what that imports.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from autograder.errors import CourseError
from autograder.files import write_whole

_BEGIN = re.compile(r"^(?P<indent>\s*)### BEGIN SOLUTION\b\s*(?P<task>.*?)\s*$")
_END = re.compile(r"^\s*### END SOLUTION\s*$")
_BY_HAND = ("conftest.py", "handouts/*.md", "tests/*")


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
    """The skeletons, by their files. Raises CourseError."""
    files = {}
    for module in modules:
        source = solutions / f"{module}.py"
        if not source.is_file():
            raise CourseError(f"{source} does not exist, but course.toml names the module.")
        text = skeleton(source.read_text(encoding="utf-8"), source.name)
        files[PurePosixPath(source.name)] = text
    return files


def written_by_hand(assignments: Path) -> dict[PurePosixPath, str]:
    """What of assignments/ is no skeleton: handouts and public tests."""
    sources = [source for pattern in _BY_HAND for source in sorted(assignments.glob(pattern))]
    return {
        PurePosixPath(source.relative_to(assignments).as_posix()): source.read_text(
            encoding="utf-8"
        )
        for source in sources
        if source.is_file()
    }


def write(files: Mapping[PurePosixPath, str], target: Path) -> list[PurePosixPath]:
    """Write generated files below a folder; returns their paths. Raises TowerError."""
    for path, text in files.items():
        write_whole(target / path, text)
    return list(files)


def student_repository(root: Path, modules: Iterable[str]) -> dict[PurePosixPath, str]:
    """Every file of a student's repository with its text. Raises CourseError."""
    files = generate(root / "solutions", modules) | written_by_hand(root / "assignments")
    templates = root / "templates"
    try:
        for name, template in _TEMPLATES.items():
            files[PurePosixPath(name)] = (templates / template).read_text(encoding="utf-8")
    except OSError as error:
        raise CourseError(f"{error.filename} cannot be read: {error.strerror}.") from None
    package = Path(__file__).parent
    for path in command_files(package):
        inside = PurePosixPath("tools") / path.relative_to(package.parent).as_posix()
        files[inside] = path.read_text(encoding="utf-8")
    return files


_TEMPLATES = {
    "README.md": "student/README.md",
    "requirements.txt": "student/requirements.txt",
    ".gitignore": "student/gitignore",
    "tools/pyproject.toml": "student/tools/pyproject.toml",
    ".github/workflows/check.yml": "github/check.yml",
}
_COMMAND = "desk/cli.py"


def command_files(package: Path) -> list[Path]:
    """The student's command and all that it imports of this package, read from the texts."""
    wanted, found = [package / _COMMAND], set[Path]()
    while wanted:
        path = wanted.pop()
        if path in found:
            continue
        found.add(path)
        wanted += [
            folder / "__init__.py" for folder in path.parents if folder.is_relative_to(package)
        ]
        for name in _imported(ast.parse(path.read_text(encoding="utf-8"))):
            target = package.joinpath(*name.split(".")[1:])
            if name.split(".")[0] == package.name:
                places = (target.with_suffix(".py"), target / "__init__.py")
                wanted += [place for place in places if place.is_file()]
    return sorted(found)


def _imported(tree: ast.Module) -> Iterator[str]:
    """Names of modules, and of what might be modules, that a text imports anywhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _quoted(task: str) -> str:
    return '"' + task.replace("\\", "\\\\").replace('"', '\\"') + '"'
