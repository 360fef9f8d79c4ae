"""The hidden checks without any isolation: the student's code runs in this very interpreter.

What graders without a sandbox do, and the limit for one that has it. The checks, their questions and their
comparisons are the same; only the worker is another: its handler is called directly. Nothing here is used to
grade: a submission could do to this process whatever it likes.

    pytest tests/hidden -p inprocess --submission DIR      plain pytest, started for each submission
    inprocess.run("linear.forward")                        one check of the modules in the working directory
    for case in inprocess.collected(): ...                 all of them, in one warm interpreter
"""

import functools
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault(
    "KINETO_LOG_LEVEL", "99"
)  # as in a worker; the recorder would print otherwise

import pytest
import torch

from autograder.broker import Question, Used
from autograder.course import course_root, load_course, suite_digest
from autograder.sandbox import protocol, values, wire
from autograder.sandbox.simulated_gpu import SimulatedGPU
from autograder.sandbox.worker import RequestHandler
from autograder.suite.collection import Case, check_id, hidden_tests
from autograder.suite.failures import CheckFailed
from autograder.suite.sampler import Sampler
from autograder.suite.session import Session
from autograder.suite.student import Student
from autograder.suite.surveyor import Surveyor
from tower_student.submission import Submission, read_submission

SEED = 7
LEFT_OUT = ("gpu_", "mnist_fit")
"""What is no part of a run with the fit off on the CPU."""
COURSE = load_course(course_root())
META_PATH = [*sys.meta_path]
"""Which a worker makes its own."""


class Direct:
    """In the place of broker.Worker: a handler in this process."""

    log = b""
    used = Used()

    def __init__(self) -> None:
        self._handler = RequestHandler(SimulatedGPU())

    def allow(self, seconds: float) -> None:
        """Nothing limits it."""

    def ask(
        self, request: protocol.Request, tensors: Sequence[wire.RawTensor] = ()
    ) -> tuple[dict[str, Any], list[wire.RawTensor]]:
        """As Worker.ask."""
        (answer,) = self.ask_all([Question(request, tensors)])
        return answer

    def ask_all(
        self, questions: Sequence[Question]
    ) -> Iterator[tuple[dict[str, Any], list[wire.RawTensor]]]:
        """As Worker.ask_all."""
        for question in questions:
            yield self._answer(*question)

    def _answer(
        self, asked: protocol.Request, tensors: Sequence[wire.RawTensor]
    ) -> tuple[dict[str, Any], list[wire.RawTensor]]:
        if isinstance(asked, protocol.Import):
            forget_modules()
        request = {"id": 0, **protocol.encode_request(asked)}
        frame = b"".join(
            self._handler.answer(request, {t.name: values.from_raw(t) for t in tensors})
        )
        _, header, _ = wire.PROLOGUE.unpack_from(frame)
        start = wire.PROLOGUE.size
        meta, raw = wire.decode(frame[start : start + header], frame[start + header :])
        meta.pop("id")
        return meta, raw

    def close(self) -> None:
        """There is no process to end."""


class DirectBroker:
    """In the place of Broker."""

    policy = COURSE.policy

    def worker(self, *, gpu: bool = False) -> Direct:
        """A new handler."""
        return Direct()


def forget_modules() -> None:
    """Let the modules of a submission be imported anew."""
    for name in COURSE.modules:
        sys.modules.pop(name, None)
    sys.meta_path[:] = META_PATH


class Subject:
    """One submission, with a session for each of its modules that is asked."""

    def __init__(self, submission: Submission) -> None:
        broker: Any = DirectBroker()
        self._make = functools.partial(Session, COURSE, broker, submission)
        self._surveyor = Surveyor(broker, submission)
        self._sessions: dict[str, Session] = {}

    def student(self, module: str) -> Student:
        """The fixture that hidden tests ask. Raises CheckFailed where the module cannot be imported."""
        if module not in self._sessions:
            self._sessions[module] = self._session(module, {})
        session = self._sessions[module]
        session.begin(60.0)
        return Student(session, over=lambda scales: self._session(module, scales))

    def _session(self, module: str, scales: Mapping[str, float]) -> Session:
        session = self._make(module, scales, self._surveyor)
        session.begin(60.0)
        return session


# One check, or all of them, in an interpreter that goes on


def _belongs(check: str) -> bool:
    return not check.partition(".")[2].startswith(LEFT_OUT)


@functools.cache
def collected() -> list[Case]:
    """Every case of every check that a run with the fit off has."""
    torch.set_num_threads(1)
    with hidden_tests(COURSE, suite_digest(COURSE), list(COURSE.modules)) as cases:
        return [case for case in cases if _belongs(case.check)]


def passes(case: Case, subject: Subject) -> bool:
    """Call one case of a check."""
    module = case.check.partition(".")[0]
    asked = f"import {module}"
    try:
        student = subject.student(module)
        given = {**case.arguments, "student": student, "sampler": Sampler(SEED, case.name)}
        try:
            case.function(**{name: given[name] for name in case.names})
        finally:
            asked = student.asked
    except CheckFailed as failure:
        failure.feedback(asked)  # the feedback is part of a check
        return False
    return True


def grade(submission: Submission) -> dict[str, bool]:
    """Which checks a submission passes; a check ends with its first failure."""
    subject, found = Subject(submission), {}
    for case in collected():
        if found.get(case.check, True):
            present = case.check.partition(".")[0] in submission.sources
            found[case.check] = present and passes(case, subject)
    return found


@functools.cache
def _here() -> Subject:
    return Subject(read_submission(Path(), COURSE.modules))


def run(check: str) -> None:
    """One check of the modules in the working directory. Raises AssertionError where it fails."""
    cases = [case for case in collected() if case.check == check]
    assert cases
    for case in cases:
        assert passes(case, _here()), check


# As a plugin of plain pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the submission is."""
    parser.addoption("--submission", type=Path, required=False)


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Leave out what a run with the fit off has not."""
    items[:] = [item for item in items if _belongs(check_id(item))]


@pytest.fixture(scope="session")
def subject(pytestconfig: pytest.Config) -> Subject:
    """The submission that is named."""
    torch.set_num_threads(1)
    return Subject(read_submission(pytestconfig.getoption("--submission"), COURSE.modules))


@pytest.fixture
def student(subject: Subject, request: pytest.FixtureRequest) -> Student:
    """See suite.student.Student."""
    return subject.student(request.node.path.stem.removeprefix("test_"))


@pytest.fixture
def sampler(request: pytest.FixtureRequest) -> Sampler:
    """See suite.sampler.Sampler."""
    return Sampler(SEED, request.node.name)
