"""solutions/ → skeletons in assignments/ → a student's repository.

Between `### BEGIN SOLUTION <task>` and `### END SOLUTION` stands what a student has to write. The skeleton
raises NotImplementedError with the task in its place. Handouts, their pictures (handouts/MODULE.NAME.svg) and
public tests are written in assignments/; handouts.py fills in what follows from course.toml. The repository
adds what templates/ holds, the `tower` command (the package tower_student, whole), and the data that the
course's tests/training.py packs.
"""

import functools
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

import tower_student
from autograder import __version__
from autograder.course import FILE, Course
from autograder.errors import CourseError
from autograder.handouts import Page
from tower_student import changelog
from tower_student.course import MANIFEST, Release
from tower_student.files import write_whole
from tower_student.language import FOLDER, tr

_BEGIN = re.compile(r"^(?P<indent>\s*)### BEGIN SOLUTION\b\s*(?P<task>.*?)\s*$")
_END = re.compile(r"^\s*### END SOLUTION\s*$")
_BY_HAND = ("README.md", "conftest.py", "handouts/*.md", "handouts/*.svg", "tests/*")


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
                    tr(
                        "{file}, line {line}: BEGIN SOLUTION inside the block of line {opened}.",
                        file=name,
                        line=number,
                        opened=opened,
                    )
                )
            if not begin["task"]:
                raise CourseError(
                    tr(
                        "{file}, line {line}: say after BEGIN SOLUTION what to write.",
                        file=name,
                        line=number,
                    )
                )
            opened, blocks = number, blocks + 1
            lines.append(f"{begin['indent']}raise NotImplementedError({_quoted(begin['task'])})")
        elif _END.match(line):
            if opened is None:
                raise CourseError(
                    tr(
                        "{file}, line {line}: END SOLUTION without a BEGIN SOLUTION.",
                        file=name,
                        line=number,
                    )
                )
            opened = None
        elif opened is None:
            if "BEGIN SOLUTION" in line or "END SOLUTION" in line:
                raise CourseError(
                    tr(
                        "{file}, line {line}: a marker stands on a line of its own.",
                        file=name,
                        line=number,
                    )
                )
            lines.append(line)
    if opened is not None:
        raise CourseError(
            tr(
                "{file}, line {line}: BEGIN SOLUTION without an END SOLUTION.",
                file=name,
                line=opened,
            )
        )
    if not blocks:
        raise CourseError(
            tr("{file} marks no solution: nothing would be left to write.", file=name)
        )
    return "\n".join(lines) + "\n"


def generate(solutions: Path, modules: Iterable[str]) -> dict[PurePosixPath, str]:
    """The skeletons, by their files. Raises CourseError."""
    files = {}
    for module in modules:
        source = solutions / f"{module}.py"
        if not source.is_file():
            raise CourseError(
                tr("{path} does not exist, but course.toml names the module.", path=source)
            )
        text = skeleton(source.read_text(encoding="utf-8"), source.name)
        files[PurePosixPath(source.name)] = text
    return files


def refreshed(course: Course) -> dict[PurePosixPath, str]:
    """What stands in assignments/: skeletons, and hand-written pages up to date. Raises CourseError."""
    pages = {path: page.refreshed() for path, page in _pages(course).items()}
    return pages | generate(course.root / "solutions", course.modules)


def unreleased(course: Course) -> list[PurePosixPath]:
    """Files of assignments/ that are for no module of course.toml; students do not get them."""
    assignments = course.root / "assignments"
    files = [*_written_by_hand(assignments), *assignments.glob("*.py")]
    return sorted(
        {
            PurePosixPath(path.relative_to(course.root))
            for path in files
            if not _belongs(path, course)
        }
    )


def handouts_and_tests(course: Course) -> dict[PurePosixPath, str]:
    """What students get of the hand-written part of assignments/. Raises CourseError."""
    return {path: page.released() for path, page in _pages(course).items()}


def _demand_tests(course: Course) -> None:
    """Raise CourseError where course.toml weighs a check that no hidden test is named after.

    It reads names alone; `tower grade` runs the tests, and finds those without a weight as well.
    """
    for module in course.modules.values():
        path = course.hidden_tests / f"test_{module.name}.py"
        text = _read(path)
        for name in module.weights:
            if not re.search(rf"\btest_{name}\b", text):
                location = f"{course.root / FILE}: modules.{module.name}.weights"
                raise CourseError(
                    tr(
                        "{location} has {check}, and {path} has no test_{check}.",
                        location=location,
                        check=name,
                        path=path,
                    )
                )


def write(files: Mapping[PurePosixPath, str | bytes], target: Path) -> list[PurePosixPath]:
    """Write generated files below a folder; returns their paths. Raises TowerError."""
    for path, content in files.items():
        write_whole(target / path, content)
    return list(files)


def student_repository(course: Course) -> dict[PurePosixPath, str | bytes]:
    """Every file of a student's repository: texts, and packed data. Raises CourseError."""
    _demand_tests(course)
    files: dict[PurePosixPath, str | bytes] = {}
    files |= generate(course.root / "solutions", course.modules)
    for name in _TEMPLATES:
        files[PurePosixPath(name)] = _from_template(course, name)
    files |= handouts_and_tests(course)
    if changes := _changes(course):
        files[changelog.FILE] = changes
    files |= _packed_data(course)
    for path in sorted(course.public_tests.glob(f"{FOLDER}/*.po")):
        files[PurePosixPath("tests") / FOLDER / path.name] = _read(path)
    files |= command()
    release = Release.of(__version__, course.title, course.modules, files, course.language)
    return files | {MANIFEST: release.as_json()}


