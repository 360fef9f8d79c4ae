"""Drawn questions: numbers from the run's seed, so that a submission cannot be right for known sizes alone.

Named cases diagnose, drawn ones judge. Of each number of a question, each common value is asked about in
every run, and beyond these one value between each bound and its threefold. The work of a question is limited,
so that large numbers meet small ones. A failing question is reported as the smallest one that fails.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, Generic, NamedTuple, TypeVar

from autograder.report import Cause
from autograder.suite.failures import CheckFailed, TooSlow, partly
from autograder.suite.sampler import Sampler
from tower_student.language import tr

CaseT = TypeVar("CaseT")
Row = dict[str, int]
"""The numbers of one question, by name."""

MAX_WORK = 16_384
"""Of one question, in multiply-adds: a loop over single numbers manages that in time."""
GROWTH = 3
MAX_ATTEMPTS = 60
"""Questions asked to find the smallest one that fails."""


class Span(NamedTuple):
    """What one number of a question ranges over.

    Attributes:
        words: says it, with {n} in its place; marked for translation.
        one: says it where it is 1, if that takes other words.
        low: the lowest, which is the simplest.
        common: each value from `low` to this one is asked about in every run.
        high: beyond `common`, one value between each bound and GROWTH times that is, up to this one.
        names: what stands for 0, 1, 2, … in the question, where they number something.
        least: what it has to be for other numbers to matter, as a stride does from two windows on; it is
            less only where that is asked about. By default `low`.
        both: of each value beyond 100 its neighbour is asked about, too: one of them is odd.
    """

    words: str
    low: int
    common: int
    high: int = 0
    names: Sequence[str] = ()
    least: int | None = None
    one: str = ""
    both: bool = False

    def levels(self, sampler: Sampler) -> Iterator[int]:
        """Yield the values for one run."""
        yield from range(self.low, self.common + 1)
        start = self.common + 1
        while start <= self.high:
            stop = min(GROWTH * start, self.high + 1)
            yield (n := int(sampler.integers(start, stop)))
            if self.both and start > 100:
                yield n ^ 1
            start = stop

    def say(self, n: int) -> str:
        """Return this value in words."""
        words = self.one if self.one and n == 1 else self.words
        return tr(words, n=self.names[n] if self.names else n)


def choice(words: str, names: Sequence[object]) -> Span:
    """Return a span over these, the first the simplest; a row holds their numbers, from 0."""
    return Span(words, 0, len(names) - 1, names=[str(name) for name in names])


class Ranges(Generic[CaseT]):
    """The numbers of a question, and how a question is made of them.

    Args:
        spans: by name. Levels that are too much work are left out.
        build: makes the case of a row; equal rows make equal cases.
        work: the multiply-adds of a row's question.
        max_work: how many a question may take.
        name: what its cases are called, with a number.
    """

    def __init__(
        self,
        spans: Mapping[str, Span],
        build: Callable[[Row], CaseT],
        work: Callable[[Row], int] = lambda row: 0,
        max_work: int = MAX_WORK,
        name: str = "drawn",
    ) -> None:
        self.build, self.name = build, name
        self._spans, self._work, self._max_work = spans, work, max_work
        self._drawn: tuple[object, list[Row]] | None = None

    @cached_property  # checks may share it
    def _count(self) -> int:
        return len(self._draw(Sampler(0, "")))

    def cases(self) -> list["Drawn[CaseT]"]:
        """Return what stands for the drawn questions among the cases of a test."""
        return [Drawn(self, index, self._count) for index in range(self._count)]

    def rows(self, sampler: Sampler) -> list[Row]:
        """Return the rows of a run of a check: each level of each span is in one of them."""
        drawn = self._drawn  # the cases of a check are asked one after the other
        if drawn is None or drawn[0] != sampler.check:
            drawn = self._drawn = sampler.check, self._draw(sampler.of_check(self.name))
        return drawn[1]

    def _draw(self, sampler: Sampler) -> list[Row]:
        simplest = {
            n: span.low if span.least is None else span.least for n, span in self._spans.items()
        }
        works = {
            (name, n): self._work(simplest | {name: n})
            for name, span in self._spans.items()
            for n in span.levels(sampler)
        }
        levels = [level for level, work in works.items() if work <= self._max_work]
        order = [levels[i] for i in sampler.permutation(len(levels)).tolist()]
        order.sort(key=works.__getitem__, reverse=True)
        rows: list[Row] = []
        settled: list[set[str]] = []
        for name, n in order:
            for row, names in zip(rows, settled, strict=True):
                if name not in names and self._takes(row, name, n):
                    break
            else:
                rows.append(simplest | {name: n})
                settled.append(names := set())
            names.add(name)
        for row, names in zip(rows, settled, strict=True):
            self._fill(row, names, sampler)
        return rows

    def _takes(self, row: Row, name: str, n: int) -> bool:
        """Put a number into a row, if its work allows."""
        before, row[name] = row[name], n
        if self._work(row) <= self._max_work:
            return True
        row[name] = before
        return False

    def _fill(self, row: Row, names: Collection[str], sampler: Sampler) -> None:
        """Draw common values for the other numbers of a row, as far as its work allows."""
        spans = list(self._spans.items())
        for name, span in (spans[i] for i in sampler.permutation(len(spans)).tolist()):
            if name not in names:
                self._takes(row, name, int(sampler.integers(row[name], span.common + 1)))

    def smallest(
        self, row: Row, failure: CheckFailed, fails: Callable[[CaseT], CheckFailed | None]
    ) -> CheckFailed:
        """Return how the smallest question fails, beginning with a row that does.

        Numbers are made smaller one by one, down to where the question is answered right.

        Args:
            failure: how the row fails.
            fails: asks a question; returns how it fails, None where it does not.
        """
        attempts, right = 0, []
        for name, span in self._spans.items():
            passes, wrong, n = span.low - 1, row[name], span.low  # the simplest first
            while wrong - passes > 1 and attempts < MAX_ATTEMPTS:
                attempts += 1
                found = fails(self.build({**row, name: n}))
                if found is None:
                    passes = n
                else:
                    wrong, failure = n, found
                n = (passes + wrong) // 2
            row = {**row, name: wrong}
            if passes >= span.low:
                right.append(span.say(passes))
        if not right:
            return failure.knowing(
                lambda: tr("All named questions before this one, which is drawn.")
            )
        return failure.knowing(
            lambda: tr("The same question with {numbers}.", numbers=tr(" or ").join(right))
        )


def _here(failure: CheckFailed) -> Cause | None:
    return partly(failure.cause)


class Drawn(Generic[CaseT]):
    """Stands for a share of the drawn questions among the cases of a test."""

    def __init__(self, ranges: Ranges[CaseT], index: int, count: int) -> None:
        self._ranges, self._index, self._count = ranges, index, count

    def __str__(self) -> str:
        return f"{self._ranges.name}_{self._index + 1}"

    def judge(self, test: Callable[..., None], name: str, given: Mapping[str, Any]) -> None:
        """Ask these questions; where one fails, raise how the smallest one does.

        Args:
            test: takes a case as the argument `name`, and what else is given.
        """
        sampler: Sampler = given["sampler"]
        asked = ""

        def fails(case: CaseT) -> CheckFailed | None:
            try:
                test(**{**given, name: case, "sampler": sampler.of_case(case)})
            except TooSlow:
                raise
            except CheckFailed as failure:
                nonlocal asked
                asked = getattr(given.get("student"), "asked", "")
                return failure
            return None

        for row in self._ranges.rows(sampler)[self._index :: self._count]:
            failure = fails(self._ranges.build(row))
            if failure is not None:
                smallest = self._ranges.smallest(row, failure, fails)
                if asked:  # of the last that failed; others were asked after it
                    given["student"].asked = asked
                if not smallest.quoted:  # the named questions before were answered rightly
                    smallest = smallest.instead(partial(_here, smallest))
                raise smallest from None
