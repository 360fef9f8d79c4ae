"""The hidden suite for softmax.py."""

import re

import pytest
import torch
from torch import Tensor

from autograder.suite import properties
from autograder.suite.candidates import Candidate
from autograder.suite.failures import why
from autograder.suite.parity import compare
from autograder.suite.sampler import Sampler
from autograder.suite.student import Input, Student

CASES = [
    ((4, 5), -1, 1.0),
    ((3, 6), 0, 1.0),
    ((2, 3, 4), 1, 1.0),
    ((7,), 0, 1.0),
    ((5, 3), -1, 1e4),
]
by_case = pytest.mark.parametrize(("shape", "dim", "size"), CASES, ids=str)


@by_case
def test_values(
    student: Student, sampler: Sampler, shape: tuple[int, ...], dim: int, size: float
) -> None:
    """The shares are torch's, along any dimension and for scores of any size.

    handouts/softmax.md, "The arithmetic, worked".
    """
    x = size * sampler.normal(*shape)
    candidates = [
        Candidate(
            why("softmax.dim.ignored", "The shares run along the last dimension, whatever dim is."),
            x.softmax(-1),
        ),
        Candidate(
            why("softmax.dim.all", "The shares are taken over all numbers."),
            lambda: x.flatten().softmax(0).view(shape),
        ),
    ]
    compare("the shares", student.softmax(x, dim), x.softmax(dim), candidates=candidates)


@by_case
def test_gradient(
    student: Student, sampler: Sampler, shape: tuple[int, ...], dim: int, size: float
) -> None:
    """The gradient is torch's.

    handouts/softmax.md, "The idea".
    """
    x = (size * sampler.normal(*shape)).requires_grad_()
    expected = x.softmax(dim)
    upstream = sampler.normal(*shape)
    properties.backward(expected, upstream)
    answer = student.call("softmax", Input(x.detach(), requires_grad=True), dim, upstream=upstream)
    assert isinstance(x.grad, Tensor)
    compare("the gradient of the input", answer.gradients.get("input"), x.grad)


def test_by_hand(student: Student, sampler: Sampler) -> None:
    """No softmax of torch's does the work.

    handouts/softmax.md, "What is asked".
    """
    x = sampler.normal(3, 4)
    answer = student.call("softmax", x, -1, watch=True)
    properties.by_hand(student, answer.seen, re.compile("softmax"))
    compare("the shares", answer.value, torch.softmax(x, -1))
