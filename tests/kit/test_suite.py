"""What the hidden suite is written with: comparison, statistics, and the stages of messages."""

import math

import pytest
import torch

from autograder.report import Feedback
from autograder.sandbox.values import Opaque
from autograder.suite import statistics
from autograder.suite.candidates import Candidate, candidates_of, table
from autograder.suite.cases import novelty, one_by_one
from autograder.suite.failures import CheckFailed, why
from autograder.suite.outputs import misread
from autograder.suite.parity import Count, compare, compare_counts, compare_number
from autograder.suite.sampler import Sampler
from autograder.suite.tolerances import KOLMOGOROV_SMIRNOV

EXPECTED = torch.tensor([[1.0, -2.0, 3.0], [4.0, 5.5, -6.0]], dtype=torch.float64)

STAGES = {
    "type": (None, "the output is None; expected a tensor of shape (2, 3)"),
    "object": (Opaque("numpy.ndarray"), "the output is a numpy.ndarray"),
    "shape": (EXPECTED.flatten(), "the output has shape (6,); expected (2, 3)"),
    "transposed": (EXPECTED.t(), "value.exchanged"),
    "dtype": (EXPECTED.float(), "the output is float32; expected float64"),
    "nan": (EXPECTED * math.nan, "6 of 6 values that are NaN or infinite"),
    "value": (
        EXPECTED + torch.eye(2, 3),
        "2 of 6 values, most at index (0, 0): got 2, expected 1.",
    ),
    "sign": (-EXPECTED, "value.sign"),
    "factor": (EXPECTED * 2.5, "value.factor"),
    "zero": (EXPECTED * 0, "value.zero"),
    "reversed": (EXPECTED.flip(1), "value.reversed"),
    "order": (EXPECTED.flatten()[[0, 2, 1, 3, 4, 5]].reshape(2, 3), "value.order"),
}


@pytest.mark.parametrize("stage", STAGES)
def test_the_first_stage_that_fails_is_named(stage):
    got, words = STAGES[stage]
    with pytest.raises(CheckFailed) as raised:
        compare("the output", got, EXPECTED)
    assert words in raised.value.found or words == raised.value.cause.id


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
    draws = [
        Sampler(seed, name).normal(5) for seed, name in ((1, "a"), (1, "a"), (2, "a"), (1, "b"))
    ]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    assert not torch.equal(draws[0], draws[3])


WHY = why("it.why", "This is why.")
OFTEN = why("it.often", "As is often so.")
MONDAY = why("it.monday", "It is Monday.")


def test_a_cause_is_searched_for_once_and_only_if_it_is_used():
    searches = []

    def search():
        searches.append("one")
        return WHY

    failure = CheckFailed("It differs.", cause=search)
    assert searches == []
    assert failure.feedback("a question").cause == WHY
    assert failure.feedback("a question").cause == WHY
    assert searches == ["one"]


def test_a_search_that_fails_finds_nothing_and_the_verdict_stands():
    failure = CheckFailed("It differs.", cause=lambda: WHY if 1 / 0 else None, reading=OFTEN)
    assert failure.knowing(lambda: str(1 / 0)).feedback("a question").cause == OFTEN
    assert failure.knowing(lambda: str(1 / 0)).feedback("a question").right == ""


def test_a_known_cause_comes_before_circumstances_and_readings():
    failure = CheckFailed("It differs.", reading=OFTEN)
    assert failure.beside(MONDAY).cause == MONDAY
    assert failure.beside(None).cause == OFTEN
    assert failure.beside(MONDAY).because(WHY).cause == WHY
    assert failure.because(WHY).beside(MONDAY).cause == WHY
    assert failure.because(None).because(lambda: WHY).cause == WHY
    assert CheckFailed("It differs.", cause=OFTEN).because(WHY).cause == WHY
    assert CheckFailed("It differs.", cause=WHY).because(None).cause == WHY


def test_what_is_right_and_quoted_stays_with_a_failure_that_gets_a_cause():
    failure = CheckFailed("It differs.", right="Its shape.", quoted=["a line"]).because(WHY)
    assert failure.knowing("Its sign.").feedback("it") == Feedback(
        "it", "It differs.", ("a line",), "Its shape.", WHY
    )
    assert CheckFailed("It differs.").knowing("Its sign.").right == "Its sign."


def test_a_cause_has_its_values_in_its_sentence():
    cause = why("value.factor", "It is {factor:.3g} times {what}.", factor=2.0, what="{it}")
    explained = CheckFailed("", cause=cause).feedback("").cause
    assert explained is not None
    assert explained.text == "It is 2 times {it}."
    assert cause.values == {"factor": 2.0, "what": "{it}"}
    assert why("value.sign", "Braces {stay} as they are.").text == "Braces {stay} as they are."


