"""The fans as a NamedTuple, the distributions as small dataclasses, typed throughout."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from torch import Generator, Tensor


class Fans(NamedTuple):
    """How many inputs one output sums, and how many outputs one input feeds."""

    fan_in: int
    fan_out: int


class Distribution(Protocol):
    def fill(self, tensor: Tensor, generator: Generator | None) -> Tensor: ...


@dataclass(frozen=True)
class Uniform:
    variance: float

    def fill(self, tensor: Tensor, generator: Generator | None) -> Tensor:
        bound = math.sqrt(3 * self.variance)
        tensor.detach().uniform_(-bound, bound, generator=generator)
        return tensor


@dataclass(frozen=True)
class Normal:
    variance: float

    def fill(self, tensor: Tensor, generator: Generator | None) -> Tensor:
        tensor.detach().normal_(mean=0.0, std=math.sqrt(self.variance), generator=generator)
        return tensor


def calculate_fan(tensor: Tensor) -> Fans:
    outputs, inputs = tensor.shape[:2]
    taps = tensor.shape[2:].numel()
    return Fans(fan_in=inputs * taps, fan_out=outputs * taps)


def leaky_relu_gain(a: float = 0.0) -> float:
    variance_kept = (1 + a**2) / 2
    return 1 / math.sqrt(variance_kept)


def kaiming_uniform_(tensor: Tensor, a: float = 0.0, generator: Generator | None = None) -> Tensor:
    distribution: Distribution = Uniform(leaky_relu_gain(a) ** 2 / calculate_fan(tensor).fan_in)
    return distribution.fill(tensor, generator)


def kaiming_normal_(tensor: Tensor, a: float = 0.0, generator: Generator | None = None) -> Tensor:
    distribution: Distribution = Normal(leaky_relu_gain(a) ** 2 / calculate_fan(tensor).fan_in)
    return distribution.fill(tensor, generator)


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    fans = calculate_fan(tensor)
    return Uniform(2 * gain**2 / (fans.fan_in + fans.fan_out)).fill(tensor, generator)


def bias_uniform_(bias: Tensor, weight: Tensor, generator: Generator | None = None) -> Tensor:
    return Uniform(1 / (3 * calculate_fan(weight).fan_in)).fill(bias, generator)
