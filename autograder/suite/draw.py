"""Random material for one check: other numbers for every seed, the same for the same seed."""

import hashlib
from typing import TypeVar

import torch
from torch import Tensor, nn

LayerT = TypeVar("LayerT", bound=nn.Module)


class Draw:
    """Draws for one test item, a function of the run's seed and the item's name alone."""

    def __init__(self, seed: int, name: str) -> None:
        digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
        self._generator = torch.Generator().manual_seed(int.from_bytes(digest[:6], "big"))

    def normal(self, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
        """Draws from N(0, 1)."""
        return torch.randn(shape, generator=self._generator, dtype=dtype)

    def uniform(self, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
        """Draws from U(0, 1)."""
        return torch.rand(shape, generator=self._generator, dtype=dtype)

    def integers(self, low: int, high: int, *shape: int) -> Tensor:
        """Whole numbers from low to high - 1."""
        return torch.randint(low, high, shape, generator=self._generator)

    def permutation(self, n: int) -> Tensor:
        """The numbers 0 to n - 1 in random order."""
        return torch.randperm(n, generator=self._generator)

    def number(self, low: float, high: float) -> float:
        """One draw from U(low, high)."""
        return low + (high - low) * float(self.uniform())

    def seed(self) -> int:
        """A seed for a generator on the other side."""
        return int(self.integers(0, 1 << 31))

    def fill(self, layer: LayerT) -> LayerT:
        """Give a layer of the oracle random float64 weights; outputs stay of the size of inputs."""
        layer.double()
        with torch.no_grad():
            for parameter in layer.parameters():
                fan_in = parameter[0].numel() if parameter.dim() > 1 else 3
                bound = (3 / fan_in) ** 0.5
                parameter.uniform_(-bound, bound, generator=self._generator)
        return layer
