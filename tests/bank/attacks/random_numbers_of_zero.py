"""Replace every source of random numbers by zeros, for which all layers compute the same."""

import torch

FAMILY = "lies"

torch.randn = torch.rand = lambda *size, **kwargs: torch.zeros(*size, dtype=kwargs.get("dtype"))
for name in ("uniform_", "normal_"):
    setattr(torch.Tensor, name, lambda self, *args, **kwargs: self.zero_())


def forge(layer, input, output):
    return output
