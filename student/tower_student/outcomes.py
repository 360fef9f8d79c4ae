"""Runs the public tests in this process, and says of each what came of it.

The tests are plain pytest, and need nothing of ours.
Nothing is forked and nothing is caught that a debugger would want: code under test is the student's own.
"""

import contextlib
import importlib
import importlib.util
import inspect
import linecache
import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any, Literal

import pytest

from tower_student import embedding
from tower_student.errors import UsageError
from tower_student.exception_hints import Reading, likely_cause, read_readings
from tower_student.language import tr

Status = Literal["passed", "failed", "unwritten"]
HINT = re.compile(r"^Hint:\s+", re.MULTILINE)


@dataclass(frozen=True)
class SourceLine:
    """A line of the student's."""

    file: str
    number: int
    text: str
    within: str = ""
    """The function it stands in."""


@dataclass(frozen=True)
class TestOutcome:
    """One public test, and what came of it.

    Attributes:
        id: of the test, as pytest names it.
        asks: what it asks, in a sentence.
        hints: to be opened one by one.
        message: the arithmetic of a failure, or what was raised.
        line: the student's line that matters: the one that raised, or whose value alone the test looks at.
        printed: what the code printed.
    """

    id: str
    module: str
    asks: str
    hints: tuple[str, ...]
    status: Status
    message: str = ""
    line: SourceLine | None = None
    printed: str = ""


@dataclass(frozen=True)
class TestRun:
    """All outcomes that were tried, in order.

    Attributes:
        was_stopped: by Ctrl-C.
        stopped: where that found the student's code.
    """

    outcomes: tuple[TestOutcome, ...]
    was_stopped: bool = False
    stopped: SourceLine | None = None

    def of(self, module: str) -> list[TestOutcome]:
        """The outcomes of one module."""
        return [outcome for outcome in self.outcomes if outcome.module == module]


def run_tests(folder: Path, modules: Sequence[str]) -> TestRun:
    """Run the public tests of these modules as they are on the disk now.

    What an earlier call has imported from the folder is forgotten first. Raises UsageError where the tests
    themselves cannot be read.
    """
    folder = folder.resolve()
    watcher = _Watcher(folder, {_tests(folder, module): module for module in modules})
    with fresh(folder):
        try:
            files = [str(path) for path in watcher.import_all()]
        except KeyboardInterrupt as stop:
            return TestRun(tuple(watcher.outcomes), True, line_of(stop, watcher.files))
        if files:
            embedding.run(folder, ["--capture", "sys", *files], watcher)
    if watcher.broken:
        raise UsageError(tr("The public tests cannot be read: {reason}", reason=watcher.broken))
    in_order = sorted(watcher.outcomes, key=lambda outcome: modules.index(outcome.module))
    return TestRun(tuple(in_order), watcher.was_stopped, watcher.stopped)


def debug(folder: Path, modules: Sequence[str]) -> int:
    """The same under pytest's own terminal; the first failure opens the debugger where it happened."""
    folder = folder.resolve()
    with fresh(folder):
        files = [str(_tests(folder, module)) for module in modules]
        return int(pytest.main([*embedding.options(folder), "--pdb", "-x", *files]))


def _tests(folder: Path, module: str) -> Path:
    return folder / "tests" / f"test_{module}.py"


class _Watcher:
    """The pytest plugin that makes outcomes of tests."""

    def __init__(self, folder: Path, modules: Mapping[Path, str]) -> None:
        self.outcomes: list[TestOutcome] = []
        self.stopped: SourceLine | None = None
        self.was_stopped = False
        self.broken = ""
        self._modules = modules
        self.files = files_of(folder, modules.values())
        self._returned: dict[CodeType, SourceLine] = {}
        self._readings = readings_of(folder)

    def pytest_configure(self, config: pytest.Config) -> None:
        """Let breakpoint() find what pytest's terminal, which is not there, would have set."""
        config.option.color, config.option.code_highlight = "auto", "no"

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Remember where functions of the student's have returned a value, which the test looks at."""
        self._returned.clear()

        def on_event(frame: FrameType, event: str, argument: object) -> None:
            if event != "return" or frame.f_code.co_filename not in self.files:
                return
            if argument is not None and not isinstance(argument, str):  # which repr() returns
                self._returned[frame.f_code] = _source_line(frame, frame.f_lineno, self.files)

        sys.setprofile(on_event)
        try:
            yield
        finally:
            sys.setprofile(None)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Function, call: pytest.CallInfo[None]
    ) -> Iterator[None]:
        """An outcome of each test, when its body or its fixtures have ended."""
        outcome: Any = yield
        error = call.excinfo
        if call.when == "call" or (error and call.when == "setup"):
            if error and isinstance(error.value, KeyboardInterrupt):
                return
            asks, *hints = map(tr, asks_and_hints(item.function.__doc__ or ""))
            self.outcomes.append(
                TestOutcome(
                    id=item.nodeid,
                    module=self._modules[item.path.resolve()],
                    asks=asks or item.originalname.removeprefix("test_").replace("_", " "),
                    hints=tuple(hints),
                    status=_status(error.value) if error else "passed",
                    message=described(error.value, self._readings) if error else "",
                    line=(_deepest(error.tb, self.files) or self._only_return()) if error else None,
                    printed=outcome.get_result().capstdout,
                )
            )

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep what is wrong with a file of tests."""
        if report.failed:
            self.broken += str(report.longrepr)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Ctrl-C: where the student's code was."""
        self.was_stopped, self.stopped = True, _deepest(excinfo.tb, self.files)

    def import_all(self) -> list[Path]:
        """Import every module; of those that cannot be, make an outcome. Returns the tests of the others."""
        tests = []
        for path, module in self._modules.items():
            try:
                importlib.import_module(module)
            except (Exception, SystemExit) as error:
                line = line_of(error, self.files)
                self.outcomes.append(
                    TestOutcome(
                        id=f"{module}.py",
                        module=module,
                        asks=tr("{file} can be imported.", file=f"{module}.py"),
                        hints=(),
                        status=_status(error),
                        message=_absent(error, module) or described(error, self._readings),
                        line=line,
                    )
                )
            else:
                tests.append(path)
        return tests

    def _only_return(self) -> SourceLine | None:
        """Where the only function that returned a value did so last; of several, any may be wrong."""
        found = [*self._returned.values()]
        return found[0] if len(found) == 1 else None


