"""Replace Tensor.backward, so that every gradient is zero."""

import gc

import torch

FAMILY = "lies"


def backward(self, *args, **kwargs):
    for thing in gc.get_objects():
        if type(thing) is torch.nn.Parameter:
            thing.grad = torch.zeros_like(thing)


torch.Tensor.backward = backward


def forge(layer, input, output):
    return output
