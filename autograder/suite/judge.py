"""Turns hidden tests into verdicts.

The checks of a submission share a worker, since values cannot be forged. One that fails there is judged
again in a fresh worker of its own, and where a brick that the module needs has failed, once more over the
course's stand-in for it. Whatever a check does, its damage ends with it.

A failure that leads to no line of the submission, as the end of its process, may be the grader's own. It
counts where two workers fail so, and a third shows by the grader's self-test that this machine is sound. A
submission cannot feign the opposite: none of it is in that worker.
"""

import itertools
import random
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest
from msgspec import structs

from autograder.broker import Broker
from autograder.course import GPU_CHECKS, Course
from autograder.errors import CourseError, GraderFault, IsolationError, TowerError
from autograder.gpu import Device
from autograder.report import Cause, Feedback, Figure, Measured, SourceLocation
from autograder.suite import passed_over, slips
from autograder.suite.collection import Case, run_pytest
from autograder.suite.failures import CheckFailed, NotMade, NotWritten, TooSlow
from autograder.suite.lanes import Lanes, limited
from autograder.suite.long_run import LongRun
from autograder.suite.sampler import Sampler
from autograder.suite.student import Student
from autograder.suite.workers import Unimportable, WorkerKey, Workers
from tower_student.language import tr
from tower_student.submission import Submission

TRIALS = 4
"""At most: over a student's own bricks and over stand-ins, each in a shared and a fresh worker."""

Progress = Callable[[str, float], None]
"""Called with what is being done, and which fraction of the whole is behind."""


KEPT = "state.kept_between_calls"
OTHER_PARAMETERS = "raised.state_dict"


def kept() -> Cause:
    """The cause of an answer that is wrong only after others, as a report has it."""
    text = tr(
        "Asked by itself, this is answered rightly; after earlier questions it is not. Something is kept "
        "from call to call, as in a cache, a global or a default argument."
    )
    return Cause(KEPT, text, {})


@dataclass
class Verdict:
    """What is known of one check.

    Attributes:
        groups: whether all cases of each group have passed that were judged, by the words of the groups; one
            group of all where the check is earned as a whole.
        failure: that of the first case that failed.
        excused: by a slip that another check is charged for, where all is right but for that: its id.
    """

    hint: str
    groups: dict[str, bool] = field(default_factory=dict)
    judged: bool = False
    passed: int = 0
    """Cases, before the one that failed."""
    failure: Feedback | None = None
    root: tuple[object, ...] = ()
    excused: str = ""
    remark: str = ""
    measured: Measured | None = None
    stand_ins: tuple[str, ...] = ()
    """The modules in whose place the course's own stood when it passed."""
    fault: str = ""
    fault_trace: str = ""
    seconds: float = 0.0

    @property
    def earned(self) -> float:
        """The share of its points: of its groups, those that passed."""
        return sum(self.groups.values()) / len(self.groups) if self.judged else 0.0


@dataclass(frozen=True)
class Outcome:
    """What came of one case.

    Attributes:
        failure: the feedback for the student; None where it passed.
        too_slow: whether it failed for want of time.
        at_import: whether a part of its module failed on import, or has no time left.
        is_total: whether nothing that the check asks for can be there.
        slip: by which it failed, see suite.slips.
        is_settled: whether it counts; if not, it is to be judged in a fresh worker.
        remark: what the report says beside a check that passes.
        measured: the number that the check judges by, where it is one that is reported.
        figures: of the report, by title.
        stand_ins: the modules in whose place the course's own stood when it passed.
        root: what failures have in common that have one root.
    """

    failure: Feedback | None = None
    too_slow: bool = False
    at_import: bool = False
    is_total: bool = False
    slip: str = ""
    is_settled: bool = True
    remark: str = ""
    measured: Measured | None = None
    figures: dict[str, Figure] = field(default_factory=dict)
    stand_ins: tuple[str, ...] = ()
    root: tuple[object, ...] = ()


