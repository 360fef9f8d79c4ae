"""Modules that are judged side by side get the same report as one after the other."""

import signal
import threading
import time
from dataclasses import replace
from functools import partial

import pytest
from helpers import ROOT, checks_of
from test_grading import suite_of_one

from autograder.broker import Broker
from autograder.course import Module
from autograder.errors import CourseError, GraderFault
from autograder.grading import grade
from autograder.sandbox import protocol, wire
from autograder.suite import lanes as lanes_module
from autograder.suite.failures import CheckFailed, why
from autograder.suite.lanes import Lanes
from tower_student.submission import Submission, read_submission

PATIENCE = 60.0
MODULES = ("one", "two", "three")
SUBMISSION = Submission("x", dict.fromkeys(MODULES, b"value = 1\n"), {})
PASSES = "def test_forward(student):\n    pass\n"


@pytest.fixture
def idle(course):
    """A broker that has started nothing."""
    with Broker(course.policy) as broker:
        yield broker


def suite_of_three(course, folder, **texts):
    """A course of three modules with a check each, which passes unless its text is given."""
    small = suite_of_one(course, folder, "", import_seconds=0.2, check_seconds=0.2)
    for name in MODULES:
        text = texts.get(name, PASSES)
        (folder / "tests" / "hidden" / f"test_{name}.py").write_text(text)
    weights, shown = {"forward": 1}, {"forward": "visible"}
    modules = {name: Module(name, 20, weights, shown) for name in MODULES}
    return replace(small, modules=modules)


def untimed(report):
    """A report without what is another in every run."""
    modules = tuple(
        replace(module, checks=tuple(replace(check, seconds=0.0) for check in module.checks))
        for module in report.modules
    )
    return replace(report, seconds=0.0, modules=modules)


@pytest.mark.parametrize("path", ["solutions", "tests/bank/samples/flawed"])
def test_the_report_is_the_same(course, broker, path):
    submission = read_submission(ROOT / path, list(course.modules))
    given = {"seed": 5, "fit": "off", "device": "simulated"}
    one, three = (grade(course, submission, broker, lanes=n, **given) for n in (1, 3))
    assert untimed(one) == untimed(three)
    assert broker.times.turn is None


HANGS = "def test_forward(student):\n    student.sleeps(600)\n"


def test_modules_that_hang_leave_time_for_the_others(tmp_path, course, broker):
    """Three lanes begin with nothing used: each may have a half of what the others leave."""
    small = suite_of_three(course, tmp_path, one=HANGS, two=HANGS)
    policy = replace(small.policy, check_seconds=5.0, submission_seconds=1.0)
    report = grade(replace(small, policy=policy), SUBMISSION, broker, seed=1, fit="off", lanes=3)
    assert not report.faults
    statuses = {name: check.status for name, check in checks_of(report).items()}
    assert statuses["three.forward"] == "passed"


def test_a_worker_is_not_starved_while_its_lane_waits_for_the_turn(broker):
    """It is waited for by the wall, here for 20 times 0.02 s."""
    asked, answers = threading.Event(), []

    def computes():
        with broker.waiting():
            assert asked.wait(PATIENCE)
        time.sleep(1)

    def asks():
        with broker.worker() as worker:
            worker.allow(0.02)
            asked.set()
            text = wire.RawTensor("linear", "uint8", (5,), b"x = 1")
            answers.append(worker.ask(protocol.Survey("linear"), [text]))

    Lanes(broker, 2, {"a": computes, "b": asks}, {"a": (), "b": ()}).run()
    assert len(answers) == 1


def test_a_job_waits_until_what_it_needs_is_under_way(idle):
    order = []

    def brick():
        with idle.waiting():
            time.sleep(0.05)
        order.append("brick")
        lanes.begin("brick")
        with idle.waiting():
            pass

    def tower():
        lanes.wait_for("brick", begun=True)
        order.append("tower")

    needs = {"brick": (), "tower": ("brick",)}
    lanes = Lanes(idle, 2, {"brick": brick, "tower": tower}, needs)
    lanes.run()
    assert order == ["brick", "tower"]
    assert lanes.is_done("tower")


def test_a_job_begins_when_those_that_it_needs_have_begun_and_can_wait_for_them(idle):
    begun, done = [], []

    def job(name, *wanted):
        begun.append(name)
        for one in wanted:
            lanes.wait_for(one)
        with idle.waiting():
            pass
        done.append(name)

    needs = {"top": ("a", "b"), "a": ("b",), "b": (), "left": ()}
    lanes = Lanes(idle, 2, {name: partial(job, name, *needs[name]) for name in needs}, needs)
    lanes.run()
    assert sorted(done) == ["a", "b", "left", "top"]
    assert begun.index("b") < begun.index("a") < begun.index("top")
    assert done.index("b") < done.index("a") < done.index("top")


