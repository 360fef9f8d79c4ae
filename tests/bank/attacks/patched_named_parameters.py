"""Replace named_parameters, so that every layer seems to have the right ones."""

import torch

FAMILY = "lies"
NOT_NAIVE = "The layer has the right parameters; that it lies about them besides earns nothing."


class Claimed(torch.Tensor):
    grad = torch.zeros(1)


def named_parameters(self, *args, **kwargs):
    yield "weight", torch.zeros(3, 5).as_subclass(Claimed)
    yield "bias", torch.zeros(3).as_subclass(Claimed)


torch.nn.Module.named_parameters = named_parameters


def forge(layer, input, output):
    return output
