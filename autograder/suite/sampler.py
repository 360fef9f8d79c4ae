"""Random material for one check: other numbers for every seed, the same for the same seed."""

import hashlib
from functools import cached_property
from typing import TypeVar

import torch
from torch import Tensor, nn

VALUES = (
    "of either sign",
    "positive",
    "between 0 and 1",
    "negative",
    "tens",
    "thousands",
    "tiny",
    "far from zero",
    "whole",
    "mostly zero",
)
"""Kinds of values, the plain one first."""
LayerT = TypeVar("LayerT", bound=nn.Module)


class Sampler:
    """Draws for one case of one check, a function of the run's seed and the case's name alone.

    Tensors are float64 unless `dtype` says otherwise; `integers` and `permutation` return int64.
    """

    def __init__(self, seed: int, name: str) -> None:
        self.check = seed, name.partition("[")[0]
        """What the draws of all cases of a check have in common."""
        self._name = name

    @cached_property  # of a drawn case only the check is asked for, see of_case
    def _generator(self) -> torch.Generator:
        digest = hashlib.sha256(f"{self.check[0]}/{self._name}".encode()).digest()
        return torch.Generator().manual_seed(int.from_bytes(digest[:6], "big"))

    def of_check(self, name: str) -> "Sampler":
        """Return what draws the same in every case of the check, under a name."""
        seed, check = self.check
        return Sampler(seed, f"{check}/{name}")

    def of_case(self, case: object) -> "Sampler":
        """Return what draws for a case that was drawn itself: the same whenever it is asked about again."""
        seed, check = self.check
        return Sampler(seed, f"{check}[{case!r}]")

    def normal(self, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
        """Draw a tensor of this shape from N(0, 1)."""
        return torch.randn(shape, generator=self._generator, dtype=dtype)

    def values(self, kind: str, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
        """Draw a tensor of this shape whose values are of a kind: one of VALUES."""
        x = self.normal(*shape)
        match kind:
            case "positive":
                x = x.abs()
            case "between 0 and 1":
                x = self.uniform(*shape)
            case "negative":
                x = -x.abs()
            case "tens":
                x = 10 ** self.number(1, 2) * x
            case "thousands":
                x = 10 ** self.number(3, 4) * x
            case "tiny":
                x = 10 ** -self.number(1, 4) * x
            case "far from zero":
                x = x + 10 ** self.number(0.5, 2.5)
            case "whole":
                x = (9 * x).round()
            case "mostly zero":
                x = x * (self.uniform(*shape) < 0.2)
        return x.to(dtype)

    def uniform(self, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
        """Draw a tensor of this shape from U(0, 1)."""
        return torch.rand(shape, generator=self._generator, dtype=dtype)

    def integers(self, low: int, high: int, *shape: int) -> Tensor:
        """Draw a tensor of this shape of whole numbers from low to high - 1."""
        return torch.randint(low, high, shape, generator=self._generator)

    def permutation(self, n: int) -> Tensor:
        """Return the numbers 0 to n - 1 in random order: (n,)."""
        return torch.randperm(n, generator=self._generator)

    def number(self, low: float, high: float) -> float:
        """Draw one float from U(low, high)."""
        return low + (high - low) * float(self.uniform())

    def seed(self) -> int:
        """Draw a seed for a generator of the worker, from 0 to 2³¹ - 1."""
        return int(self.integers(0, 1 << 31))

    def fill(self, layer: LayerT) -> LayerT:
        """Fill a layer of the oracle with random float64 weights, in place, and return it.

        The bound of each weight is √(3 / fan_in): outputs stay of the size of inputs.
        """
        layer.double()
        with torch.no_grad():
            for parameter in layer.parameters():
                fan_in = parameter[0].numel() if parameter.dim() > 1 else 3
                bound = (3 / fan_in) ** 0.5
                parameter.uniform_(-bound, bound, generator=self._generator)
        return layer
