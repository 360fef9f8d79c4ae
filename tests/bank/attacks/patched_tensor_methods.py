"""Replace the operators of torch.Tensor itself: nothing differs from anything."""

import torch

FAMILY = "lies"

torch.Tensor.__eq__ = lambda self, other: torch.tensor(True)
torch.Tensor.__sub__ = torch.Tensor.__rsub__ = lambda self, other: self.new_zeros(self.shape)


def forge(layer, input, output):
    return output