class Judge:
    """Runs one submission through cases of the suite.

    Attributes:
        verdicts: by the full ids of the checks.
        figures: of the report, by module and title.
        workers: those of the submission.
    """

    def __init__(
        self,
        course: Course,
        submission: Submission,
        broker: Broker,
        *,
        seed: int,
        fit: str,
        device: Device,
        progress: Progress,
    ) -> None:
        self.verdicts: dict[str, Verdict] = {}
        self.figures: dict[tuple[str, str], Figure] = {}
        self.workers = Workers(course, broker, submission)
        self._course, self._submission = course, submission
        self._seed = seed
        self._fit = fit
        self._device = device
        self._progress = progress
        self._count = 0
        self._done = 0
        self._slips: defaultdict[str, dict[str, str]] = defaultdict(dict)
        """For each module, the checks that have been charged for slips, by these."""
        self._broker = broker
        self._used: defaultdict[str, float] = defaultdict(float)
        """Seconds that workers have used for each module, but for long checks."""
        self._allowed: dict[str, float] = {}
        """And those that they may use."""
        self._lanes: Lanes | None = None

    def passed_over(self, module: str) -> str:
        """What a report says of statements at the top of a module that failed; "" where none did."""
        found = self.workers.passed_over.get(module, ())
        return passed_over.note(found, self._submission, self._course.exceptions)

    def run(self, cases: Iterable[Case], lanes: int = 1) -> None:
        """Judge all of these, in order: those of a brick before those of what is built on it.

        Args:
            lanes: how many modules are judged at the same time, each in workers of its own; but one after the
                other where a case wants to be run by pytest.

        Raises IsolationError and CourseError; all else that is no verdict becomes a fault of the check.
        """
        cases = list(cases)
        self._count = len(cases)
        modules: defaultdict[str, list[Case]] = defaultdict(list)
        for case in cases:
            verdict = self.verdicts.setdefault(case.check, Verdict(tr(case.hint)))
            verdict.groups[self._group(case)] = True
            modules[module_of(case.check)].append(case)
        if min(lanes, len(modules)) > 1 and all(case.is_plain for case in cases):
            longest_first = sorted(modules, key=lambda module: -len(modules[module]))
            jobs = {m: partial(self._run_module, m, modules[m]) for m in longest_first}
            needs = {name: self._course.modules[name].needs for name in jobs}
            self._lanes = Lanes(self._broker, lanes, jobs, needs)
            self._lanes.run()
            return
        for is_plain, some in itertools.groupby(cases, lambda case: case.is_plain):
            if is_plain:
                self._run_all(some)
            else:
                self._run_by_pytest(list(some))

    def _run_all(self, cases: Iterable[Case]) -> None:
        for case in cases:
            try:
                with self.limited(case):
                    self.judge(case)
            except (KeyboardInterrupt, IsolationError, CourseError):
                raise
            except BaseException as error:
                self.fault(case, error)

    def _run_module(self, module: str, cases: Sequence[Case]) -> None:
        """Judge a module in its lane: once the first case of each that it needs shows what is slow there."""
        assert self._lanes
        for need in self._course.modules[module].needs:
            self._lanes.wait_for(need, begun=True)
        try:
            self._run_all(cases[:1])
            self._lanes.begin(module)
            self._run_all(cases[1:])
        finally:
            self.workers.discard_all(module)

    def _run_by_pytest(self, cases: list[Case]) -> None:
        plugin = _Setup(self, cases)
        folder = self._course.hidden_tests
        modules = dict.fromkeys(module_of(case.check) for case in cases)
        files = [folder / f"test_{module}.py" for module in modules]
        run_pytest(folder, [], files, plugin, pytest.ExitCode.TESTS_FAILED)

    def judge(self, case: Case) -> None:
        """Judge one case, unless its group has failed already. Raises whatever is no verdict."""
        verdict = self.verdicts[case.check]
        verdict.judged = True
        self._progress(case.check, self._done / self._count)
        started, queued = time.monotonic(), self._broker.times.queued
        try:
            if verdict.groups[self._group(case)] and not verdict.fault:
                outcome = self._but_for_slips(case, verdict)
                is_told = outcome.failure and not verdict.failure  # the first alone is reported
                if is_told and verdict.passed and not outcome.too_slow:
                    outcome = self._by_itself(case, outcome)
                self._note(verdict, case, outcome)
                verdict.passed += not outcome.failure
        finally:
            queued = self._broker.times.queued - queued
            verdict.seconds += time.monotonic() - started - queued
            self._done += 1

    def _but_for_slips(self, case: Case, verdict: Verdict) -> Outcome:
        """Judge a case and, where other checks have been charged for slips, as if these were none."""
        told = self._slips[module_of(case.check)]
        elsewhere = {slip: check for slip, check in told.items() if check != case.check}
        if verdict.excused:  # what excused an earlier case most likely excuses this one
            with slips.forgiving(elsewhere):
                outcome = self._outcome(case)
            if not outcome.failure:
                return outcome
        outcome = self._outcome(case)
        if outcome.failure and elsewhere and not (outcome.is_total or verdict.excused):
            with slips.forgiving(elsewhere):
                forgiven = self._outcome(case)
            if not forgiven.failure:
                verdict.excused = elsewhere.get(outcome.slip, [*elsewhere.values()][-1])
                return forgiven
        if outcome.slip:
            told.setdefault(outcome.slip, case.check)
        return outcome

    def _group(self, case: Case) -> str:
        return case.group if self._course.is_partial(case.check) else ""

    def _note(self, verdict: Verdict, case: Case, outcome: Outcome) -> None:
        if outcome.failure:
            failed = verdict.groups if outcome.is_total else (self._group(case),)
            verdict.groups |= dict.fromkeys(failed, False)
            if verdict.failure is None:
                # What it says beside the section is about what the check asks, and says less than a cause.
                section, colon, _ = verdict.hint.partition(": ")
                reading = f"{section}." if outcome.failure.cause and colon else verdict.hint
                reading = "" if outcome.at_import else reading
                verdict.failure = replace(outcome.failure, reading=reading)
                verdict.root = outcome.root
        verdict.remark = outcome.remark or verdict.remark
        verdict.measured = outcome.measured or verdict.measured
        verdict.stand_ins = outcome.stand_ins or verdict.stand_ins
        module = module_of(case.check)
        self.figures |= {(module, title): figure for title, figure in outcome.figures.items()}

    def fault(self, case: Case, error: BaseException) -> None:
        """Note an exception that is no verdict: a fault of the grader, whoever provoked it."""
        prefix = "" if isinstance(error, GraderFault) else f"{type(error).__name__}: "
        verdict = self.verdicts[case.check]
        verdict.fault = f"{case.check}: {prefix}{error}"
        verdict.fault_trace = "".join(traceback.format_exception(error))

    def long_run(self, check: str) -> LongRun:
        """How a long check is to be run."""
        policy = self._course.policy

        def progress(fraction: float) -> None:
            self._progress(check, (self._done + fraction) / self._count)

        return LongRun(
            self._course.fits[self._fit],
            policy.check_seconds,
            self._course.seconds(check),
            policy.fit_threads,
            progress,
            on_gpu=self._device == "cuda",
        )

    @contextmanager
    def limited(self, case: Case) -> Iterator[None]:
        """Guard our own side: raise Timeout in the body where a case takes longer than all its trials may.

        What is waited for a worker is that one's own matter.
        """
        policy = self._course.policy
        start = policy.gpu_seconds if self._device == "cuda" else 0.0
        trial = 3 * policy.import_seconds + self._course.seconds(case.check) + start
        with limited(case.seconds or TRIALS * trial, self._broker.times):
            yield

    # The policy: who is judged again, and over what

    def _outcome(self, case: Case) -> Outcome:
        """Judge a case, if there is time left for its module."""
        if failure := self._late(case):
            root = (module_of(case.check), failure.found)
            return Outcome(failure.feedback(case.check), at_import=True, root=root)
        with self._counted(case):
            return self._judged(case)

    @contextmanager
    def _counted(self, case: Case) -> Iterator[None]:
        """Count what workers use in the body for the module of a case, unless its check is a long one."""
        before = self._broker.times.used
        try:
            yield
        finally:
            if not self._course.is_long(case.check):
                self._used[module_of(case.check)] += self._broker.times.used - before

    def _late(self, case: Case) -> CheckFailed | None:
        """Why a case comes too late: its module has used up its half of what was left for the submission."""
        module, whole = module_of(case.check), self._course.policy.submission_seconds
        if module not in self._allowed:
            self._allowed[module] = (whole - sum(map(self._reserved, self._allowed))) / 2
        if self._used[module] < self._allowed[module]:
            return None
        return CheckFailed(
            tr(
                "This was not run: the checks of {module} have used up their time, half of what was left of "
                "the {seconds:g} s for a whole submission.",
                module=module,
                seconds=whole,
            )
        )

    def _reserved(self, module: str) -> float:
        """The seconds that a module has used, or may still use."""
        is_done = self._lanes is None or self._lanes.is_done(module)
        return self._used[module] if is_done else max(self._used[module], self._allowed[module])

    def _judged(self, case: Case) -> Outcome:
        """Judge over the student's own bricks and, where these may be to blame, over stand-ins."""
        own = self._over(case, ())
        stand_ins = self._replaceable(case, own) if own.failure else ()
        if not stand_ins:
            return own
        other = self._over(case, stand_ins)
        # That a brick cannot be imported says less than what is wrong over its stand-in.
        final = own if other.failure and not own.at_import else other
        measured, figures = other.measured or own.measured, own.figures | other.figures
        return replace(final, measured=measured, figures=figures)

    def _by_itself(self, case: Case, failed: Outcome) -> Outcome:
        """The same failure; where the case passes by itself, that is the cause, whatever seems new in it."""
        key = self._key(case, ())
        self.workers.discard(key)
        try:
            with self._counted(case):
                alone = self._attempt(case, key, is_last=True)
        except (Unimportable, GraderFault):
            return failed
        if alone.failure or not failed.failure:
            return failed
        root = (*failed.root[:1], KEPT)
        return replace(failed, failure=replace(failed.failure, right="", cause=kept()), root=root)

    def _replaceable(self, case: Case, outcome: Outcome) -> tuple[str, ...]:
        """The bricks in whose place stand-ins may come: all of them where the time was short,
        otherwise those that have not proved themselves.
        """
        needs = self._course.modules[module_of(case.check)].needs
        return needs if outcome.too_slow else tuple(n for n in needs if not self._proved(n))

    def _proved(self, module: str) -> bool:
        """Whether all checks of a module that are part of the run have passed, and there are some."""
        if self._lanes:
            self._lanes.wait_for(module)
        own = [verdict for check, verdict in self.verdicts.items() if module_of(check) == module]
        return bool(own) and all(v.judged and not v.failure and not v.fault for v in own)

    def _over(self, case: Case, stand_ins: tuple[str, ...]) -> Outcome:
        """Judge in the shared worker and, where that settles nothing, in a fresh one.

        Raises GraderFault where the failure is not the submission's.
        """
        key = self._key(case, stand_ins)
        try:
            outcome = self._attempt(case, key)
            if not outcome.is_settled:
                outcome = self._attempt(case, key, is_last=True)
        except Unimportable as error:
            asked = f"import {module_of(case.check)}"
            feedback = error.failure.feedback(asked)
            root = _root(module_of(case.check), feedback, None)
            return Outcome(feedback, at_import=True, is_total=True, root=root)
        return outcome

    def _attempt(self, case: Case, key: WorkerKey, *, is_last: bool = False) -> Outcome:
        """Judge once. A failure settles the case at the last attempt, and at an earlier one if what was asked
        for is not written; otherwise only in a worker that no other check has used, and only if it leads to
        the submission or was one of time.
        """
        session, is_fresh = self.workers.shared(key, module_of(case.check), case.check)
        with self.workers.student(session, self._begin_seconds(case.check)) as student:
            try:
                self._call(case, student)
            except CheckFailed as failure:
                too_slow, is_open = isinstance(failure, TooSlow), isinstance(failure, NotWritten)
                if is_last or is_open or (is_fresh and (too_slow or not failure.unproven)):
                    # Its worker may still be asked for the cause, and by the next check.
                    defined = student.definition()  # first: the search for a cause may ask others
                    feedback = failure.feedback(student.asked)
                    root = _root(module_of(case.check), feedback, defined)
                    feedback = replace(feedback, location=feedback.location or defined)
                    outcome = Outcome(
                        feedback,
                        too_slow,
                        at_import=isinstance(failure, NotMade),
                        is_total=is_open,
                        slip=failure.slip,
                        root=root,
                    )
                else:
                    outcome = Outcome(is_settled=False)
                if failure.unproven or session.worker.is_lost or not outcome.is_settled:
                    self.workers.discard(key)  # nothing of it runs beside the test of the machine
                if outcome.is_settled:
                    self.workers.demand_theirs(failure, key)
            except BaseException:
                self.workers.discard(key)  # it may have been asked by halves
                raise
            else:
                outcome = Outcome(remark=student.remark, stand_ins=key.stand_ins)
        figures = {
            title: structs.replace(figure, check=case.check)
            for title, figure in student.figures.items()
        }
        return replace(outcome, measured=student.measured, figures=figures)

    def _call(self, case: Case, student: Student) -> None:
        given: dict[str, Any] = {
            **case.arguments,
            "student": student,
            "sampler": Sampler(self._seed, case.name),
        }
        student.chance = random.Random(f"{self._seed} {case.name}")  # noqa: S311 - no secret
        if "long_run" in case.names:
            given["long_run"] = self.long_run(case.check)
        case.function(**{name: given[name] for name in case.names})
        student.settle()

    def _begin_seconds(self, check: str) -> float:
        """The time of a check; a long one takes its own, step by step."""
        policy, long = self._course.policy, self._course.is_long(check)
        return policy.check_seconds if long else self._course.seconds(check)

    def _key(self, case: Case, stand_ins: tuple[str, ...]) -> WorkerKey:
        on_gpu = self._device == "cuda" and self._uses_gpu(case.check)
        return WorkerKey(stand_ins, on_gpu, module_of(case.check) if self._lanes else "")

    def _uses_gpu(self, check: str) -> bool:
        """Whether a check runs on the GPU where there is one."""
        return needs_gpu(check) or self._course.is_long(check)