def command() -> dict[PurePosixPath, str]:
    """The `tower` command of students as a package to be installed, in tools/."""
    paths = sorted(path for pattern in _OF_THE_COMMAND for path in _STUDENT.glob(pattern))
    files = {
        PurePosixPath("tools") / path.relative_to(_STUDENT.parent): _read(path) for path in paths
    }
    return files | {PurePosixPath("tools/pyproject.toml"): _read(_STUDENT / "pyproject.toml")}


def beside_notebooks(course: Course) -> dict[PurePosixPath, str]:
    """What students who write in notebooks need besides: README, requirements, and the command.

    How each system gets it to run is said as in a student's repository, from the same template.
    """
    begin = re.search(
        r"^## Begin\n.*?(?=^## )", _from_template(course, "README.md"), re.MULTILINE | re.DOTALL
    )
    assert begin is not None
    readme = (
        f"# {course.title}\n\n{begin[0].strip()}\n\n## The notebooks\n\n"
        "Start `jupyter lab` in this folder, and open a notebook. Run its first cell, write where it\n"
        "says `raise NotImplementedError`, save, and run the cell of the public tests.\n"
        "Leave `tests/` and `tools/` where they are: the notebooks need them.\n"
    )
    requirements = _from_template(course, "requirements.txt")
    return command() | {
        PurePosixPath("README.md"): readme,
        PurePosixPath("requirements.txt"): f"{requirements}jupyterlab>=4\n",
    }


def _from_template(course: Course, name: str) -> str:
    path = _PACKAGE / "templates" / _TEMPLATES[name]
    return Page(course, path, _read(path)).released()


def _changes(course: Course) -> str:
    """What students get of the changelog beside course.toml; empty where there is none."""
    path = course.root / changelog.FILE
    return changelog.for_students(_read(path)) if path.is_file() else ""


def _packed_data(course: Course) -> dict[PurePosixPath, bytes]:
    """What students train on, beside their tests; nothing where the course trains nothing."""
    path = course.public_tests / _TRAINING
    data = course.data_files()
    if not data or not path.is_file():
        return {}
    text = Page(course, path, _read(path)).released()
    stamp = tuple((file, file.stat().st_size, file.stat().st_mtime_ns) for file in data)
    return {PurePosixPath("tests") / name: content for name, content in _pack(path, text, stamp)}


@functools.lru_cache(maxsize=2)
def _pack(
    path: Path, text: str, stamp: tuple[tuple[Path, int, int], ...]
) -> tuple[tuple[str, bytes], ...]:
    """What training.py with this text makes of the files, by its name."""
    from tower_student.training import read_plan  # it takes torch

    with tempfile.TemporaryDirectory(prefix="tower-release-") as folder:
        released = Path(folder) / path.name
        write_whole(released, text)
        try:
            plan = read_plan(released)
            content = plan.pack([file for file, *_ in stamp]) if plan else None
        except Exception as error:
            raise CourseError(
                tr("{path} cannot pack the data: {reason}", path=path, reason=error)
            ) from None
    return ((plan.packed, content),) if plan and content is not None else ()


def _pages(course: Course) -> dict[PurePosixPath, Page]:
    """The hand-written files of the course's modules, and those of no single module."""
    assignments = course.root / "assignments"
    for name in course.modules:
        for path in (
            assignments / "handouts" / f"{name}.md",
            assignments / "tests" / f"test_{name}.py",
        ):
            if not path.is_file():
                raise CourseError(
                    tr(
                        "{path} does not exist: write it, for course.toml names the module {module}.",
                        path=path,
                        module=name,
                    )
                )
    return {
        PurePosixPath(path.relative_to(assignments)): Page(course, path, _read(path))
        for path in _written_by_hand(assignments)
        if _belongs(path, course)
    }


def _written_by_hand(assignments: Path) -> list[Path]:
    found = (path for pattern in _BY_HAND for path in sorted(assignments.glob(pattern)))
    return [path for path in found if path.is_file()]


def _belongs(path: Path, course: Course) -> bool:
    """Whether a file of assignments/ is for a module of the course, or for none in particular.

    The name of a picture begins with its page's: README.steps.svg, my_layer.steps.svg.
    """
    of_module = {"handouts": "", "tests": "test_", "assignments": ""}[path.parent.name]
    name, _, _ = path.name.partition(".")
    is_general = name in ("README", "conftest") or not name.startswith(of_module)
    return is_general or name.removeprefix(of_module) in course.modules


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise CourseError(
            tr("{path} cannot be read: {reason}.", path=path, reason=error.strerror)
        ) from None
    except UnicodeDecodeError:
        raise CourseError(tr("{path} is not UTF-8 text.", path=path)) from None


_PACKAGE = Path(__file__).parent
_STUDENT = Path(tower_student.__file__).parent
_OF_THE_COMMAND = ("*.py", "*.html", "*.css", f"{FOLDER}/*.po")
_TRAINING = "training.py"
"""What tower_student.training reads."""
_TEMPLATES = {
    "README.md": "README.md",
    "requirements.txt": "requirements.txt",
    ".gitignore": "gitignore",
    ".github/workflows/check.yml": "check.yml",
}


def _quoted(task: str) -> str:
    return '"' + task.replace("\\", "\\\\").replace('"', '\\"') + '"'
