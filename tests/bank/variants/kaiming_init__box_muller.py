"""Everything from one source of uniform numbers; the normal ones by the Box-Muller transform."""

import math

import torch
from torch import Tensor


def calculate_fan(tensor: Tensor) -> tuple[int, int]:
    outputs, inputs, *kernel = tensor.shape
    taps = 1
    for side in kernel:
        taps *= side
    return inputs * taps, outputs * taps


def leaky_relu_gain(a: float = 0.0) -> float:
    return math.sqrt(2.0) / math.sqrt(1.0 + a**2)


def _unit(tensor: Tensor, generator: torch.Generator | None) -> Tensor:
    """Uniform on [0, 1), in float64."""
    return torch.rand(tensor.shape, generator=generator, device=tensor.device, dtype=torch.float64)


def _symmetric(tensor: Tensor, bound: float, generator: torch.Generator | None) -> Tensor:
    with torch.no_grad():
        tensor.copy_((1 - 2 * _unit(tensor, generator)) * bound)
    return tensor


def kaiming_uniform_(
    tensor: Tensor, a: float = 0.0, generator: torch.Generator | None = None
) -> Tensor:
    bound = math.sqrt(6 / ((1 + a**2) * calculate_fan(tensor)[0]))
    return _symmetric(tensor, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0.0, generator: torch.Generator | None = None
) -> Tensor:
    std = leaky_relu_gain(a) / math.sqrt(calculate_fan(tensor)[0])
    radius = torch.sqrt(-2 * torch.log1p(-_unit(tensor, generator)))
    angle = 2 * math.pi * _unit(tensor, generator)
    with torch.no_grad():
        tensor.copy_(std * radius * torch.cos(angle))
    return tensor


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: torch.Generator | None = None
) -> Tensor:
    mean_fan = sum(calculate_fan(tensor)) / 2
    return _symmetric(tensor, gain * math.sqrt(3 / mean_fan), generator)


def bias_uniform_(bias: Tensor, weight: Tensor, generator: torch.Generator | None = None) -> Tensor:
    return _symmetric(bias, 1 / math.sqrt(calculate_fan(weight)[0]), generator)
