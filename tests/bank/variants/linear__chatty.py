"""Prints shapes, warns once, and keeps its sizes in a dataclass; otherwise weight @ columns."""

from __future__ import annotations

import math
import sys
import warnings
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

print("linear: hello")


@dataclass(frozen=True)
class Config:
    """The sizes of a layer."""

    in_features: int
    out_features: int
    bias: bool = True
    bound: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "bound", 1 / math.sqrt(self.in_features))


class Base(nn.Module):
    """What the parameters of a layer have in common."""

    config: Config
    weight: Tensor
    bias: Tensor | None

    def reset_parameters(self) -> None:
        print("drawing parameters", file=sys.stderr)
        for name, parameter in self.named_parameters():
            print(" ", name, tuple(parameter.shape), file=sys.stderr)
            nn.init.uniform_(parameter, -self.config.bound, self.config.bound)


class CustomLinear(Base):
    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.config = Config(in_features, out_features, bias)
        if in_features > 1000:
            warnings.warn(f"{in_features} features are a lot", stacklevel=2)
        self.weight = nn.Parameter(
            torch.empty(out_features, in_features, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def forward(self, input: Tensor) -> Tensor:
        assert input.shape[-1] == self.config.in_features, input.shape
        print("forward", tuple(input.shape), input.dtype, input.device)
        columns = input.unsqueeze(-1)
        output: Tensor = (self.weight @ columns).squeeze(-1)
        return output if self.bias is None else output + self.bias
