"""A one appended to every input, so that the bias is a last column of the weight."""

import math

import torch
from torch import nn


class CustomLinear(nn.Module):
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.weight = nn.Parameter(
            torch.empty([out_features, in_features], device=device, dtype=dtype)
        )
        self.register_parameter("bias", None)
        if bias:
            self.bias = nn.Parameter(torch.empty([out_features], device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self):
        std = 1 / math.sqrt(3 * self.weight.shape[1])
        bound = math.sqrt(3) * std
        for _, parameter in sorted(self.named_parameters()):
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, input):
        if self.bias is None:
            return torch.matmul(input, self.weight.mT)
        ones = input.new_ones(input.shape[:-1] + (1,))
        extended = torch.cat([input, ones], dim=-1)
        matrix = torch.cat([self.weight, self.bias.unsqueeze(1)], dim=1)
        return torch.matmul(extended, matrix.transpose(0, 1))
