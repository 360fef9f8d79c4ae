"""Standard random numbers in place, then stretched and shifted in place, through .data."""

import math
from functools import reduce
from operator import mul


def calculate_fan(tensor):
    taps = reduce(mul, tensor.shape[2:], 1)
    return tensor.size(1) * taps, tensor.size(0) * taps


def leaky_relu_gain(a=0.0):
    return math.sqrt(2) / math.hypot(1, a)


def _fill(tensor, bound, generator):
    tensor.data.uniform_(generator=generator).mul_(2).sub_(1).mul_(bound)
    return tensor


def kaiming_uniform_(tensor, a=0.0, generator=None):
    variance = leaky_relu_gain(a) ** 2 / calculate_fan(tensor)[0]
    return _fill(tensor, math.sqrt(3 * variance), generator)


def kaiming_normal_(tensor, a=0.0, generator=None):
    variance = leaky_relu_gain(a) ** 2 / calculate_fan(tensor)[0]
    tensor.data.normal_(generator=generator).mul_(math.sqrt(variance))
    return tensor


def xavier_uniform_(tensor, gain=1.0, generator=None):
    variance = 2 * gain**2 / sum(calculate_fan(tensor))
    return _fill(tensor, math.sqrt(3 * variance), generator)


def bias_uniform_(bias, weight, generator=None):
    return _fill(bias, calculate_fan(weight)[0] ** -0.5, generator)
