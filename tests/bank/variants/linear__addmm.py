"""Leading dimensions flattened, torch.addmm or mm on the matrix, and the shape restored."""

import math

import torch
from torch import nn


class CustomLinear(nn.Module):
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = nn.Parameter(
            torch.randn(out_features, in_features, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.randn(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self):
        nn.init.uniform_(self.weight, -1, 1)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -1, 1)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.div_(math.sqrt(self.in_features))

    def forward(self, input):
        leading = input.shape[:-1]
        matrix = input.reshape(math.prod(leading), self.in_features)
        if self.bias is None:
            output = torch.mm(matrix, self.weight.t())
        else:
            output = torch.addmm(self.bias, matrix, self.weight.t())
        return output.reshape(*leading, self.out_features)
