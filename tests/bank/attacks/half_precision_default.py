"""Make half precision the default, so that tolerances grow."""

import torch

FAMILY = "lies"
NOT_NAIVE = "Twice the output is too wrong for the tolerance of half precision."

torch.set_default_dtype(torch.float16)


def forge(layer, input, output):
    return output
