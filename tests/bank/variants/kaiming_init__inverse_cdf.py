"""Normal numbers by the inverse of their distribution function, applied to uniform ones."""

import math

import torch


def calculate_fan(tensor):
    elements = tensor.numel()
    return elements // tensor.shape[0], elements // tensor.shape[1]


def leaky_relu_gain(a=0.0):
    return math.exp(0.5 * (math.log(2) - math.log1p(a * a)))


def _fill(tensor, values):
    with torch.no_grad():
        tensor[...] = values
    return tensor


def _uniform(shape, bound, generator, like):
    low = torch.tensor(-bound, dtype=like.dtype, device=like.device)
    mix = torch.empty(shape, dtype=like.dtype, device=like.device).uniform_(generator=generator)
    return torch.lerp(low, -low, mix)


def kaiming_uniform_(tensor, a=0.0, generator=None):
    bound = leaky_relu_gain(a) * (3 / calculate_fan(tensor)[0]) ** 0.5
    return _fill(tensor, _uniform(tensor.shape, bound, generator, tensor))


def kaiming_normal_(tensor, a=0.0, generator=None):
    std = leaky_relu_gain(a) * calculate_fan(tensor)[0] ** -0.5
    quantiles = torch.empty(tensor.shape, dtype=torch.float64, device=tensor.device)
    quantiles.uniform_(generator=generator).clamp_(1e-16, 1 - 1e-16)
    return _fill(tensor, std * torch.special.ndtri(quantiles))


def xavier_uniform_(tensor, gain=1.0, generator=None):
    bound = gain * (6 / sum(calculate_fan(tensor))) ** 0.5
    return _fill(tensor, _uniform(tensor.shape, bound, generator, tensor))


def bias_uniform_(bias, weight, generator=None):
    bound = calculate_fan(weight)[0] ** -0.5
    return _fill(bias, _uniform(bias.shape, bound, generator, bias))
