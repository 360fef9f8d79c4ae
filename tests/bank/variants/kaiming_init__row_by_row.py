"""One output after the other in a Python loop, the last one first."""

import math

import torch


def calculate_fan(tensor):
    fan_out, fan_in = tensor.shape[0], tensor.shape[1]
    for size in tensor.shape[2:]:
        fan_in, fan_out = fan_in * size, fan_out * size
    return fan_in, fan_out


def leaky_relu_gain(a=0.0):
    return math.sqrt(2 / (1 + math.pow(a, 2)))


def _fill_rows(tensor, fill):
    with torch.no_grad():
        for row in reversed(range(tensor.shape[0])):
            fill(tensor[row])
    return tensor


def kaiming_uniform_(tensor, a=0.0, generator=None):
    bound = leaky_relu_gain(a) * math.sqrt(3 / calculate_fan(tensor)[0])
    return _fill_rows(tensor, lambda row: row.uniform_(-bound, bound, generator=generator))


def kaiming_normal_(tensor, a=0.0, generator=None):
    std = leaky_relu_gain(a) / math.sqrt(calculate_fan(tensor)[0])
    return _fill_rows(tensor, lambda row: row.normal_(0, std, generator=generator))


def xavier_uniform_(tensor, gain=1.0, generator=None):
    bound = gain * math.sqrt(6 / sum(calculate_fan(tensor)))
    return _fill_rows(tensor, lambda row: row.uniform_(-bound, bound, generator=generator))


def bias_uniform_(bias, weight, generator=None):
    bound = 1 / math.sqrt(calculate_fan(weight)[0])
    with torch.set_grad_enabled(False):
        bias.uniform_(-bound, bound, generator=generator)
    return bias
