"""One output feature after the other in a Python loop, stacked at the end."""

import math

import torch
from torch import nn


class CustomLinear(nn.Module):
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        weight = torch.empty(out_features, in_features, device=device, dtype=dtype)
        self.weight = nn.Parameter(weight, requires_grad=True)
        row = nn.Parameter(torch.empty_like(weight[:, 0])) if bias else None
        self.register_parameter("bias", row)
        self.reset_parameters()

    def reset_parameters(self):
        bound = 1 / math.sqrt(self.in_features)
        with torch.no_grad():
            for parameter in (self.bias, self.weight):
                if parameter is not None:
                    parameter.copy_((torch.rand_like(parameter) * 2 - 1) * bound)

    def forward(self, input):
        outputs = []
        for o in range(self.out_features):
            output = (input * self.weight[o]).sum(dim=-1)
            if self.bias is not None:
                output = output + self.bias[o]
            outputs.append(output)
        return torch.stack(outputs, dim=-1)
