"""No reply makes the grader itself fail: whatever a worker says, it costs at most its own check."""

import itertools
import random

import pytest
import torch
from helpers import checks_of, failed
from replies_lab import LyingBroker

from autograder.export import json, junit
from autograder.export.view import message
from autograder.grading import grade
from autograder.suite.failures import CheckFailed
from autograder.suite.student import Student
from tower_student.submission import Submission


@pytest.fixture(autouse=True)
def _the_machine_is_sound(monkeypatch):
    """Its own test has workers that do not lie; here there are none."""
    monkeypatch.setattr("autograder.suite.workers.demand_sound", lambda *given, **options: None)


def graded(course, solutions, seed, rate):
    broker = LyingBroker(course.policy, list(course.modules), random.Random(seed), rate)
    report = grade(course, Submission("x", solutions, {}), broker, seed=seed, fit="off")
    return report, broker.lies


def test_the_broker_of_this_lab_is_honest_when_it_does_not_lie(course, solutions):
    report, lies = graded(course, solutions, seed=1, rate=0)
    assert (report.score, report.max_score, lies) == (100, 100, 0)


@pytest.mark.parametrize("seed", range(6))
def test_replies_that_lie_never_make_the_grader_itself_fail(course, solutions, seed):
    """A short round of fuzz/fuzz_replies.py."""
    report, lies = graded(course, solutions, seed, rate=(0.01, 0.05, 0.3)[seed % 3])
    assert lies
    assert report.faults == ()
    assert len(checks_of(report)) == sum(len(m.weights) for m in course.modules.values())
    json.render(report).encode()
    junit.render(report).encode()


def test_a_tuple_that_says_it_is_a_step_is_judged_by_what_it_holds(judge, solutions):
    source = solutions["gradient_loop"] + (
        b"\n\nclass Claims(tuple):\n    _fields = ('loss', 'w', 'b')\n\n\n"
        b"honest = train_manual\n\n\n"
        b"def train_manual(*given):\n    return [Claims(step[:2]) for step in honest(*given)]\n"
    )
    report = judge({"gradient_loop": source}, only="gradient_loop")
    assert report.faults == ()
    assert "gradient_loop.train_manual" in failed(report)
    assert "expected Step(loss, w, b)" in message(checks_of(report)["gradient_loop.train_manual"])


class Replies:
    """In the place of a Session: keeps what it is asked, and answers with an error where `fails` says so."""

    module = "linear"

    def __init__(self, fails=""):
        self.fails, self.exchanges, self._handles = fails, [], itertools.count()

    def handle(self):
        return next(self._handles)

    def ask_all(self, questions):
        asked = [type(question.request).__name__.lower() for question in questions]
        self.exchanges.append(asked)
        self.last = list(questions)
        for operation in asked:
            yield {"error": operation} if operation == self.fails else LAYER, {}

    def demand(self, reply):
        if "error" in reply:
            raise CheckFailed(f"no {reply['error']}")


LAYER = {
    "layer": {"parameters": [], "state": ["weight"], "absent": [], "bases": []},
    "output": None,
}


def test_what_needs_no_answer_is_sent_with_what_does():
    session = Replies()
    student = Student(session, over=None)
    layer = student.CustomLinear(3, 2)
    layer.load({"weight": torch.zeros(2, 3)})
    layer.do("eval")
    assert session.exchanges == []
    layer.run(torch.zeros(1, 3))
    layer.run(torch.zeros(1, 3))
    assert session.exchanges == [["create", "load", "method", "forward"], ["forward"]]
    assert layer.made.state == ("weight",)


@pytest.mark.parametrize("fails", ["create", "load", "method", "forward"])
def test_what_fails_on_the_way_is_reported_by_its_own_name(fails):
    asked = {
        "create": "CustomLinear(3, 2)",
        "load": "CustomLinear(3, 2).load_state_dict(weight)",
        "method": "CustomLinear(3, 2).eval()",
        "forward": "CustomLinear(3, 2) on a float32 input of shape (1, 3)",
    }
    student = Student(Replies(fails), over=None)
    layer = student.CustomLinear(3, 2)
    layer.load({"weight": torch.zeros(2, 3)})
    layer.do("eval")
    with pytest.raises(CheckFailed, match=f"no {fails}"):
        layer.run(torch.zeros(1, 3))
    assert student.asked == asked[fails]


def test_what_waits_is_what_it_was_when_it_was_said():
    session = Replies()
    student, weight = Student(session, over=None), torch.zeros(2, 3)
    layer = student.CustomLinear(3, 2)
    layer.load({"weight": weight})
    weight.fill_(7)
    student.settle()
    assert bytes(session.last[-1].tensors[0].data) == bytes(4 * 6)


def test_what_is_asked_over_stand_ins_is_asked_of_the_student():
    student = Student(Replies(), over=lambda scales: Replies("method"))
    layer = student.over_bricks(brick=2.0).CustomLinear(3, 2)
    assert student.asked == "CustomLinear(3, 2)"
    layer.do("eval")
    student.asked = "the check's own words"
    with pytest.raises(CheckFailed, match="no method"):
        student.settle()
    assert student.asked == "CustomLinear(3, 2).eval()"


def test_a_check_that_ends_by_telling_is_judged_by_what_becomes_of_it(judge, solutions):
    source = solutions["linear"].replace(
        b"    def reset_parameters(self)",
        b"    def eval(self):\n        raise ValueError('never')\n\n    def reset_parameters(self)",
    )
    text = message(checks_of(judge({"linear": source}, only="linear"))["linear.trains"])
    assert "ValueError: never" in text
    assert text.startswith("Asked: CustomLinear(")
    assert ".eval()" in text.splitlines()[0]


def test_an_output_on_the_meta_device_under_watch_is_a_failed_check(judge, solutions):
    """It was asked for on the CPU: a shape alone is no answer, and nothing that was seen belongs to it."""
    source = solutions["linear"].replace(
        b"        output = input @ self.weight.T\n",
        b"        import sys\n"
        b"        if sys.getprofile() is not None:\n"
        b"            return torch.empty(1, device='meta', requires_grad=True)\n"
        b"        output = input @ self.weight.T\n",
    )
    report = judge({"linear": source}, only="linear")
    assert report.faults == ()
    assert "linear.by_hand" in failed(report)
