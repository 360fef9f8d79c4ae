"""What the hidden suite is written with: comparison, statistics, and the ladder of messages."""

import math

import pytest
import torch

from autograder.sandbox.values import Opaque
from autograder.suite import statistics
from autograder.suite.cases import novelty, one_by_one
from autograder.suite.draw import Draw
from autograder.suite.failures import CheckFailed
from autograder.suite.outputs import misread
from autograder.suite.parity import Count, compare, compare_counts, compare_number
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


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_equals_nothing_not_even_itself(value):
    odd = EXPECTED.clone()
    odd[1, 2] = value
    for got, expected in ((odd, EXPECTED), (EXPECTED, odd), (odd, odd)):
        with pytest.raises(CheckFailed):
            compare("it", got, expected)


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


def test_a_cause_is_searched_for_once_and_only_if_it_is_told():
    searches = []

    def search():
        searches.append("one")
        return "This is why."

    failure = CheckFailed("It differs.", cause=search)
    assert searches == []
    assert failure.message("a question").endswith("Likely cause: This is why.")
    assert failure.message("a question").endswith("Likely cause: This is why.")
    assert searches == ["one"]


def test_a_search_that_fails_finds_nothing_and_the_verdict_stands():
    failure = CheckFailed("It differs.", cause=lambda: str(1 / 0), reading="As is often so.")
    assert failure.message("a question").endswith("Likely cause: As is often so.")


def test_a_known_cause_comes_before_circumstances_and_readings():
    failure = CheckFailed("It differs.", reading="As is often so.")
    assert failure.beside("It is Monday.").cause == "It is Monday. As is often so."
    assert failure.beside("").cause == "As is often so."
    assert failure.beside("It is Monday.").because("This is why.").cause == "This is why."
    assert failure.because("This is why.").beside("It is Monday.").cause == "This is why."
    assert failure.because("").because(lambda: "This is why.").cause == "This is why."
    assert CheckFailed("It differs.", cause="First.").because("Second.").cause == "Second."
    assert CheckFailed("It differs.", cause="First.").because("").cause == "First."


CASES = [{"a"}, {"a", "b"}, {"b", "c", "d"}, {"a", "c"}]


def test_a_case_tells_what_no_case_before_it_had():
    said = [novelty(case, CASES, sorted) for case in CASES]
    assert said[0] == said[3] == ""
    assert said[1].endswith("new in it: b.")
    assert said[2].endswith("new in it: c, d.")


def test_a_failure_says_what_is_new_in_its_case_where_nothing_better_is_known():
    @one_by_one("case", CASES, sorted)
    def test(case):
        raise CheckFailed("It differs.", cause="This is why." if "d" in case else "")

    with pytest.raises(CheckFailed) as raised:
        test(case=CASES[1])
    assert raised.value.cause == "The cases before this one were right; new in it: b."
    with pytest.raises(CheckFailed) as raised:
        test(case=CASES[2])
    assert raised.value.cause == "This is why."


def counts(*got):
    """Squares of 1, 2, 3; one suspect doubles, one is constant."""
    return [
        Count(f"The square of {i}", value, i * i, lambda i=i: {"Doubled.": 2 * i, "One.": 1})
        for i, value in enumerate(got, 1)
    ]


ANSWERS = {  # answers, and the cause that explains them
    (2, 4, 6): "Doubled.",
    (1, 1, 1): "One.",
    (1, 4, 6): "Doubled. 2 of 3 questions are answered rightly.",
    (2, 4, 7): "",
    (1, 1, 6): "",
}


@pytest.mark.parametrize("got", ANSWERS, ids=str)
def test_a_cause_explains_every_wrong_number_or_is_not_named(got):
    with pytest.raises(CheckFailed) as raised:
        compare_counts(counts(*got))
    assert raised.value.cause == ANSWERS[got]


def test_numbers_that_are_tensors_have_a_cause_of_their_own():
    with pytest.raises(CheckFailed, match="expected a float") as raised:
        compare_counts(counts(1, 4, torch.tensor(9.0)))
    assert ".item()" in raised.value.cause


def test_rounding_errs_in_both_directions():
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(50, dtype=torch.float64, generator=generator)
    for got, words in (
        (values * (1 + 5e-7 * values.sign().cumsum(0).sin()), "computed in float32"),
        (values.bfloat16().double(), "bfloat16"),
        (values * 1.005, "Every value is 1.005 times"),
    ):
        with pytest.raises(CheckFailed) as raised:
            compare("it", got, values)
        assert words in raised.value.cause


def test_memory_that_is_misread_is_told_apart_from_memory_that_is_read_elsewhere():
    base = torch.arange(24.0, dtype=torch.float64)
    transposed, moved = base[:12].view(3, 4).t(), base[5:17].view(3, 4)
    contiguous, beginning, _ = misread(transposed).items()
    assert "contiguous" in contiguous[0]
    assert torch.equal(contiguous[1](), base[:12].view(4, 3))
    assert torch.equal(beginning[1](), transposed)
    _, beginning, _ = misread(moved).items()
    assert "beginning" in beginning[0]
    assert torch.equal(beginning[1](), base[:12].view(3, 4))
