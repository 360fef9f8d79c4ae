"""A suspect, and how it is found guilty."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor


class Suspect(NamedTuple):
    """What went wrong, as a sentence, and what then comes out.

    Where `value` is a function it may raise RuntimeError, IndexError or ValueError: then nothing does.
    """

    cause: str
    value: Tensor | Callable[[], Tensor]


def guilty(got: Tensor, expected: Tensor, suspects: Iterable[Suspect]) -> str:
    """The cause whose value equals `got` and not `expected`; "" where there is none."""
    for cause, value in suspects:
        try:
            wrong = (value if isinstance(value, Tensor) else value()).detach()
        except (RuntimeError, IndexError, ValueError):
            continue
        if same(got, wrong) and not same(wrong, expected):
            return cause
    return ""


def then(
    function: Callable[[Tensor], Tensor], before: Callable[[], Tensor]
) -> Callable[[], Tensor]:
    """One after the other."""
    return lambda: function(before())


def same(a: Tensor, b: Tensor) -> bool:
    """Equal in shape, and in value as far as float32 would tell."""
    return a.shape == b.shape and torch.allclose(a.double(), b.double(), rtol=1e-5, atol=1e-8)


def guilty_number(got: float, expected: float, suspects: Mapping[str, float]) -> str:
    """The cause whose value is `got` and not `expected`; "" where there is none."""
    for cause, value in suspects.items():
        if math.isclose(got, value, rel_tol=1e-7) and not math.isclose(value, expected):
            return cause
    return ""
