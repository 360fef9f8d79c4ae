"""New random numbers by torch.rand and torch.randn, scaled and copied into the tensor."""

import math

import torch


def calculate_fan(tensor):
    fan_in = tensor[0].numel()
    fan_out = tensor[:, 0].numel()
    return fan_in, fan_out


def leaky_relu_gain(a=0.0):
    return (2.0 / (1.0 + a * a)) ** 0.5


def _like(tensor, generator):
    return {"generator": generator, "dtype": tensor.dtype, "device": tensor.device}


@torch.no_grad()
def _uniform(tensor, bound, generator):
    numbers = torch.rand(tensor.shape, **_like(tensor, generator))
    return tensor.copy_(numbers * (2 * bound) - bound)


def kaiming_uniform_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    return _uniform(tensor, leaky_relu_gain(a) * math.sqrt(3.0 / fan_in), generator)


@torch.no_grad()
def kaiming_normal_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    std = leaky_relu_gain(a) / math.sqrt(fan_in)
    tensor.copy_(torch.randn(tensor.shape, **_like(tensor, generator)) * std)
    return tensor


def xavier_uniform_(tensor, gain=1.0, generator=None):
    fan_in, fan_out = calculate_fan(tensor)
    std = gain * math.sqrt(2.0 / (fan_in + fan_out))
    return _uniform(tensor, math.sqrt(3.0) * std, generator)


def bias_uniform_(bias, weight, generator=None):
    return _uniform(bias, 1 / math.sqrt(calculate_fan(weight)[0]), generator)