def test_a_table_names_its_causes_in_order():
    known = why("value.sign", "The sign is flipped.")
    rows = table(
        "layer.scale",
        {"what": "it"},
        twice=("Twice {what}.", 2.0),
        sign=(known, -1.0),
        root__missing=("No root of {what}.", 4.0),
    )
    assert list(rows) == [
        (why("layer.scale.twice", "Twice {what}.", what="it"), 2.0),
        (known, -1.0),
        (why("layer.scale.root.missing", "No root of {what}.", what="it"), 4.0),
    ]
    half = why("layer.half", "Halved.")
    assert list(candidates_of("layer", half=("Halved.", list))) == [Candidate(half, list)]
    found = statistics.distributions("layer", half=("Halved.", "half", 0.5))
    assert list(found) == [statistics.Distribution(half, "half", 0.5)]


CASES = [{"a"}, {"a", "b"}, {"b", "c", "d"}, {"a", "c"}]


def test_a_case_tells_what_no_case_before_it_had():
    said = [novelty(case, CASES, sorted) for case in CASES]
    assert said[0] == said[3] == ""
    assert said[1].endswith("New in it: b.")
    assert said[2].endswith("New in it: c, d.")


def test_a_failure_says_what_is_new_in_its_case():
    @one_by_one("case", CASES, sorted)
    def test(case):
        raise CheckFailed("It differs.", cause=WHY if "d" in case else None)

    with pytest.raises(CheckFailed) as raised:
        test(case=CASES[1])
    assert raised.value.cause is None
    assert raised.value.right == "All cases before this one. New in it: b."
    with pytest.raises(CheckFailed) as raised:
        test(case=CASES[2])
    assert raised.value.cause == WHY
    assert raised.value.right == "All cases before this one. New in it: c, d."


DOUBLED = why("it.doubled", "Doubled.")
ONE = why("it.one", "One.")


def counts(*got):
    """Squares of 1, 2, 3; one candidate doubles, one is constant."""
    return [
        Count(f"The square of {i}", value, i * i, lambda i=i: {DOUBLED: 2 * i, ONE: 1})
        for i, value in enumerate(got, 1)
    ]


ANSWERS = {  # answers, and the cause that explains them
    (2, 4, 6): ("Doubled.", "1 of 3 answers."),
    (1, 1, 1): ("One.", "1 of 3 answers."),
    (1, 4, 6): ("", "2 of 3 answers."),  # one wrong number alone may be so by chance
    (1, 6, 8): ("", "1 of 3 answers."),
    (2, 4, 7): ("", "1 of 3 answers."),
    (1, 1, 6): ("", "1 of 3 answers."),
}


@pytest.mark.parametrize("got", ANSWERS, ids=str)
def test_a_cause_explains_every_wrong_number_and_says_if_not_every_one(got):
    with pytest.raises(CheckFailed) as raised:
        compare_counts(counts(*got))
    said = raised.value.feedback("").cause
    assert (said.text if said else "", raised.value.right) == ANSWERS[got]


def test_numbers_that_are_tensors_have_a_cause_of_their_own():
    with pytest.raises(CheckFailed, match="expected a float") as raised:
        compare_counts(counts(1, 4, torch.tensor(9.0)))
    assert raised.value.cause.id == "value.item"


def test_rounding_errs_in_both_directions():
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(50, dtype=torch.float64, generator=generator)
    for got, words in (
        (values * (1 + 5e-7 * values.sign().cumsum(0).sin()), "value.float32"),
        (values.bfloat16().double(), "value.half"),
        (values * 1.005, "value.factor"),
    ):
        with pytest.raises(CheckFailed) as raised:
            compare("it", got, values)
        assert raised.value.cause.id == words


def test_memory_that_is_misread_is_told_apart_from_memory_that_is_read_elsewhere():
    base = torch.arange(24.0, dtype=torch.float64)
    transposed, moved = base[:12].view(3, 4).t(), base[5:17].view(3, 4)
    contiguous, beginning, _ = misread(transposed).items()
    assert contiguous[0].id == "memory.strides"
    assert torch.equal(contiguous[1](), base[:12].view(4, 3))
    assert torch.equal(beginning[1](), transposed)
    _, beginning, _ = misread(moved).items()
    assert beginning[0].id == "memory.offset"
    assert torch.equal(beginning[1](), base[:12].view(3, 4))
