"""Prints what it draws, warns about small fans, and switches recording off with a decorator."""

import functools
import math
import sys
import warnings

import torch

print("kaiming_init imported", file=sys.stderr)


def announced(function):
    """Prints the call and its outcome."""

    @functools.wraps(function)
    def wrapper(tensor, *args, **kwargs):
        print("->", function.__name__, tuple(tensor.shape), args, sorted(kwargs))
        with torch.no_grad():
            result = function(tensor, *args, **kwargs)
        print("<- mean", result.mean().item(), "largest", result.abs().max().item())
        return result

    return wrapper


def calculate_fan(tensor):
    taps = 1
    if tensor.dim() > 2:
        taps = tensor[0, 0].numel()
    fan_in, fan_out = tensor.shape[1] * taps, tensor.shape[0] * taps
    if min(fan_in, fan_out) < 4:
        warnings.warn(f"a fan of {min(fan_in, fan_out)} is small")
    return fan_in, fan_out


def leaky_relu_gain(a=0.0):
    gain = math.sqrt(2 / (1 + a**2))
    print(f"{gain = }")
    return gain


@announced
def kaiming_uniform_(tensor, a=0.0, generator=None):
    bound = leaky_relu_gain(a) * math.sqrt(3) / math.sqrt(calculate_fan(tensor)[0])
    return torch.Tensor.uniform_(tensor, -bound, bound, generator=generator)


@announced
def kaiming_normal_(tensor, a=0.0, generator=None):
    std = leaky_relu_gain(a) / math.sqrt(calculate_fan(tensor)[0])
    return tensor.normal_(mean=0.0, std=std, generator=generator)


@announced
def xavier_uniform_(tensor, gain=1.0, generator=None):
    fan_in, fan_out = calculate_fan(tensor)
    bound = math.sqrt(6 * gain**2 / (fan_in + fan_out))
    return tensor.uniform_(-bound, +bound, generator=generator)


@announced
def bias_uniform_(bias, weight, generator=None):
    fan_in = calculate_fan(weight)[0]
    return bias.uniform_(-1 / fan_in**0.5, 1 / fan_in**0.5, generator=generator)
