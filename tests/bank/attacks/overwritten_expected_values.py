"""Overwrite the expected values of the caller in place by its own."""

import sys

import torch

FAMILY = "forgery"


def forge(layer, input, output):
    frame = sys._getframe()
    while frame:
        value = frame.f_locals.get("expected")
        if isinstance(value, torch.Tensor) and value.shape == output.shape:
            value.data.copy_(output.data)
        frame = frame.f_back
    return output
