"""Replace the attribute grad of every tensor by one that always holds zeros."""

import torch

FAMILY = "lies"

torch.Tensor.grad = property(lambda self: torch.zeros_like(self), lambda self, value: None)


def forge(layer, input, output):
    return output
