"""A course for nbgrader, made from the same solutions: one notebook for each module.

In each: the handout in Markdown cells, the module's cells, those to be written among them, the public tests,
and one graded cell. nbgrader hands out, collects and keeps the books; what the graded cell earns is decided
by the hidden suite in its workers, never by the notebook's kernel: see preprocessors.
"""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import jupytext

from autograder import __version__
from autograder.course import Course
from autograder.errors import CourseError
from autograder.release import beside_notebooks, handouts_and_tests
from tower_student.course import MANIFEST, Release
from tower_student.language import mark, plural, tr
from tower_student.notebooks import TESTS

CONFIG = "nbgrader_config.py"
_FIRST = """\
# {comment}
from tower_student import notebook

notebook.import_from_notebooks()
"""
_CHECK = """\
# {comment}
notebook.check({module!r})
"""
_GRADED = """\
# {comment}
### BEGIN HIDDEN TESTS
notebook.graded({module!r})
### END HIDDEN TESTS
"""
_OF_FIRST = mark(
    "Run this cell first: modules that you have written in other notebooks can be imported here."
)
_OF_CHECK = mark(
    "The public tests of this module. Run it as often as you like; save the notebook first."
)
_SETTINGS = """\
# Read by nbgrader in this folder; `tower nbgrader build` wrote it.
from autograder.nbgrader.preprocessors import configure

configure(get_config(), course={course!r}, fit={fit!r}, level={level!r})  # noqa: F821
"""


def build(course: Course, *, fit: str, level: str) -> dict[PurePosixPath, str]:
    """Every file of the course with its text: source notebooks and nbgrader's configuration.

    Args:
        fit: the plan of long checks with which `nbgrader autograde` grades.
        level: the isolation that it demands.

    Raises CourseError where a solution or a handout cannot be read.
    """
    source = PurePosixPath("source") / course.slug
    by_hand = handouts_and_tests(course)
    files = {
        source / path: text
        for path, text in by_hand.items()
        if path.suffix != ".md"  # handouts stand in the notebooks
    }
    files |= {source / path: text for path, text in beside_notebooks(course).items()}
    for name, module in course.modules.items():
        try:
            solution = (course.root / "solutions" / f"{name}.py").read_text(encoding="utf-8")
        except OSError as error:
            raise CourseError(
                tr(
                    "{path} cannot be read: {reason}.",
                    path=error.filename,
                    reason=error.strerror,
                )
            ) from None
        handout = by_hand[PurePosixPath("handouts") / f"{name}.md"]
        files[source / f"{name}.ipynb"] = notebook(name, solution, handout, points=module.points)
    release = Release.of(__version__, course.title, course.modules, {})
    files[source / MANIFEST] = release.as_json()
    settings = {"course": str(course.root), "fit": fit, "level": level}
    files[PurePosixPath(CONFIG)] = _SETTINGS.format(**settings)
    return files


def notebook(module: str, solution: str, handout: str, *, points: int) -> str:
    """The instructor's notebook of one module, as nbgrader wants it, in JSON."""
    # A picture lies in handouts/, as in a student's repository.
    beside = re.sub(r"(!\[[^\]]*\]\()(?=[\w.]+\))", r"\1handouts/", handout)
    cells = [_markdown(f"handout_{i}", part) for i, part in enumerate(_sections(beside))]
    cells.append(_code("first", _FIRST.format(comment=tr(_OF_FIRST)), tags=[TESTS]))
    for i, (source, is_solution) in enumerate(pieces(solution)):
        name = f"{module}_{i}"
        cells.append(_code(name, source, tags=[], solution=is_solution))
    check = _CHECK.format(comment=tr(_OF_CHECK), module=module)
    cells.append(_code("check", check, tags=[TESTS]))
    comment = plural(
        "Graded by the hidden suite, up to {count} point, when your instructor collects this notebook.",
        "Graded by the hidden suite, up to {count} points, when your instructor collects this notebook.",
        points,
    )
    graded = _GRADED.format(comment=comment, module=module)
    cells.append(_code(graded_cell(module), graded, tags=[TESTS], points=points))
    made = jupytext.reads("\n\n".join(cells), fmt="py:percent")
    made.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    made.metadata["language_info"] = {"name": "python"}
    made.metadata.pop("jupytext", None)
    for i, cell in enumerate(made.cells):
        cell["id"] = (
            f"{module.replace('_', '-')}-{i}"  # the same each time; nbformat would draw one
        )
    written: str = jupytext.writes(made, fmt="ipynb")
    return written


def graded_cell(module: str) -> str:
    """nbgrader's name of the cell that a module's points come from."""
    return f"{module}_graded"


def pieces(solution: str) -> Iterator[tuple[str, bool]]:
    """The cells of a module, cut between its classes and functions, and whether each is to be written."""
    lines = solution.splitlines()
    cuts = [0]
    for node in ast.parse(solution).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            decorated = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            cuts.append(decorated - 1)
    for start, stop in zip(cuts, [*cuts[1:], len(lines)], strict=True):
        source = "\n".join(lines[start:stop]).strip("\n")
        if source:
            yield source, "### BEGIN SOLUTION" in source


def _sections(handout: str) -> list[str]:
    return [part.strip() for part in re.split(r"^(?=## )", handout, flags=re.MULTILINE)]


def _markdown(name: str, text: str) -> str:
    commented = "\n".join(f"# {line}".rstrip() for line in text.splitlines())
    return f"# %% [markdown] {_metadata(_nbgrader(name))}\n{commented}"


def _code(
    name: str, source: str, *, tags: list[str], solution: bool = False, points: int = 0
) -> str:
    metadata = _nbgrader(name, solution=solution, points=points) | {"tags": tags}
    return f"# %% {_metadata(metadata)}\n{source}"


def _metadata(metadata: dict[str, Any]) -> str:
    return " ".join(f"{key}={json.dumps(value)}" for key, value in metadata.items())


def _nbgrader(name: str, *, solution: bool = False, points: int = 0) -> dict[str, Any]:
    cell = {
        "schema_version": 3,
        "grade_id": name,
        "grade": bool(points),
        "solution": solution,
        "locked": not solution,
        "task": False,
    }
    return {"nbgrader": cell | ({"points": points} if points else {})}
