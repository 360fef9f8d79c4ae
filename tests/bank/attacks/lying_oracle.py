"""Replace F.linear, so that a reference in the same process is as wrong as the layer."""

import torch

FAMILY = "lies"

honest = torch.nn.functional.linear
torch.nn.functional.linear = lambda x, w, b=None: 2 * honest(x, w, b)


def forge(layer, input, output):
    return output
