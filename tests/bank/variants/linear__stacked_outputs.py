"""One dot product for every output, stacked along the last dimension; noisy and thorough."""

import math
import warnings

import torch
from torch import nn


class CustomLinear(nn.Module):
    """Keeps a class counter, warns once, and checks its input."""

    made = 0

    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super(CustomLinear, self).__init__()
        CustomLinear.made += 1
        if CustomLinear.made == 1:
            warnings.warn("the first CustomLinear of this process")
        self.in_features, self.out_features = in_features, out_features
        self.weight = nn.Parameter(torch.empty((out_features, in_features), device=device, dtype=dtype))
        made = nn.Parameter(torch.empty(out_features, device=device, dtype=dtype)) if bias else None
        self.register_parameter("bias", made)
        self.reset_parameters()

    def reset_parameters(self):
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            nn.init.uniform_(self.bias, -1 / math.sqrt(self.in_features), 1 / math.sqrt(self.in_features))

    def forward(self, input):
        assert input.shape[-1] == self.in_features, f"{input.shape} has not {self.in_features} features"
        outputs = [(input * row).sum(dim=-1) for row in self.weight]
        result = torch.stack(outputs, dim=-1)
        return result + self.bias if self.bias is not None else result
