"""A limit is in the worker's own time: on a busy machine it means the same."""

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, nullcontext, suppress

import pytest
from helpers import checks_of, failed
from test_grading import suite_of_one

from autograder.broker import WorkerLost
from autograder.course import Module
from autograder.errors import GraderFault
from autograder.export.view import message
from autograder.grading import grade
from autograder.processclock import ProcessClock
from autograder.sandbox import protocol
from autograder.sandbox.wire import RawTensor
from autograder.suite.failures import OfTheMachine
from autograder.suite.surveyor import Surveyor
from tower_student.submission import Submission

SPIN = "while True: pass"
ASLEEP = "import time; time.sleep(600)"
PATIENCE = 60.0


def until(condition):
    """Wait for something that comes whatever else the machine does."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end


@pytest.fixture
def running():
    """Start a program of one line; yields its process and its clock."""
    with ExitStack() as stack:

        def running(code):
            process = stack.enter_context(subprocess.Popen([sys.executable, "-c", code]))
            stack.callback(process.kill)
            pidfd = os.pidfd_open(process.pid)
            stack.callback(os.close, pidfd)
            return process, ProcessClock(pidfd)

        yield running


def test_the_clock_of_a_process_counts_what_it_computes(running):
    _, clock = running(SPIN)
    until(lambda: clock.computed() > 0.3)
    assert not clock.is_asleep()


def test_the_clock_of_a_process_counts_all_its_threads(running):
    _, clock = running(f"import threading as t; t.Thread(target=lambda: exec({SPIN!r})).start()")
    until(lambda: clock.computed() > 0.3)
    assert not clock.is_asleep()


def test_a_process_that_sleeps_is_seen_and_its_clock_stands(running):
    process, clock = running(ASLEEP)
    until(clock.is_asleep)
    before = clock.computed()
    assert clock.computed() == before
    process.send_signal(signal.SIGSTOP)
    until(lambda: not clock.is_asleep())  # somebody else's doing
    process.kill()
    process.wait()
    assert clock.computed() == before


def test_all_waiting_counts_where_the_kernel_tells_no_clock(running, monkeypatch):
    def refused(number):
        raise OSError

    monkeypatch.setattr(time, "clock_gettime", refused)
    _, clock = running(SPIN)
    assert clock.computed() == 0
    assert clock.is_asleep()


# Workers

OWN = b"""
import time

