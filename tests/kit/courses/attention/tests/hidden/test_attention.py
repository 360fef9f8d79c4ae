"""The hidden suite for attention.py."""

import pytest
import torch.nn.functional as F
from torch import Tensor

from autograder.suite import properties
from autograder.suite.failures import why
from autograder.suite.parity import compare
from autograder.suite.sampler import Sampler
from autograder.suite.student import Input, Layer, Student

from reference import SelfAttention

SHAPES = [(2, 3, 4, 5), (1, 4, 4, 2), (3, 1, 6, 3), (2, 5, 1, 4)]
"""Samples, queries, keys, features."""


def given(sampler: Sampler, shape: tuple[int, int, int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Query, key and value; the values have one feature more."""
    n, queries, keys, features = shape
    sizes = ((queries, features), (keys, features), (keys, features + 1))
    query, key, value = (sampler.normal(n, *size) for size in sizes)
    return query, key, value


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_values(student: Student, sampler: Sampler, shape: tuple[int, int, int, int]) -> None:
    """Each query gets the mean of the values, weighted by its shares.

    handouts/attention.md, "The idea".
    """
    asked = given(sampler, shape)
    expected = F.scaled_dot_product_attention(*asked)
    compare("the output", student.attention(*asked), expected)


def test_own_softmax(student: Student, sampler: Sampler) -> None:
    """The shares come from the softmax that the module imports.

    handouts/attention.md, "What is asked": over a softmax times a secret factor, the output follows it.
    """
    factor = sampler.number(1.5, 3)
    query, key, value = given(sampler, (2, 3, 4, 5))
    expected = F.scaled_dot_product_attention(query, key, value) * factor
    other = student.over_bricks(softmax=factor)
    compare(
        "the output over a softmax that is multiplied by a secret factor",
        other.attention(query, key, value),
        expected,
        reading=why("attention.softmax.another", "Another softmax than your own does the work."),
    )


def make(student: Student, sampler: Sampler, features: int) -> tuple[Layer, SelfAttention]:
    """A layer of the student's with the oracle's weights."""
    oracle = sampler.fill(SelfAttention(features))
    layer: Layer = student.SelfAttention(features)
    layer.load(oracle)
    return layer, oracle


def test_registration(student: Student) -> None:
    """query, key and value are registered, each (features, features).

    handouts/attention.md, "What is asked".
    """
    properties.registered_like(SelfAttention(4), student.SelfAttention(4))


@pytest.mark.parametrize("shape", [(2, 3, 4), (1, 5, 3), (4, 1, 6)], ids=str)
def test_forward(student: Student, sampler: Sampler, shape: tuple[int, int, int]) -> None:
    """The output is that of scaled dot-product attention.

    handouts/attention.md, "What trips people up".
    """
    layer, oracle = make(student, sampler, shape[-1])
    properties.forward(layer, oracle, Input(sampler.normal(*shape)))


def test_gradient_parity(student: Student, sampler: Sampler) -> None:
    """The gradients of the input and of every weight are torch's.

    handouts/attention.md, "The idea".
    """
    layer, oracle = make(student, sampler, 4)
    properties.gradients(layer, oracle, Input(sampler.normal(2, 3, 4)), sampler)
