"""Filled under inference mode, which is stricter than no_grad; one table of bounds."""

import math
from functools import partial

import torch

ROOT = {"uniform": math.sqrt(3), "normal": 1.0}


def calculate_fan(tensor):
    per_output = tensor[0].numel()
    return per_output, per_output // tensor.size(1) * tensor.size(0)


def leaky_relu_gain(a=0.0):
    return math.sqrt(2) / math.hypot(1, a)


def _draw(kind, tensor, scale, generator):
    with torch.inference_mode():
        if kind == "uniform":
            tensor.uniform_(-scale, scale, generator=generator)
        else:
            tensor.normal_(mean=0.0, std=scale, generator=generator)
    return tensor


def _kaiming(kind, tensor, a=0.0, generator=None):
    deviation = leaky_relu_gain(a) * calculate_fan(tensor)[0] ** -0.5
    return _draw(kind, tensor, ROOT[kind] * deviation, generator)


kaiming_uniform_ = partial(_kaiming, "uniform")
kaiming_normal_ = partial(_kaiming, "normal")


def xavier_uniform_(tensor, gain=1.0, generator=None):
    fan_in, fan_out = calculate_fan(tensor)
    return _draw("uniform", tensor, gain * math.sqrt(6 / (fan_in + fan_out)), generator)


def bias_uniform_(bias, weight, generator=None):
    return _draw("uniform", bias, 1 / math.sqrt(calculate_fan(weight)[0]), generator)
