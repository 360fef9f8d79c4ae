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
    ### BEGIN SOLUTION Return (in · taps, out · taps).
    outputs, inputs, *kernel = tensor.shape
    taps = math.prod(kernel)
    return inputs * taps, outputs * taps
    ### END SOLUTION


def leaky_relu_gain(a: float = 0.0) -> float:
    """√(2 / (1 + a²)): what makes up for the variance that a leaky ReLU of slope a takes away.

    He et al. 2015, equation 15. a = 0 is the plain ReLU, with a gain of √2.
    """
    ### BEGIN SOLUTION Return √(2 / (1 + a²)).
    return math.sqrt(2 / (1 + a**2))
    ### END SOLUTION


def kaiming_uniform_(
    tensor: Tensor, a: float = 0.0, generator: torch.Generator | None = None
) -> Tensor:
    """Fill with U(-bound, bound), bound = gain · √(3 / fan_in); the variance is gain² / fan_in."""
    ### BEGIN SOLUTION Fill uniformly between ±gain·√(3 / fan_in) and return the tensor.
    fan_in, _ = calculate_fan(tensor)
    bound = leaky_relu_gain(a) * math.sqrt(3 / fan_in)
    with torch.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)
    ### END SOLUTION


def kaiming_normal_(
    tensor: Tensor, a: float = 0.0, generator: torch.Generator | None = None
) -> Tensor:
    """Fill with N(0, std²), std = gain / √fan_in."""
    ### BEGIN SOLUTION Fill with normal draws of std gain/√fan_in and return the tensor.
    fan_in, _ = calculate_fan(tensor)
    std = leaky_relu_gain(a) / math.sqrt(fan_in)
    with torch.no_grad():
        return tensor.normal_(0, std, generator=generator)
    ### END SOLUTION


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: torch.Generator | None = None
) -> Tensor:
    """Fill with U(-bound, bound), bound = gain · √(6 / (fan_in + fan_out)).

    Glorot and Bengio 2010: a compromise between the forward and the backward variance.
    """
    ### BEGIN SOLUTION Fill uniformly between ±gain·√(6 / (fan_in + fan_out)) and return the tensor.
    bound = gain * math.sqrt(6 / sum(calculate_fan(tensor)))
    with torch.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)
    ### END SOLUTION


def bias_uniform_(bias: Tensor, weight: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Fill the bias with U(-1/√fan_in, 1/√fan_in), with the fan_in of the weight beside it."""
    ### BEGIN SOLUTION Fill uniformly between ±1/√fan_in of the weight and return the bias.
    fan_in, _ = calculate_fan(weight)
    bound = 1 / math.sqrt(fan_in)
    with torch.no_grad():
        return bias.uniform_(-bound, bound, generator=generator)
    ### END SOLUTION
