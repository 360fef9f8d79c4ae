"""The numbers are drawn elsewhere and copied in, in reverse order; the fans from the strides."""

from math import sqrt

import torch


def calculate_fan(tensor):
    outputs, inputs, *kernel = tensor.shape
    taps = 1
    for side in kernel:
        taps *= side
    return inputs * taps, outputs * taps


def leaky_relu_gain(a=0.0):
    return (2.0 / (1.0 + a * a)) ** 0.5


def _fill(tensor, numbers):
    tensor.detach().copy_(numbers.flatten().flip(0).reshape(tensor.shape))
    return tensor


def _uniform(tensor, bound, generator):
    drawn = torch.rand(
        tensor.shape, generator=generator, dtype=tensor.dtype, device=tensor.device
    )
    return _fill(tensor, drawn * (2 * bound) - bound)


def kaiming_uniform_(tensor, a=0.0, generator=None):
    return _uniform(tensor, sqrt(3.0) * leaky_relu_gain(a) / sqrt(calculate_fan(tensor)[0]), generator)


def kaiming_normal_(tensor, a=0.0, generator=None):
    drawn = torch.randn(
        tensor.shape, generator=generator, dtype=tensor.dtype, device=tensor.device
    )
    return _fill(tensor, drawn * (leaky_relu_gain(a) / sqrt(calculate_fan(tensor)[0])))


def xavier_uniform_(tensor, gain=1.0, generator=None):
    return _uniform(tensor, gain * sqrt(6.0 / sum(calculate_fan(tensor))), generator)


def bias_uniform_(bias, weight, generator=None):
    return _uniform(bias, calculate_fan(weight)[0] ** -0.5, generator)
