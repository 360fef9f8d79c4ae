"""Hidden tests as cases, which pytest collects and suite.judge runs.

A check is a test function; its id is module.function, its title the first line of its docstring, its hint
the rest. Parametrised cases of one function are one check: it passes when all of them do.
"""

import ast
import contextlib
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest

from autograder.course import FILE, Course
from autograder.errors import CourseError, GraderFault, TowerError
from autograder.suite import registry
from tower_student import embedding
from tower_student.language import tr

OURS = frozenset(("student", "sampler", "long_run"))
"""The arguments that the judge fills in for every trial."""
MARKS = frozenset(("parametrize", "timeout", "group"))
"""Of a test: those that change nothing about how it is run, once it is collected."""


@dataclass(frozen=True, eq=False)
class Case:
    """A hidden test with one set of arguments.

    Attributes:
        check: the full id of the check that it belongs to.
        title: of the check.
        hint: of the check, "" where it has none.
        name: the function and the case, as pytest names them; `sampler` takes its numbers from it.
        node: what pytest knows it by.
        function: takes the arguments that `names` lists.
        arguments: those that are known without a submission.
        group: the words of its mark `group`, marked for translation: what cases have in common that earn a
            share of a check's points; "" where it has none.
        seconds: the limit by its mark `timeout`, 0 where it has none.
        is_plain: whether it asks pytest for nothing more: no fixture but ours, and no mark but MARKS.
    """

    check: str
    title: str
    hint: str
    name: str
    node: str
    function: Callable[..., None]
    names: tuple[str, ...]
    arguments: Mapping[str, Any]
    group: str
    seconds: float
    is_plain: bool


@dataclass
class _Collected:
    """What this process has imported of hidden tests: those of one course, in one state."""

    folder: Path
    digest: str
    cases: dict[str, list[Case]] = field(default_factory=dict)
    """By module."""
    titles: dict[str, dict[str, str]] = field(default_factory=dict)
    """Of checks whose module was not collected, by that."""


_collected: _Collected | None = None


@contextlib.contextmanager
def hidden_tests(course: Course, digest: str, modules: Sequence[str]) -> Iterator[list[Case]]:
    """Yield the cases of these modules, and let them import what lies beside them while the body runs.

    They are collected once for each process, and again if `digest`, the suite's, has changed or another
    course was graded in the meantime.

    Raises CourseError where a file is missing or does not import, GraderFault where pytest itself fails.
    """
    global _collected
    folder = course.hidden_tests
    if _collected is None or (_collected.folder, _collected.digest) != (folder, digest):
        if _collected:
            registry.forget()  # what the other course, or the earlier state, has registered
            _forget(_collected.folder)
        _collected = _Collected(folder, digest)
    _forget_namesakes(folder)
    sys.path.insert(0, str(folder))
    try:
        if missing := [module for module in modules if module not in _collected.cases]:
            _collected.cases |= _collect(course, missing)
        yield [case for module in modules for case in _collected.cases[module]]
    finally:
        sys.path.remove(str(folder))


def _forget(folder: Path) -> None:
    """Let modules that were imported from a folder be imported again."""
    for name, module in list(sys.modules.items()):
        if (file := getattr(module, "__file__", None)) and Path(file).is_relative_to(folder):
            del sys.modules[name]


def _forget_namesakes(folder: Path) -> None:
    """Let modules of a folder be imported, whatever of the same names was imported from elsewhere."""
    # conftest is not among them: pytest keeps that apart itself.
    ours = {path.stem for path in folder.glob("*")} - {"conftest"}
    for name in [name for name in sys.modules if name.partition(".")[0] in ours]:
        file = getattr(sys.modules[name], "__file__", None)
        if file and not Path(file).is_relative_to(folder):
            del sys.modules[name]


def _collect(course: Course, modules: Sequence[str]) -> dict[str, list[Case]]:
    folder = course.hidden_tests
    paths = [folder / f"test_{module}.py" for module in modules]
    for path in paths:
        if not path.is_file():
            raise CourseError(
                tr(
                    "{path} is not there: {course} names its module. Write the checks, or leave the "
                    "module out.",
                    path=path,
                    course=course.root / FILE,
                )
            )
    collector = _Collector()
    run_pytest(folder, ["--collect-only"], paths, collector, pytest.ExitCode.NO_TESTS_COLLECTED)
    cases: dict[str, list[Case]] = {module: [] for module in modules}
    for case in map(_case, collector.items):
        cases[case.check.partition(".")[0]].append(case)
    return cases


