"""A candidate, and how the one that explains a wrong value is found."""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from autograder.report import Cause
from autograder.suite.failures import why

ValueT = TypeVar("ValueT")
Values = Mapping[str, str | int | float]
"""What stands in the braces of sentences, by name."""
NO_VALUES: Values = {}
EXCHANGED = why("value.exchanged", "The last two dimensions are exchanged.")


class Candidate(NamedTuple):
    """A misconception, and what comes out of it.

    Attributes:
        cause: what went wrong, see failures.why.
        value: the tensor that then comes out, or a function that computes it when a check has failed. It may
            raise RuntimeError, IndexError or ValueError where nothing would come out.
    """

    cause: Cause
    value: Tensor | Callable[[], Tensor]


def table(
    prefix: str, values: Values = NO_VALUES, /, **entries: tuple[str | Cause, ValueT]
) -> Iterator[tuple[Cause, ValueT]]:
    """Return causes with what follows from each, in the order in which they stand.

    A row is `uphill=("The step goes uphill: subtract it.", before + rate * gradient)`.

    Args:
        prefix: what the ids of these causes begin with.
        values: what stands in the braces of all their sentences.
        entries: by the rest of the id, its dots written as two underscores: a sentence, see failures.why, and
            what follows. A cause may stand for the sentence; it keeps its own id.
    """
    for key, (said, value) in entries.items():
        name = f"{prefix}.{key.replace('__', '.')}"
        yield (said if isinstance(said, Cause) else why(name, said, **values)), value


def candidates_of(
    prefix: str,
    values: Values = NO_VALUES,
    /,
    **entries: tuple[str | Cause, Tensor | Callable[[], Tensor]],
) -> Iterator[Candidate]:
    """Return candidates in the order in which they stand. Its arguments are table's."""
    return itertools.starmap(Candidate, table(prefix, values, **entries))


def diagnose(got: Tensor, expected: Tensor, candidates: Iterable[Candidate]) -> Cause | None:
    """Return the first cause whose value equals `got` and not `expected`; None where there is none."""
    for cause, wrong in _values(candidates):
        if _explains(got, wrong, expected):
            return cause
    return None


def _explains(got: Tensor, wrong: Tensor, expected: Tensor) -> bool:
    """Whether a candidate's value equals `got`, and is much nearer to it than the right answer."""
    if not same(got, wrong):
        return False
    if got.shape != expected.shape:
        return True
    got, wrong, expected = got.double(), wrong.double(), expected.double()
    far = (got - expected).abs().amax() if got.numel() else got.new_zeros(())
    return bool(far > 0) and bool((got - wrong).abs().amax() <= NEARER * far)


NEARER = 0.1
"""How much nearer."""
Answered = tuple[object, Tensor, Iterable[Candidate]]
"""What a question returned, the right answer, and what else could have been returned."""
Answers = Iterable[Answered]


def diagnose_all(answers: Answers, *, alone: bool = False) -> Cause | None:
    """Return the first cause that explains the first answer, and every right one; None where there is none.

    Of several that do, those are left that explain the other wrong answers too: what is wrong there may be so
    for a further cause.

    Args:
        alone: require that the cause explains every answer.
    """
    left: dict[Cause, None] | None = None
    for got, expected, candidates in answers:
        if not isinstance(got, Tensor):
            continue
        # Of further answers, only the causes that are left are computed.
        wanted = candidates if left is None else (c for c in candidates if c.cause in left)
        explained: dict[Cause, None] = {}
        refuted: set[Cause] = set()
        for cause, wrong in _values(wanted):
            if _explains(got, wrong, expected) if left is None else same(got, wrong):
                explained[cause] = None
            else:
                refuted.add(cause)
        if left is None:
            left = explained
            continue
        # A cause may stand for several candidates, and need not be one everywhere.
        kept = {cause: None for cause in left if cause in explained or cause not in refuted}
        if kept or alone or same(got, expected):
            left = kept
        if not left:
            break
    return next(iter(left or ()), None)


def _values(candidates: Iterable[Candidate]) -> Iterator[tuple[Cause, Tensor]]:
    """What comes out of each, but for those of which nothing does."""
    for cause, value in candidates:
        try:
            yield cause, (value if isinstance(value, Tensor) else value()).detach()
        except (RuntimeError, IndexError, ValueError):
            continue


def then(
    function: Callable[[Tensor], Tensor], before: Callable[[], Tensor]
) -> Callable[[], Tensor]:
    """Return a function that applies `function` to what `before` returns."""
    return lambda: function(before())


def same(a: Tensor, b: Tensor) -> bool:
    """Return whether two tensors agree in shape, and in value to 1e-5, as far as float32 would tell.

    Values near zero agree to 1e-8, those of float32 to 1e-5 of the mean size.
    """
    if a.shape != b.shape:
        return False
    usual = float(b.detach().double().abs().mean()) if torch.float32 in (a.dtype, b.dtype) else 0.0
    atol = 1e-5 * usual if 0 < usual < math.inf else 1e-8
    return torch.allclose(a.double(), b.double(), rtol=1e-5, atol=atol)


def diagnose_number(got: float, expected: float, candidates: Mapping[Cause, float]) -> Cause | None:
    """Return the first cause whose number is `got` and not `expected`; None where there is none."""
    for cause, value in candidates.items():
        if math.isclose(got, value, rel_tol=1e-7) and not math.isclose(value, expected):
            return cause
    return None
