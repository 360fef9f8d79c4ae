"""The pytest plugin that turns hidden tests into verdicts.

A check is a test function; its id is module.function, its title the first line of its docstring, its hint
the rest. Parametrised cases of one function are one check: it passes when all of them do.

The checks of a submission share a worker, since values cannot be forged. One that fails there is judged
again in a fresh worker of its own, and where a brick that the module needs has failed, once more over the
course's stand-in for it. Whatever a check does, its damage ends with it.

A failure that leads to no line of the submission, as the end of its process, may be the grader's own. It
counts where two workers fail so, and a third shows by the grader's self-test that this machine is sound. A
submission cannot feign the opposite: none of it is in that worker.
"""

import inspect
import io
import time
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from _pytest._io import TerminalWriter

from autograder.broker import Broker, Worker
from autograder.course import GPU_CHECKS, Course
from autograder.errors import CourseError, GraderFault, IsolationError
from autograder.gpu import Device
from autograder.report import Figure, Measured, Place
from autograder.sandbox.ladder import Isolation
from autograder.selftest import demand_sound
from autograder.suite.draw import Draw
from autograder.suite.failures import CheckFailed, Killed, TooSlow
from autograder.suite.long_run import LongRun
from autograder.suite.session import Session
from autograder.suite.student import Student
from autograder.suite.surveyor import Surveyor
from tower_student.submission import Submission
from tower_student.text import clean

MAX_MESSAGE = 8000
OURS = frozenset(("student", "draw"))
"""The fixtures that are filled in at every trial, so that pytest has nothing to set up for them."""
MARKS = frozenset(("parametrize", "timeout"))
"""Of a test: those that change nothing about how it is run, once it is collected."""
TRIALS = 4
"""At most: over a student's own bricks and over stand-ins, each in a shared and a fresh worker."""

Progress = Callable[[str, float], None]
"""Told what is being done, and which fraction of the whole is behind."""


@dataclass
class Verdict:
    """What is known of one check."""

    title: str
    hint: str
    judged: bool = False
    failure: str = ""
    remark: str = ""
    place: Place | None = None
    measured: Measured | None = None
    stand_ins: tuple[str, ...] = ()
    """The modules in whose place the course's own stood when it passed."""
    fault: str = ""
    fault_trace: str = ""
    seconds: float = 0.0


@dataclass(eq=False)
class _Room:
    """A worker: the modules that are imported in it, and the checks that have used it."""

    benches: dict[str, Session] = field(default_factory=dict)
    users: set[str] = field(default_factory=set)

    def close(self) -> None:
        """End the worker."""
        for bench in self.benches.values():
            bench.close()