def computes(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass

def sleeps(seconds):
    time.sleep(seconds)
"""


@pytest.fixture
def worker(broker):
    """One that has imported OWN."""
    with broker.worker() as worker:
        worker.allow(PATIENCE)
        text = RawTensor("own", "uint8", (len(OWN),), OWN)
        worker.ask(protocol.Import("own", {}), [text])
        yield worker


def asked(worker, name, seconds, **options):
    reply, _ = worker.ask(protocol.Call(name, {"list": [seconds]}, **options))
    return reply


class Clock:
    """In the place of a ProcessClock: what a machine without a free processor would show, by default."""

    def __init__(self, step=0.0):
        self.now, self.step = 0.0, step

    def computed(self):
        self.now += self.step
        return self.now

    def is_asleep(self):
        return False


@pytest.mark.parametrize("name", ["computes", "sleeps"])
def test_a_worker_is_stopped_after_its_own_time(worker, name):
    worker.allow(0.5)
    with pytest.raises(WorkerLost, match=r"of the 0\.5 s given it computed for") as caught:
        asked(worker, name, 600)
    assert caught.value.reason == "deadline"
    assert sum(worker.used) >= 0.5


def test_a_worker_is_stopped_where_many_short_questions_take_its_time(worker):
    worker.allow(0.5)

    def ask_often():
        for _ in range(1000):
            asked(worker, "computes", 0.01)

    with pytest.raises(WorkerLost, match="given it computed for"):
        ask_often()


def test_time_without_a_processor_is_not_charged(worker):
    worker._clock = Clock()
    worker.allow(0.1)
    assert asked(worker, "sleeps", 0.5)["result"] is None
    assert sum(worker.used) <= 0.1


def test_a_worker_that_the_machine_gives_no_time_is_not_waited_for_without_end(worker):
    worker._clock = Clock()
    worker.allow(0.01)
    with pytest.raises(WorkerLost, match=r"only 0\.0 s of a processor") as caught:
        asked(worker, "sleeps", 600)
    assert caught.value.reason == "starved"


@pytest.mark.parametrize("watch", [False, True])
def test_of_what_is_recorded_a_share_is_charged(worker, watch):
    """A clock that goes on by 0.3 s with every look: a question takes at least two."""
    worker._clock = Clock(step=0.3)
    worker.allow(0.25)
    worker._share = 1 / 4 if watch else 1.0  # of the look before the first question
    if watch:
        assert "trace" in asked(worker, "computes", 0, watch=True)
    else:
        with pytest.raises(WorkerLost, match="it computed for"):
            asked(worker, "computes", 0)


# Submissions


def graded(course, folder, broker, text, source=OWN, **limits):
    suite = suite_of_one(course, folder, text, **limits)
    return grade(suite, Submission("x", {"own": source}, {}), broker, seed=1, fit="off")


def test_what_the_grader_itself_takes_is_not_charged(tmp_path, course, broker):
    text = (
        "import time\ndef test_forward(student):\n"
        "    student.sleeps(0)\n    time.sleep(1)\n    student.sleeps(0)\n"
    )
    report = graded(course, tmp_path, broker, text, check_seconds=0.5)
    assert report.score == 20
    assert not report.faults


def test_a_check_that_takes_too_long_says_what_it_had(tmp_path, course, broker):
    text = "def test_forward(student):\n    student.computes(600)\n"
    report = graded(course, tmp_path, broker, text, check_seconds=0.5)
    said = message(checks_of(report)["own.forward"])
    assert "did not finish in time: of the 0.5 s given it computed for" in said


def test_a_worker_without_time_is_a_fault_of_the_machine(tmp_path, course, broker, monkeypatch):
    monkeypatch.setattr("autograder.broker.ProcessClock", lambda pidfd: Clock())
    text = "def test_forward(student):\n    student.sleeps(600)\n"
    report = graded(course, tmp_path, broker, text, check_seconds=0.01)
    ((fault, _),) = report.faults
    assert "The machine is too busy for the process" in fault
    assert checks_of(report)["own.forward"].status == "not_verified"


def test_busy_neighbours_cost_nothing(tmp_path, course, broker, running):
    """The wall's time would be twice what is allowed."""
    for _ in range(3 * (os.cpu_count() or 1)):
        running(SPIN)
    text = "def test_forward(student):\n    student.computes(1)\n"
    report = graded(course, tmp_path, broker, text, check_seconds=2.0)
    assert report.score == 20, report


class Killing:
    """In the place of a Broker: so many of its workers are killed when they are asked something."""

    undisturbed = staticmethod(nullcontext)

    def __init__(self, course, times):
        self.policy, self.times = course.policy, times

    def worker(self):
        return self

    def allow(self, seconds):
        pass

    def ask(self, request, tensors):
        self.times -= 1
        if self.times >= 0:
            raise WorkerLost("killed", "it was killed from outside")
        return {"survey": {}}, []

    def close(self):
        pass


@pytest.mark.parametrize("asks", ["demand_stand_ins", "of"])
def test_a_worker_that_reads_texts_may_be_killed_once(course, solutions, asks):
    def ask(times):
        surveyor = Surveyor(Killing(course, times), Submission("x", solutions, {}))
        if asks == "of":  # a Session is asked for twice
            with suppress(OfTheMachine):
                surveyor.of("linear")
            return surveyor.of("linear")
        return surveyor.demand_stand_ins(course, ["linear"])

    ask(1)
    with pytest.raises((GraderFault, OfTheMachine), match="killed from outside"):
        ask(2)


CASES = """
import pytest

@pytest.mark.parametrize("case", range(8))
def test_forward(student, case):
    student.sleeps(0.3)
"""


def test_a_submission_has_a_budget_and_a_module_half_of_what_is_left(tmp_path, course, broker):
    suite = suite_of_one(course, tmp_path, CASES, submission_seconds=2.0)
    (suite.hidden_tests / "test_next.py").write_text(CASES.replace("0.3", "0"))
    suite.modules["next"] = Module("next", 20, {"forward": 1}, {"forward": "visible"})
    submission = Submission("x", {"own": OWN, "next": OWN}, {})
    report = grade(suite, submission, broker, seed=1, fit="off")
    assert failed(report) == {"own.forward"}
    said = message(checks_of(report)["own.forward"])
    assert "the checks of own have used up their time, half of what was left of the 2 s" in said
