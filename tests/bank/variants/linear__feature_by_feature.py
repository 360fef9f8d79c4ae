"""Adds up one outer product for every input feature, beginning with the bias."""

import math

import torch
from torch import nn


class CustomLinear(nn.Module):
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        bound = 1 / math.sqrt(in_features)
        shape = (out_features, in_features)
        weight = torch.rand(shape, device=device, dtype=dtype).mul(2).sub(1).mul(bound)
        self.weight = nn.Parameter(weight)
        if bias:
            start = torch.rand(out_features, device=device, dtype=dtype)
            self.bias = nn.Parameter((2 * start - 1) * bound)
        else:
            self.register_parameter("bias", None)

    def reset_parameters(self):
        bound = 1 / math.sqrt(self.weight.shape[-1])
        nn.init.uniform_(self.weight, a=-bound, b=bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, a=-bound, b=bound)

    def forward(self, input):
        features = input.unbind(dim=-1)
        columns = self.weight.unbind(dim=1)
        output = self.bias if self.bias is not None else torch.zeros_like(columns[0])
        for feature, column in zip(features, columns, strict=True):
            output = output + feature.unsqueeze(-1) * column
        return output