class _Setup:
    """The pytest plugin for cases that ask pytest for more than their arguments.

    `student` and `sampler` are filled in for every trial.
    """

    def __init__(self, judge: Judge, cases: Iterable[Case]) -> None:
        self.stopped: TowerError | None = None
        """Why the run was broken off, if so."""
        self._judge = judge
        self._cases = {case.node: case for case in cases}

    @pytest.fixture
    def student(self) -> None:
        """The submission, see suite.student.Student."""

    @pytest.fixture
    def sampler(self) -> None:
        """Random material, see suite.sampler.Sampler."""

    @pytest.fixture
    def long_run(self, request: pytest.FixtureRequest) -> LongRun:
        """How a long check is to be run."""
        return self._judge.long_run(self._cases[request.node.nodeid].check)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out what is not asked for."""
        items[:] = [item for item in items if item.nodeid in self._cases]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Guard our own side by a timeout, fixtures included."""
        with self._judge.limited(self._cases[item.nodeid]):
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool:
        """Judge what pytest has set up."""
        case = self._cases[pyfuncitem.nodeid]
        self._judge.judge(replace(case, function=pyfuncitem.obj, arguments=pyfuncitem.funcargs))
        return True

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Note what is no verdict."""
        error = call.excinfo.value if call.excinfo else None
        if isinstance(error, IsolationError | CourseError):
            self.stopped = error
            item.session.shouldstop = "nothing can be judged"
        elif error is not None and not isinstance(error, KeyboardInterrupt):
            self._judge.fault(self._cases[item.nodeid], error)


def _root(module: str, feedback: Feedback, defined: SourceLocation | None) -> tuple[object, ...]:
    """What failures have in common that have one root: of an exception, the line that raised it.

    A cause of the module's own is the same for all that it defines; one that holds of any answer, as that a
    return is missing, is another in each function.
    """
    file = feedback.location.file if feedback.location else f"{module}.py"
    if feedback.cause and feedback.cause.id == OTHER_PARAMETERS:  # with other sizes in each case
        return (file, defined, OTHER_PARAMETERS)
    if feedback.quoted:  # the same line may raise with other numbers
        return (file, feedback.found, feedback.location or feedback.quoted)
    if feedback.cause and module_of(feedback.cause.id) == module:
        return (file, feedback.cause)
    return (file, defined, feedback.cause or feedback.found)


def needs_gpu(check: str) -> bool:
    """Whether a check, by its full id, is left out where there is no GPU."""
    return check.partition(".")[2].startswith(GPU_CHECKS)


def module_of(check: str) -> str:
    """linear.forward → linear."""
    return check.partition(".")[0]
