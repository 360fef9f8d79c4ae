"""Drawn questions: what a run asks about, and how a failing one is reported."""

import pytest
from keep_mutant import differences

from autograder.suite.failures import CheckFailed
from autograder.suite.ranges import Drawn, Ranges, Span
from autograder.suite.sampler import VALUES, Sampler

SPANS = {
    "rows": Span("{n} rows", 1, 4, 500),
    "columns": Span("{n} columns", 0, 3, 40, least=1),
    "layout": Span("the layout {n}", 0, 1, names=("plain", "odd")),
}
SEEDS = range(20)


def area(row):
    return row["rows"] * row["columns"]


def ranges(**options):
    return Ranges(SPANS, dict, area, **{"max_work": 1000, **options})


def rows(seed, check="test_it"):
    return ranges().rows(Sampler(seed, check))


@pytest.mark.parametrize("seed", SEEDS)
def test_each_level_is_asked_about_in_every_run(seed):
    asked = rows(seed)
    assert {1, 2, 3, 4} <= {row["rows"] for row in asked}
    assert {0, 1, 2, 3} <= {row["columns"] for row in asked}
    assert {0, 1} == {row["layout"] for row in asked}
    for low, high in ((5, 14), (15, 44), (45, 134), (135, 404), (405, 500)):
        assert any(low <= row["rows"] <= high for row in asked)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_question_is_more_work_than_allowed(seed):
    assert max(map(area, rows(seed))) <= 1000
    assert max(map(area, ranges(max_work=60).rows(Sampler(seed, "test_it")))) <= 60


def test_a_seed_repeats_a_run_and_checks_have_their_own():
    assert rows(1) == rows(1)
    assert rows(1) != rows(2)
    assert rows(1) != rows(1, check="test_other")


def test_a_case_draws_the_same_whenever_it_is_asked_about():
    first, second = (Sampler(1, f"test_it[drawn_{i}]").of_case({"rows": 3}) for i in (1, 2))
    assert first.seed() == second.seed()


@pytest.mark.parametrize("kind", VALUES)
def test_values_are_of_their_kind(kind):
    x = Sampler(1, kind).values(kind, 400)
    holds = {
        "positive": (x > 0).all(),
        "between 0 and 1": ((x >= 0) & (x <= 1)).all(),
        "negative": (x < 0).all(),
        "tens": 10 < x.abs().max() < 1000,
        "thousands": x.abs().max() > 1000,
        "tiny": x.abs().max() < 1,
        "far from zero": x.mean().abs() > 2,
        "whole": (x == x.round()).all(),
        "mostly zero": (x == 0).double().mean() > 0.6,
    }
    assert bool(holds.get(kind, x.std() < 2))


def failing(condition):
    def test(case, sampler):
        if condition(case):
            raise CheckFailed(f"wrong for {case}")

    return test


def failure_of(condition, seed=1):
    share = Drawn(ranges(), 0, 1)
    with pytest.raises(CheckFailed) as raised:
        share.judge(failing(condition), "case", {"sampler": Sampler(seed, "test_it[drawn_1]")})
    return raised.value


@pytest.mark.parametrize("bound", [3, 7, 20, 100])
def test_the_smallest_question_that_fails_is_reported(bound):
    failure = failure_of(lambda case: case["rows"] > bound)
    smallest = {"rows": bound + 1, "columns": 0, "layout": 0}
    assert failure.found == f"wrong for {smallest}"
    assert failure.right == f"The same question with {bound} rows."


def test_all_numbers_that_matter_are_named():
    failure = failure_of(lambda case: case["rows"] > 2 and case["columns"] > 1 and case["layout"])
    smallest = {"rows": 3, "columns": 2, "layout": 1}
    assert failure.found == f"wrong for {smallest}"
    assert failure.right == "The same question with 2 rows or 1 columns or the layout plain."


def test_what_fails_for_any_numbers_is_said_to_be_drawn():
    assert failure_of(lambda case: True).right.startswith("All named questions")


def test_what_passes_raises_nothing():
    Drawn(ranges(), 0, 1).judge(
        failing(lambda case: False), "case", {"sampler": Sampler(1, "test_it[drawn_1]")}
    )


SOLUTION = '''"""A solution."""
import math


def half(x):
    """Half."""
    return x / 2


class Layer(Module):
    """A layer."""

    def __init__(self):
        super().__init__()

    def forward(self, x):
        return half(x)
'''


def test_a_kept_mutant_holds_what_differs():
    wrong = SOLUTION.replace("return half(x)", "return half(x) if len(x) < 9 else x").replace(
        '    """Half."""\n', ""
    )
    kept = differences(SOLUTION, wrong)
    assert (
        kept
        == "class Layer:\n\n    def forward(self, x):\n        return half(x) if len(x) < 9 else x"
    )


def test_a_kept_mutant_has_no_statements_of_its_own():
    with pytest.raises(ValueError, match="line 2: only functions"):
        differences(SOLUTION, SOLUTION.replace("import math", "import cmath"))