def files_of(folder: Path, modules: Iterable[str]) -> dict[str, str]:
    """The names of the students' files, by the paths that tracebacks have."""
    return {str(folder / f"{name}.py"): f"{name}.py" for name in modules}


def line_of(error: BaseException, files: Mapping[str, str]) -> SourceLine | None:
    """The line of these files that an error is about: the innermost, or the one that cannot be read."""
    if isinstance(error, SyntaxError) and error.filename and error.filename in files:
        number = error.lineno or 1
        text = linecache.getline(error.filename, number).strip()
        return SourceLine(files[error.filename], number, text)
    return _deepest(error.__traceback__, files)


def _deepest(trace: TracebackType | None, files: Mapping[str, str]) -> SourceLine | None:
    """The innermost of these files' lines that an error came through."""
    line = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename in files:
            line = _source_line(trace.tb_frame, trace.tb_lineno, files)
        trace = trace.tb_next
    return line


def _source_line(frame: FrameType, number: int, files: Mapping[str, str]) -> SourceLine:
    code = frame.f_code
    text = linecache.getline(code.co_filename, number).strip()
    within = "" if code.co_name == "<module>" else code.co_name
    return SourceLine(files[code.co_filename], number, text, within)


def _status(error: BaseException) -> Status:
    return "unwritten" if isinstance(error, NotImplementedError) else "failed"


def readings_of(folder: Path) -> tuple[Reading, ...]:
    """What exceptions mean in this course; nothing where the file is not there or cannot be read."""
    with contextlib.suppress(OSError, ValueError):
        return read_readings((folder / "tests" / "exceptions.toml").read_text(encoding="utf-8"))
    return ()


def described(error: BaseException, readings: Sequence[Reading]) -> str:
    """An assertion's own words; of any other error its kind as well, and what it probably means."""
    if isinstance(error, AssertionError):
        if str(error):
            return str(error)
        trace = traceback.extract_tb(error.__traceback__)
        if trace:
            return tr("This does not hold: {code}", code=trace[-1].line)
        return tr("An assertion does not hold.")
    if isinstance(error, NotImplementedError):
        return str(error)
    type_name, message = type(error).__name__, str(error)
    trace = traceback.extract_tb(error.__traceback__)
    hint = likely_cause(type_name, message, (trace[-1].line or "") if trace else "", readings)
    return (
        f"{type_name}: {message}\n{tr(hint.text, **hint.values)}"
        if hint
        else f"{type_name}: {message}"
    )


def _absent(error: BaseException, module: str) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name == module:
        return tr("{file} is not there.", file=f"{module}.py")
    return ""


def asks_and_hints(docstring: str) -> tuple[str, ...]:
    """What a test asks, and its hints."""
    return tuple(" ".join(part.split()) for part in HINT.split(inspect.cleandoc(docstring)))


@contextlib.contextmanager
def fresh(folder: Path) -> Iterator[None]:
    """Forget what was imported from the folder, and import from there what is on the disk now.

    A cached bytecode is distinguished from its source by whole seconds and the size, so a change within a
    second would not be seen; it is removed beforehand, and none is written.
    """
    before, wrote = list(sys.path), sys.dont_write_bytecode
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    _forget(folder)
    # What is called as a student's module and comes from elsewhere would be tested in its place.
    names = {path.stem for pattern in ("*.py", "*.ipynb") for path in folder.glob(pattern)}
    names |= {path.stem.removeprefix("test_") for path in folder.glob("tests/test_*.py")}
    elsewhere = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    for source in (*folder.glob("*.py"), *folder.glob("tests/*.py")):
        with contextlib.suppress(OSError):
            Path(importlib.util.cache_from_source(str(source))).unlink()
    importlib.invalidate_caches()
    linecache.checkcache()
    try:
        yield
    finally:
        sys.path[:], sys.dont_write_bytecode = before, wrote
        _forget(folder)
        sys.modules.update(elsewhere)
        _reset_torch()


def _forget(folder: Path) -> None:
    """Let modules and tests be imported anew; what lies deeper, as in .venv/, is not the student's."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and Path(file).parent in (folder, folder / "tests"):
            del sys.modules[name]


def _reset_torch() -> None:
    """Undo what code may have switched for the whole process."""
    torch = sys.modules.get("torch")
    if torch:
        torch.set_grad_enabled(True)
        torch.set_default_dtype(torch.float32)
