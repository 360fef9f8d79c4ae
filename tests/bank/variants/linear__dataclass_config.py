"""The sizes in a dataclass, the parameters made by a helper, the product of columns."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Sizes:
    inputs: int
    outputs: int

    @property
    def bound(self) -> float:
        return self.inputs**-0.5


class CustomLinear(nn.Module):
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.sizes = Sizes(in_features, out_features)

        def parameter(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(shape, device=device, dtype=dtype))

        self.weight = parameter(out_features, in_features)
        self.register_parameter("bias", parameter(out_features) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        for tensor in filter(lambda t: t is not None, (self.weight, self.bias)):
            nn.init.uniform_(tensor, a=-self.sizes.bound, b=self.sizes.bound)

    def forward(self, input: Tensor) -> Tensor:
        output = (self.weight @ input.unsqueeze(-1)).squeeze(-1)
        if self.bias is not None:
            output = self.bias + output
        return output

    def extra_repr(self) -> str:
        return f"{self.sizes.inputs} -> {self.sizes.outputs}"