class Judge:
    """Runs one submission through the suite. Registered with pytest as a plugin object."""

    def __init__(
        self,
        course: Course,
        submission: Submission,
        broker: Broker,
        seed: int,
        fit: str,
        device: Device,
        left_out: Mapping[str, Collection[str]],
        progress: Progress,
    ) -> None:
        self.verdicts: dict[str, Verdict] = {}
        self.figures: dict[str, Figure] = {}
        """Of the report, by title."""
        self.isolation: Isolation | None = None
        self.stopped: IsolationError | CourseError | None = None
        """Why the run was broken off, if so."""
        self._course = course
        self._submission = submission
        self._broker = broker
        self._seed = seed
        self._fit = fit
        self._device = device
        self._left_out = left_out
        """The checks of each module that are no part of the run."""
        self._progress = progress
        self._rooms: dict[_Kind, _Room] = {}
        self._unimportable: dict[_Key, CheckFailed] = {}
        self._surveyor = Surveyor(broker, submission)
        self._unsound: GraderFault | None = None
        self._items = 0
        self._done = 0

    # What tests take as arguments. `student` and `draw` are filled in anew for every trial.

    @pytest.fixture
    def student(self) -> None:
        """The submission, see suite.student.Student."""

    @pytest.fixture
    def draw(self) -> None:
        """Random material, see suite.draw.Draw."""

    @pytest.fixture
    def long_run(self, request: pytest.FixtureRequest) -> LongRun:
        """How a long check is to be run."""
        check, policy = check_id(request.node), self._course.policy

        def progress(fraction: float) -> None:
            self._progress(check, (self._done + fraction) / self._items)

        return LongRun(
            self._course.fits[self._fit],
            policy.check_seconds,
            self._course.seconds(check),
            policy.fit_threads,
            progress,
            on_gpu=self._device == "cuda",
        )

    # pytest's hooks

    def pytest_configure(self, config: pytest.Config) -> None:
        """Give pytest-timeout something to write its stack traces to: there is no terminal plugin."""
        config.pluginmanager.register(_Silence(), "terminalreporter")

    def pytest_collection_modifyitems(self, items: list[pytest.Function]) -> None:
        """Name the checks, leave out those that are off, and guard our own side by a timeout."""
        items[:] = [item for item in items if not self._is_left_out(item)]
        policy = self._course.policy
        for item in items:
            check = check_id(item)
            title, _, hint = inspect.cleandoc(item.function.__doc__ or "").partition("\n")
            self.verdicts.setdefault(check, Verdict(title or titled(check), " ".join(hint.split())))
            own = self._course.seconds(check)
            start = policy.gpu_seconds if self._device == "cuda" else 0.0
            seconds = TRIALS * (2 * policy.import_seconds + own + start)
            item.add_marker(pytest.mark.timeout(seconds, method="signal"))
        self._items = len(items)

    def _is_left_out(self, item: pytest.Item) -> bool:
        module, _, name = check_id(item).partition(".")
        return name in self._left_out.get(module, ())

    def pytest_exception_interact(
        self, node: pytest.Item | pytest.Collector, call: pytest.CallInfo[object]
    ) -> None:
        """Keep why a hidden test file cannot be collected."""
        if isinstance(node, pytest.Collector) and call.excinfo:
            error = call.excinfo.value
            error = (
                error.__cause__ or error
            )  # pytest wraps what is wrong with an import or the syntax
            self.stopped = CourseError(f"{node.path} does not import: {_where(error, node.path)}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Function) -> bool | None:
        """Judge a case for which pytest has nothing to set up, which takes it as long as most cases do.

        Whatever asks for more than `student` and `draw` goes pytest's own way.
        """
        given = item.callspec.params if hasattr(item, "callspec") else {}
        if not OURS.union(given).issuperset(item.fixturenames) or any(
            mark.name not in MARKS for mark in item.iter_markers()
        ):
            return None
        item.funcargs.update(given)
        call = pytest.CallInfo.from_call(
            lambda: self._judge(item), "call", reraise=(KeyboardInterrupt,)
        )
        self.pytest_runtest_makereport(item, call)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool:
        """Judge a case that pytest has set up."""
        self._judge(pyfuncitem)
        return True

    def _judge(self, item: pytest.Function) -> None:
        check = check_id(item)
        verdict = self.verdicts[check]
        verdict.judged = True
        self._progress(check, self._done / self._items)
        self._done += 1
        if verdict.failure or verdict.fault:
            return
        started = time.monotonic()
        try:
            self._try_in_turn(item, check, verdict)
        finally:
            verdict.seconds += time.monotonic() - started

    def pytest_runtest_makereport(self, item: pytest.Function, call: pytest.CallInfo[None]) -> None:
        """An exception that is no verdict is a fault of the grader, whoever provoked it."""
        if call.excinfo is None or isinstance(call.excinfo.value, KeyboardInterrupt):
            return
        if isinstance(call.excinfo.value, IsolationError | CourseError):
            self.stopped = call.excinfo.value
            item.session.shouldstop = "nothing can be judged"
        else:
            verdict = self.verdicts[check_id(item)]
            error = call.excinfo.value
            told = (
                str(error)
                if isinstance(error, GraderFault)
                else f"{call.excinfo.typename}: {error}"
            )
            verdict.fault = f"{check_id(item)}: {told}"
            verdict.fault_trace = str(call.excinfo.getrepr(style="short"))

    def pytest_sessionfinish(self) -> None:
        """Leave no worker behind."""
        for room in self._rooms.values():
            room.close()
        self._rooms.clear()
        self._surveyor.close()

    # Trials

    def _try_in_turn(self, item: pytest.Function, check: str, verdict: Verdict) -> None:
        module = module_of(check)
        failure = self._trial(item, check, verdict, ())
        if failure is not None and (needs := self._replaceable(module, failure)):
            over_stand_ins = self._trial(item, check, verdict, needs)
            if over_stand_ins is None:
                verdict.stand_ins = needs
            if failure.at_import or over_stand_ins is None:
                failure = over_stand_ins  # says more than that a brick cannot be imported
        if failure is not None:
            verdict.failure, verdict.place = failure.text, failure.place

    def _replaceable(self, module: str, failure: "_Failed") -> tuple[str, ...]:
        """The bricks in whose place stand-ins may come: all of them where the time was short,
        otherwise those that have not proved themselves.
        """
        needs = self._course.modules[module].needs
        if failure.too_slow:
            return needs
        return tuple(need for need in needs if not self._proved(need))

    def _proved(self, module: str) -> bool:
        checks = [
            self.verdicts.get(f"{module}.{name}") for name in self._course.modules[module].weights
        ]
        return all(v is not None and v.judged and not v.failure and not v.fault for v in checks)

    def _trial(
        self, item: pytest.Function, check: str, verdict: Verdict, stand_ins: tuple[str, ...]
    ) -> "_Failed | None":
        """Judge in the shared worker and, if that fails, in a fresh one. None when it passed.

        Raises GraderFault where the failure is not the submission's.
        """
        kind = _Kind(stand_ins, self._device == "cuda" and self._uses_gpu(check))
        key = _Key(module_of(check), kind)
        failures = 0
        while True:
            if key in self._unimportable:
                broken = self._unimportable[key]
                text = clean(broken.message(f"import {key.module}"), MAX_MESSAGE)
                return _Failed(text, broken.place, at_import=True)
            room = self._room(key)
            if room is None:
                continue
            fresh = not room.users - {check}
            room.users.add(check)
            bench = room.benches[key.module]
            bench.begin(self._begin_seconds(check))
            with self._student(bench, check) as student:
                try:
                    self._call(item, student)
                except CheckFailed as failure:
                    failures += 1
                    too_slow = isinstance(failure, TooSlow)
                    if fresh and (failures > 1 or too_slow or not failure.unproven):
                        # Its worker may still be asked for the cause, and by the next check.
                        text = clean(failure.message(student.asked), MAX_MESSAGE)
                        place = failure.place or student.definition()
                        if (
                            bench.worker.is_lost or failure.unproven
                        ):  # nothing of it runs beside the test
                            self._rooms.pop(kind).close()
                        self._demand_theirs(failure, kind)
                        return _Failed(text, place, too_slow)
                    self._rooms.pop(kind).close()
                else:
                    verdict.remark = student.remark
                    return None
                finally:
                    verdict.measured = student.measured
                    self.figures |= student.figures

    def _room(self, key: "_Key") -> _Room | None:
        """A worker with the module imported; None, and remembered, where that fails in two fresh ones."""
        room = self._rooms.setdefault(key.kind, _Room())
        if key.module in room.benches:
            return room
        for tries_left in reversed(range(3 if room.benches else 2)):
            room = self._rooms.setdefault(key.kind, _Room())
            beside = next(iter(room.benches.values()), None)
            try:
                room.benches[key.module] = self._bench(
                    key.module,
                    dict.fromkeys(key.kind.stand_ins, 1.0),
                    gpu=key.kind.gpu,
                    worker=beside.worker if beside else None,
                )
            except CheckFailed as failure:
                self._rooms.pop(key.kind).close()
                if not tries_left:
                    self._demand_theirs(failure, key.kind)
                    self._unimportable[key] = failure
            else:
                return room
            finally:
                self.isolation = self._broker.isolation
        return None

    def _demand_theirs(self, failure: CheckFailed, kind: "_Kind") -> None:
        """Raise GraderFault unless a failure is the submission's, as far as this machine goes."""
        if isinstance(failure, Killed):
            raise GraderFault(
                "Two workers were killed from outside, as the kernel does for want of memory. Give the "
                "grader more memory, or grade fewer submissions at a time."
            )
        if not failure.unproven:
            return
        if self._unsound is None:
            try:
                demand_sound(self._broker, gpu=kind.gpu)
            except GraderFault as fault:
                self._unsound = fault
        if self._unsound is not None:
            raise self._unsound

    def _bench(
        self,
        module: str,
        scales: Mapping[str, float],
        *,
        gpu: bool,
        worker: Worker | None = None,
    ) -> Session:
        if scales:
            self._surveyor.demand_stand_ins(self._course, tuple(scales))
        return Session(
            self._course,
            self._broker,
            self._submission,
            module,
            scales,
            self._surveyor,
            gpu=gpu,
            worker=worker,
        )

    def _begin_seconds(self, check: str) -> float:
        """The time of a check; a long one takes its own, step by step."""
        policy, long = self._course.policy, self._course.is_long(check)
        return policy.check_seconds if long else self._course.seconds(check)

    def _uses_gpu(self, check: str) -> bool:
        """Whether a check runs on the GPU where there is one."""
        return needs_gpu(check) or self._course.is_long(check)

    @contextmanager
    def _student(self, bench: Session, check: str) -> Iterator[Student]:
        extra: list[Session] = []

        def over(scales: Mapping[str, float]) -> Session:
            extra.append(self._bench(bench.module, scales, gpu=bench.gpu))
            extra[-1].begin(self._begin_seconds(check))
            return extra[-1]

        try:
            yield Student(bench, over)
        finally:
            for other in extra:
                other.close()

    def _call(self, item: pytest.Function, student: Student) -> None:
        given: dict[str, Any] = {
            **item.funcargs,
            "student": student,
            "draw": Draw(self._seed, item.name),
        }
        item.obj(**{name: given[name] for name in item._fixtureinfo.argnames})
        student.settle()


class _Silence:
    """In the place of pytest's terminal reporter."""

    _tw = TerminalWriter(io.StringIO())


@dataclass(frozen=True)
class _Failed:
    text: str
    place: Place | None
    too_slow: bool = False
    at_import: bool = False


class _Kind(NamedTuple):
    """What checks that share a worker have in common: which bricks are stand-ins, and the GPU."""

    stand_ins: tuple[str, ...]
    gpu: bool


class _Key(NamedTuple):
    """One module in a worker of one kind."""

    module: str
    kind: _Kind


def needs_gpu(check: str) -> bool:
    """Whether a check, by its full id, is left out where there is no GPU."""
    return check.partition(".")[2].startswith(GPU_CHECKS)


def check_id(item: pytest.Item) -> str:
    """test_linear.py::test_forward[case] → linear.forward."""
    if not isinstance(item, pytest.Function):
        raise GraderFault(f"{item.nodeid} is not a test function.")
    return f"{item.path.stem.removeprefix('test_')}.{item.originalname.removeprefix('test_')}"


def titled(check: str) -> str:
    """What a check is called that says nothing of itself: linear.gpu_float32 → GPU float32."""
    return check.partition(".")[2].replace("_", " ").capitalize().replace("Gpu", "GPU")


def _where(error: BaseException, path: Path) -> str:
    """An exception in a sentence, with the line of the file where it arose, as far as that is known."""
    if isinstance(error, SyntaxError) and error.lineno:
        return f"line {error.lineno}: {error.msg}."
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == str(path)
    ]
    place = f"line {lines[-1]}: " if lines else ""
    return f"{place}{type(error).__name__}: {error}"


def module_of(check: str) -> str:
    """linear.forward → linear."""
    return check.partition(".")[0]
