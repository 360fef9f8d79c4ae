"""No reply makes the grader itself fail: whatever a worker says, it costs at most its own check."""

import random
from types import SimpleNamespace

import pytest
import torch
from conftest import checks_of, failed
from replies_lab import LyingBroker

from autograder.export import json, junit
from autograder.grading import grade
from autograder.submission import Submission
from autograder.suite.failures import CheckFailed
from autograder.suite.student import Student


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
    assert "expected Step(loss, w, b)" in checks_of(report)["gradient_loop.train_manual"].message


@pytest.mark.parametrize("handles", [[], [1], [1, 2, 3], [1, "2"], [1, []], [1, 1e308], [True, 2]])
def test_handles_of_kept_tensors_are_as_many_numbers_as_were_sent(handles):
    bench = SimpleNamespace(module="tower", ask=lambda *_: ({"handles": handles}, {}))
    with pytest.raises(CheckFailed, match="cannot be read as an answer"):
        Student(bench, None).keep(torch.zeros(1), torch.zeros(1))
