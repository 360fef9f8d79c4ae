"""Cases in order, each a little harder than those before it: the first to fail says what is wrong."""

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import pytest

from autograder.suite.failures import CheckFailed
from autograder.suite.ranges import Drawn, Ranges
from tower_student.language import mark, tr
from tower_student.text import listed

CaseT = TypeVar("CaseT")
Test = Callable[..., None]
DRAWN = mark("random questions")
MAX_TRAITS = 3
"""That a failure lists: of many that are new at once, none says much."""


def one_by_one(
    name: str,
    cases: Sequence[CaseT],
    traits: Callable[[CaseT], Iterable[str]],
    ids: Callable[[CaseT], str] = str,
    drawn: Sequence[Ranges[CaseT]] = (),
    group: Callable[[CaseT], str] | None = None,
) -> Callable[[Test], Any]:
    """Parametrise a hidden test over `cases`, which it takes one at a time as the argument `name`.

    A check ends with its first failure, so the cases before that one were right: the failure says which
    of its `traits` none of them had.

    Args:
        cases: simple ones first.
        traits: what there is to a case, in words, such as "no bias".
        ids: the name of a case, from which `sampler` takes its numbers.
        drawn: questions of the same kind, asked after these.
        group: what a case has in common with others, in words that are marked for translation: where
            course.toml lists the check under `partial`, each group of cases earns a share of its points, and
            the drawn ones are a group of their own.
    """
    questions = [*cases, *(case for ranges in drawn for case in ranges.cases())]

    def decorate(test: Test) -> Any:
        @functools.wraps(test)
        def with_novelty(**given: Any) -> None:
            if isinstance(given[name], Drawn):
                given[name].judge(test, name, given)
                return
            try:
                test(**given)
            except CheckFailed as failure:
                raise failure.knowing(novelty(given[name], cases, traits)) from None

        def parameter(case: Any) -> Any:
            drawn = isinstance(case, Drawn)
            words = DRAWN if drawn else group(case) if group else ""
            return pytest.param(
                case, id=str(case) if drawn else ids(case), marks=pytest.mark.group(words)
            )

        return pytest.mark.parametrize(name, list(map(parameter, questions)))(with_novelty)

    return decorate


def novelty(case: CaseT, cases: Sequence[CaseT], traits: Callable[[CaseT], Iterable[str]]) -> str:
    """Return what sets a case apart from those before it, as a sentence; "" where nothing does."""
    before = cases[: cases.index(case)]
    known = {trait for earlier in before for trait in traits(earlier)}
    new = [trait for trait in traits(case) if trait not in known]
    if not before or not new:
        return ""
    return tr("All cases before this one. New in it: {traits}.", traits=listed(new, MAX_TRAITS))
