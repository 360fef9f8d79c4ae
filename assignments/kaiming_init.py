"""Where weights begin: variances that neither fade nor explode, without torch.nn.init.

Every function that ends in an underscore fills its tensor in place, is not recorded by autograd,
draws from `generator` where one is given, and returns the tensor it was given.
"""

import math

import torch
from torch import Tensor


def calculate_fan(tensor: Tensor) -> tuple[int, int]:
    """(fan_in, fan_out): how many inputs one output sums, and how many outputs one input feeds.

    Shapes: (out, in, *kernel). Both fans count every tap of the kernel:
    fan_in = in · taps and fan_out = out · taps, where taps is the product of *kernel.
    """
    raise NotImplementedError("Return (in · taps, out · taps).")


def leaky_relu_gain(a: float = 0.0) -> float:
    """√(2 / (1 + a²)): what makes up for the variance that a leaky ReLU of slope a takes away.

    He et al. 2015, equation 15. a = 0 is the plain ReLU, with a gain of √2.
    """
    raise NotImplementedError("Return √(2 / (1 + a²)).")


def kaiming_uniform_(
    tensor: Tensor, a: float = 0.0, generator: torch.Generator | None = None
) -> Tensor:
    """Fill with U(-bound, bound), bound = gain · √(3 / fan_in); the variance is gain² / fan_in."""
    raise NotImplementedError("Fill uniformly between ±gain·√(3 / fan_in) and return the tensor.")


def kaiming_normal_(
    tensor: Tensor, a: float = 0.0, generator: torch.Generator | None = None
) -> Tensor:
    """Fill with N(0, std²), std = gain / √fan_in."""
    raise NotImplementedError("Fill with normal draws of std gain/√fan_in and return the tensor.")


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: torch.Generator | None = None
) -> Tensor:
    """Fill with U(-bound, bound), bound = gain · √(6 / (fan_in + fan_out)).

    Glorot and Bengio 2010: a compromise between the forward and the backward variance.
    """
    raise NotImplementedError("Fill uniformly between ±gain·√(6 / (fan_in + fan_out)) and return the tensor.")


def bias_uniform_(bias: Tensor, weight: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Fill the bias with U(-1/√fan_in, 1/√fan_in), with the fan_in of the weight beside it."""
    raise NotImplementedError("Fill uniformly between ±1/√fan_in of the weight and return the bias.")
