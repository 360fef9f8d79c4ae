"""Make the meta device the default: tensors without values are all alike."""

import torch

FAMILY = "lies"

torch.set_default_device("meta")


def forge(layer, input, output):
    return output
