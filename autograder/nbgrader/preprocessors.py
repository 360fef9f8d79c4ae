"""What nbgrader does differently in a course of ours: it makes skeletons, and asks the hidden suite.

The kernel of a submitted notebook is never started: whoever writes a notebook decides what its kernel
answers. nbgrader's own `Execute` is replaced by `Grade`, which grades the notebooks that nbgrader shows, as
`tower grade` would, and writes the outcome where nbgrader looks for it.
"""

import atexit
import copy
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

import nbformat
from nbformat import from_dict
from nbgrader import utils
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode
from traitlets.config import Config

from autograder.broker import Broker
from autograder.course import OFF, Course, load_course, speak
from autograder.errors import GraderFault
from autograder.export import view
from autograder.grading import grade, prepare_process
from autograder.nbgrader import graded_cell
from autograder.pool import warm
from autograder.release import skeleton
from autograder.report import CheckResult, ModuleResult, Report
from tower_student.language import tr
from tower_student.sources import of_notebook
from tower_student.submission import Submission
from tower_student.text import one_line

_OF_NBGRADER = "nbgrader.preprocessors."
_Notebooks = Mapping[str, bytes | None]
"""What a student has handed in, by module; None where there is nothing."""


def configure(config: Config, *, course: str, fit: str, level: str) -> None:
    """Let nbgrader work as described above; for nbgrader_config.py, which may be read twice."""
    ours = f"{__name__}."
    config.CourseDirectory.course_id = load_course(Path(course)).slug
    config.Grade.course, config.Grade.fit, config.Grade.level = course, fit, level
    config.GenerateAssignment.preprocessors = [
        *(_OF_NBGRADER + name for name in ("IncludeHeaderFooter", "LockCells")),
        f"{ours}Skeleton",
        *(_OF_NBGRADER + name for name in ("ClearOutput", "CheckCellMetadata", "ComputeChecksums")),
        *(_OF_NBGRADER + name for name in ("SaveCells", "ClearHiddenTests", "ClearMarkScheme")),
        *(_OF_NBGRADER + name for name in ("ComputeChecksums", "CheckCellMetadata")),
    ]
    config.Autograde.sanitize_preprocessors = [
        f"{ours}Rebuild",
        *(_OF_NBGRADER + name for name in ("ClearOutput", "DeduplicateIds")),
        *(_OF_NBGRADER + name for name in ("OverwriteKernelspec", "OverwriteCells")),
        f"{_OF_NBGRADER}CheckCellMetadata",
    ]
    config.Autograde.autograde_preprocessors = [
        f"{ours}Grade",
        *(_OF_NBGRADER + name for name in ("LimitOutput", "SaveAutoGrades")),
        *(_OF_NBGRADER + name for name in ("AssignLatePenalties", "CheckCellMetadata")),
    ]


class Skeleton(NbGraderPreprocessor):  # type: ignore[misc]
    """Takes the solutions out, and leaves in their place what has to be written."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """For every cell with a solution. Raises CourseError."""
        for cell in nb.cells:
            if cell.cell_type == "code" and utils.is_solution(cell):
                cell.source = skeleton(cell.source, resources["unique_key"]).rstrip("\n")
        return nb, resources


class Rebuild(NbGraderPreprocessor):  # type: ignore[misc]
    """Puts the student's answers into the notebook that was handed out.

    Cells that were deleted, duplicated, renamed or retyped would otherwise lose a graded cell, or end
    nbgrader's run for the whole class. Cells of the student's own stay where they were, as plain cells.
    """

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Raises nothing that a submitted notebook decides."""
        about = resources["nbgrader"]
        return rebuilt(nb, about["assignment"], about["notebook"]), resources


def rebuilt(submitted: Any, assignment: str, name: str) -> Any:
    """Return the notebook that was handed out, with the answers of the submitted one and its own cells."""
    released = Path("release", assignment, f"{name}.ipynb")
    if not released.is_file():
        return submitted
    whole = nbformat.read(released, as_version=4)
    positions = {}
    for i, cell in enumerate(whole.cells):
        positions[cell.get("id")] = i
        positions[_grade_id(cell)] = i
    positions.pop(None, None)
    answers: dict[int, list[str]] = {}
    own: dict[int, list[Any]] = {}
    after = -1
    for cell in submitted.cells:
        position = positions.get(_grade_id(cell), positions.get(cell.get("id")))
        if position is not None:
            after = position
            answers.setdefault(position, []).append(cell.source)
        elif cell.cell_type in ("code", "markdown"):
            kept = copy.deepcopy(cell)
            kept.metadata = from_dict({})
            kept["id"] = f"own-{len(own)}-{sum(map(len, own.values()))}"
            own.setdefault(after, []).append(kept)
    cells = own.get(-1, [])
    for i, cell in enumerate(whole.cells):
        if utils.is_solution(cell) and i in answers:
            cell.source = "\n\n\n".join(answers[i])  # more than one, where a cell was split
        cells += [cell, *own.get(i, [])]
    whole.cells = cells
    return whole


def _grade_id(cell: Any) -> str | None:
    metadata = cell.metadata.get("nbgrader")
    named = metadata.get("grade_id") if isinstance(metadata, dict) else None
    return named if isinstance(named, str) else None