class Stoppable(Protocol):
    """A pytest plugin; `stopped` is why it has broken the run off, None where it has not."""

    stopped: TowerError | None


def run_pytest(
    folder: Path,
    options: Sequence[str],
    files: Sequence[Path],
    plugin: Stoppable,
    usual: pytest.ExitCode,
) -> None:
    """Run pytest over hidden tests; `usual` is the exit code that is as good as success.

    Raises what has stopped the plugin, KeyboardInterrupt, and GraderFault where pytest itself fails.
    """
    code = embedding.run(folder, [*options, "--capture", "no", *map(str, files)], plugin)
    if plugin.stopped is not None:
        raise plugin.stopped
    if code == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if code not in (pytest.ExitCode.OK, usual):
        raise GraderFault(
            tr(
                "The hidden suite in {folder} did not run ({code}).",
                folder=folder,
                code=str(pytest.ExitCode(code)),
            )
        )


class _Collector:
    """The pytest plugin that keeps what was collected."""

    def __init__(self) -> None:
        self.items: list[pytest.Item] = []
        self.stopped: TowerError | None = None

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Keep the tests."""
        self.items = session.items

    def pytest_exception_interact(
        self, node: pytest.Item | pytest.Collector, call: pytest.CallInfo[object]
    ) -> None:
        """Keep why a hidden test file cannot be collected."""
        if call.excinfo and isinstance(node, pytest.Collector):
            error = call.excinfo.value
            # pytest wraps what is wrong with an import or the syntax.
            self.stopped = CourseError(_unimportable(error.__cause__ or error, node.path))


def _case(item: pytest.Item) -> Case:
    check = check_id(item)
    assert isinstance(item, pytest.Function)
    title, hint = title_and_hint(item.function.__doc__ or "")
    names = tuple(
        name
        for name, parameter in inspect.signature(item.obj).parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    )
    arguments = item.callspec.params if hasattr(item, "callspec") else {}
    limit = item.get_closest_marker("timeout")
    group = item.get_closest_marker("group")
    return Case(
        check,
        title or titled(check),
        hint,
        item.name,
        item.nodeid,
        item.obj,
        names,
        arguments,
        group.args[0] if group else "",
        (limit.args or (limit.kwargs.get("timeout", 0.0),))[0] if limit else 0.0,
        OURS.union(arguments).issuperset(item.fixturenames)
        and all(mark.name in MARKS for mark in item.iter_markers()),
    )


def title_and_hint(docstring: str) -> tuple[str, str]:
    """The first line of a hidden test's docstring, and the rest."""
    title, _, hint = inspect.cleandoc(docstring).partition("\n")
    return title, " ".join(hint.split())


def check_id(item: pytest.Item) -> str:
    """test_linear.py::test_forward[case] → linear.forward. Raises GraderFault for what is no function."""
    if not isinstance(item, pytest.Function):
        raise GraderFault(tr("{test} is not a test function.", test=item.nodeid))
    return f"{item.path.stem.removeprefix('test_')}.{item.originalname.removeprefix('test_')}"


def titles_of(course: Course, module: str) -> dict[str, str]:
    """The titles of a module's checks by their full ids, read without running anything.

    Like cases, they are read once for each process; hidden_tests has been entered before.
    """
    assert _collected is not None
    if module not in _collected.titles:
        _collected.titles[module] = _titles(course, module)
    return _collected.titles[module]


def _titles(course: Course, module: str) -> dict[str, str]:
    try:
        tree = ast.parse((course.hidden_tests / f"test_{module}.py").read_bytes())
    except (OSError, SyntaxError):
        return {}
    return {
        f"{module}.{test.name.removeprefix('test_')}": title_and_hint(
            ast.get_docstring(test) or ""
        )[0]
        for test in tree.body
        if isinstance(test, ast.FunctionDef)
    }


def titled(check: str) -> str:
    """What a check is called that says nothing of itself: linear.gpu_float32 → GPU float32."""
    return check.partition(".")[2].replace("_", " ").capitalize().replace("Gpu", "GPU")


def _unimportable(error: BaseException, path: Path) -> str:
    """Why a file does not import, with the line of it where that arose, as far as it is known."""
    if isinstance(error, SyntaxError) and error.lineno:
        return tr(
            "{path} does not import: line {line}: {error}.",
            path=path,
            line=error.lineno,
            error=error.msg,
        )
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == str(path)
    ]
    text = f"{type(error).__name__}: {error}"
    if not lines:
        return tr("{path} does not import: {error}", path=path, error=text)
    return tr("{path} does not import: line {line}: {error}", path=path, line=lines[-1], error=text)
