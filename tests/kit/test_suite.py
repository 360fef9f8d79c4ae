"""What the hidden suite is written with: comparison, statistics, and the ladder of messages."""

import math

import pytest
import torch

from autograder.sandbox.values import Opaque
from autograder.suite import statistics
from autograder.suite.draw import Draw
from autograder.suite.failures import CheckFailed
from autograder.suite.parity import compare, compare_number
from autograder.suite.tolerances import KOLMOGOROV_SMIRNOV

EXPECTED = torch.tensor([[1.0, -2.0, 3.0], [4.0, 5.5, -6.0]], dtype=torch.float64)

RUNGS = {
    "type": (None, "the output is None; expected a tensor of shape (2, 3)"),
    "object": (Opaque("numpy.ndarray"), "the output is a numpy.ndarray"),
    "shape": (EXPECTED.flatten(), "the output has shape (6,); expected (2, 3)"),
    "transposed": (EXPECTED.t(), "The last two dimensions are exchanged."),
    "dtype": (EXPECTED.float(), "the output is float32; expected float64"),
    "nan": (EXPECTED * math.nan, "6 of 6 values that are NaN or infinite"),
    "value": (
        EXPECTED + torch.eye(2, 3),
        "2 of 6 values, most at index (0, 0): got 2, expected 1.",
    ),
    "sign": (-EXPECTED, "The sign is flipped."),
    "factor": (EXPECTED * 2.5, "Every value is 2.5 times what it should be."),
    "zero": (EXPECTED * 0, "Every value is zero."),
    "reversed": (EXPECTED.flip(1), "The values along dimension 1 run in reverse order."),
    "order": (EXPECTED.flatten()[[0, 2, 1, 3, 4, 5]].reshape(2, 3), "in the wrong order"),
}


@pytest.mark.parametrize("rung", RUNGS)
def test_the_first_rung_that_breaks_is_named(rung):
    got, words = RUNGS[rung]
    with pytest.raises(CheckFailed) as raised:
        compare("the output", got, EXPECTED)
    assert words in raised.value.message("a question")


def test_equal_values_pass_and_a_difference_above_the_tolerance_does_not():
    compare("it", EXPECTED * (1 + 1e-9), EXPECTED)
    with pytest.raises(CheckFailed):
        compare("it", EXPECTED * (1 + 1e-6), EXPECTED)


@pytest.mark.parametrize("got", [True, None, torch.tensor(3.0), "3", math.nan, 4, 3.1])
def test_a_number_that_is_not_the_one_expected_fails(got):
    with pytest.raises(CheckFailed):
        compare_number("it", got, 3)


def test_a_whole_number_has_to_be_an_int():
    compare_number("it", 3, 3, whole=True)
    compare_number("it", 3, 3.0)
    with pytest.raises(CheckFailed, match="expected an int"):
        compare_number("it", 3.0, 3, whole=True)


def uniform(n, bound, seed=0):
    return (2 * torch.rand(n, generator=torch.Generator().manual_seed(seed)) - 1) * bound


@pytest.mark.parametrize("seed", range(50))
def test_honest_draws_pass(seed):
    generator = torch.Generator().manual_seed(seed)
    statistics.uniform("it", uniform(20_000, 0.3, seed), 0.3)
    statistics.normal("it", 0.7 * torch.randn(20_000, generator=generator), 0.7)


WRONG = {
    "zeros": torch.zeros(20_000),
    "too wide": uniform(20_000, 0.33),
    "too narrow": uniform(20_000, 0.28),
    "one-sided": uniform(20_000, 0.3).abs(),
    "normal of the same spread": torch.randn(20_000) * 0.3 / math.sqrt(3),
    "repeated": uniform(200, 0.3).repeat(100),
    "nan": uniform(20_000, 0.3).index_fill(0, torch.tensor([5]), math.nan),
    "one outlier": uniform(20_000, 0.3).index_fill(0, torch.tensor([5]), 0.301),
}


@pytest.mark.parametrize("kind", WRONG)
def test_draws_from_another_distribution_fail(kind):
    with pytest.raises(CheckFailed):
        statistics.uniform("it", WRONG[kind], 0.3)


def test_the_false_alarm_rate_is_the_stated_one():
    """P(√n·D > x) → 2·exp(-2x²): at x = 1.0 about 27 %, and at the limit 2.6e-9."""
    samples = [uniform(2000, 1.0, seed).sort().values.double() for seed in range(400)]
    distances = [statistics.kolmogorov_smirnov(x, (x + 1) / 2) for x in samples]
    share = sum(distance > 1.0 for distance in distances) / len(distances)
    assert abs(share - 2 * math.exp(-2)) < 0.07
    assert 2 * math.exp(-2 * KOLMOGOROV_SMIRNOV**2) < 3e-9


def test_draws_depend_on_seed_and_name_alone():
    draws = [Draw(seed, name).normal(5) for seed, name in ((1, "a"), (1, "a"), (2, "a"), (1, "b"))]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    assert not torch.equal(draws[0], draws[3])