class Grade(NbGraderPreprocessor):  # type: ignore[misc]
    """Has the hidden suite judge a student's notebooks, and writes what they earn into the graded cells."""

    course = Unicode("", help="The checkout with course.toml.").tag(config=True)
    fit = Unicode(OFF, help="The plan of the long checks, or off.").tag(config=True)
    level = Unicode("C", help="Refuse to run student code below this isolation.").tag(config=True)
    _warm: tuple[Course, Broker] | None = None
    _last: tuple[tuple[str, _Notebooks], Report] | None = None

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Raises GraderFault and the other TowerErrors: nbgrader then gives this student no grade at all."""
        about = resources["nbgrader"]
        report = self._report(about["student"], about["assignment"])
        seen = {
            module.name: _text(module, c) for module, c in view.lines_by_module(report.visible())
        }
        for module in report.modules:
            for cell in nb.cells:
                if _grade_id(cell) == graded_cell(module.name):
                    points = cell.metadata.nbgrader["points"]
                    cell.outputs = _outputs(module, seen.get(module.name, ""), points)
        return nb, resources

    def _report(self, student: str, assignment: str) -> Report:
        """All notebooks of a student are graded together, once: one may import what others hold."""
        course, broker = self._opened()
        folder = Path("submitted", student, assignment)
        notebooks = _notebooks(folder, course.modules)
        if Grade._last is None or Grade._last[0] != (student, notebooks):
            submission = _submission(student, assignment, notebooks)
            seed, fit = secrets.randbelow(1 << 31), self.fit
            report = grade(course, submission, broker, seed=seed, fit=fit)
            if report.faults:
                faults = "\n".join(fault for fault, _ in report.faults)
                raise GraderFault(
                    tr(
                        "These checks of {folder} could not be judged:\n{faults}",
                        folder=folder,
                        faults=faults,
                    )
                )
            Grade._last = (student, notebooks), report
        return Grade._last[1]

    def _opened(self) -> tuple[Course, Broker]:
        """One broker for the whole run of nbgrader."""
        if Grade._warm is None:
            course = load_course(Path(self.course))
            speak(course)
            broker = Broker(
                course.policy,
                [course.root, Path.cwd()],
                require=self.level,
                imports=course.imports,
            )
            atexit.register(broker.close)
            warm(broker)
            prepare_process()
            Grade._warm = course, broker
        return Grade._warm


def _notebooks(folder: Path, modules: Iterable[str]) -> _Notebooks:
    paths = {module: folder / f"{module}.ipynb" for module in modules}
    return {name: path.read_bytes() if path.is_file() else None for name, path in paths.items()}


def _submission(student: str, assignment: str, notebooks: _Notebooks) -> Submission:
    """What stands in the notebooks of a student as nbgrader shows them, and in no other file."""
    sources, problems = {}, {}
    for module, content in notebooks.items():
        file = f"{module}.ipynb"
        if content is None:
            problems[module] = tr("{file} was not submitted.", file=file)
            continue
        try:
            submitted = nbformat.reads(content.decode(), as_version=4)
            text = nbformat.writes(rebuilt(submitted, assignment, module))
            sources[module] = of_notebook(text.encode())
        except Exception as error:  # Unreadable, and nbformat's many
            reason = one_line(str(error))
            problems[module] = tr("{file} could not be read: {reason}.", file=file, reason=reason)
    return Submission(student, sources, problems)


def _outputs(module: ModuleResult, text: str, points: float) -> list[Any]:
    """What nbgrader reads: a text for the student, then the points as the result of the cell.

    Of several outputs the first that decides counts, an error or one on stderr among them; so there are none.
    """
    earned = min(max(module.score, 0.0), points)
    return [
        from_dict({"output_type": "stream", "name": "stdout", "text": text}),
        from_dict(
            {
                "output_type": "execute_result",
                "execution_count": 1,
                "metadata": {},
                "data": {"text/plain": repr(round(earned, 6))},
            }
        ),
    ]


def _text(module: ModuleResult, checks: list[view.CheckLines]) -> str:
    points = tr("{score:g} of {most:g}", score=module.score, most=module.max_score)
    told = [points] if view.has_score(module) else []
    lines = [f"{module.name}: {', '.join(filter(None, [*told, view.later(module)]))}"]
    lines += filter(None, [module.note])
    for check in checks:
        lines += _of_check(*check)
    return "\n".join(lines) + "\n"


_WIDTH = 90
"""Of what stands in a cell's output, in characters: a page of feedback shows about a hundred."""
_MARKS = {"passed": "✓", "failed": "✗", "not_submitted": "✗", "not_verified": "–"}


def _of_check(check: CheckResult, lines: Sequence[view.Line]) -> list[str]:
    points = f"{check.score:g}/{check.max_score:g}" if check.max_score else "–"
    name = check.id.partition(".")[2]
    # What a submission wrote stays on its one line, behind its prefix.
    said = [[str(line)] if line.quoted else wrap(str(line), _WIDTH) or [""] for line in lines]
    title = f"{_MARKS[check.status]} {points:>9}  {name}: {check.title}"
    return [title, *(f"    {part}" for parts in said for part in parts)]