def test_a_cause_is_searched_in_two_lanes_at_once(idle):
    """functools.cached_property has a lock until Python 3.12."""
    met = threading.Barrier(2, timeout=PATIENCE)

    def search():
        with idle.waiting():
            met.wait()
        return why("value.sign", "Found.")

    found = []
    jobs = dict.fromkeys("ab", lambda: found.append(CheckFailed("", cause=search).cause))
    Lanes(idle, 2, jobs, {"a": (), "b": ()}).run()
    assert [cause.id for cause in found] == ["value.sign"] * 2


def test_one_lane_computes_while_another_waits(idle):
    computing, met = [], threading.Barrier(2, timeout=PATIENCE)

    def job():
        computing.append(1)
        assert len(computing) == 1
        computing.pop()
        with idle.waiting():
            met.wait()  # both are here at once, or the barrier breaks
        computing.append(1)
        assert len(computing) == 1
        computing.pop()

    Lanes(idle, 2, {"a": job, "b": job}, {"a": (), "b": ()}).run()


def test_what_is_shared_is_asked_by_one_at_a_time(idle):
    inside = threading.Event()

    def first():
        with idle.waiting():
            pass
        with idle.undisturbed(), idle.waiting():
            inside.set()
            assert not other.wait(0.2)

    def second():
        with idle.waiting():
            assert inside.wait(PATIENCE)
        other.set()

    other = threading.Event()
    Lanes(idle, 2, {"a": first, "b": second}, {"a": (), "b": ()}).run()


def test_what_one_raises_calls_the_others_off(idle):
    ended = []

    def fails():
        raise CourseError("broken")

    def goes_on():
        try:
            while True:
                with idle.waiting():
                    pass
        except KeyboardInterrupt:
            ended.append("called off")
            raise

    with pytest.raises(CourseError, match="broken"):
        Lanes(idle, 2, {"a": goes_on, "b": fails}, {"a": (), "b": ()}).run()
    assert ended == ["called off"]
    assert idle.times.turn is None


def test_ctrl_c_calls_all_off(idle):
    def goes_on():
        signal.raise_signal(signal.SIGINT)  # heard in the main thread
        while True:
            with idle.waiting():
                pass

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        Lanes(idle, 2, {"a": goes_on, "b": goes_on}, {"a": (), "b": ()}).run()
    deadline = time.monotonic() + PATIENCE
    while threading.active_count() > before:
        assert time.monotonic() < deadline


def test_ctrl_c_may_come_before_a_lane_has_begun(idle, monkeypatch):
    start = threading.Thread.start

    def interrupted(thread):
        if begun:
            raise KeyboardInterrupt
        begun.append(thread)
        start(thread)

    begun = []
    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Lanes(idle, 2, {"a": lambda: None, "b": lambda: None}, {"a": (), "b": ()}).run()
    assert idle.times.turn is None


def test_a_hidden_test_that_computes_without_end_is_a_fault_of_its_check_alone(
    tmp_path, course, broker
):
    """It swallows errors; a Timeout is none."""
    text = (
        "def test_forward(student):\n    while True:\n        try:\n            sum(range(1000))\n"
        "        except Exception:\n            pass\n"
    )
    report = grade(
        suite_of_three(course, tmp_path, two=text), SUBMISSION, broker, seed=1, fit="off", lanes=2
    )
    assert [fault.partition(":")[0] for fault, _ in report.faults] == ["two.forward"]
    assert "Timeout: The hidden test took longer than 3.2 s." in report.faults[0][0]
    assert {name: check.status for name, check in checks_of(report).items()} == {
        "one.forward": "passed",
        "two.forward": "not_verified",
        "three.forward": "passed",
    }


def test_a_hidden_test_that_cannot_be_stopped_is_a_fault_of_the_grader(
    tmp_path, course, broker, monkeypatch
):
    monkeypatch.setattr(lanes_module, "CALL_OFF_SECONDS", 0.1)
    text = "import time\ndef test_forward(student):\n    time.sleep(8)\n"
    small = suite_of_three(course, tmp_path, two=text)
    with pytest.raises(GraderFault, match="could not be stopped"):
        grade(small, SUBMISSION, broker, seed=1, fit="off", lanes=2)


def test_a_case_for_pytest_is_judged_all_the_same(tmp_path, course, broker):
    text = "def test_forward(student, tmp_path):\n    assert tmp_path.is_dir()\n"
    small = suite_of_three(course, tmp_path, two=text)
    report = grade(small, SUBMISSION, broker, seed=1, fit="off", lanes=2)
    assert report.score == 60
