"""A fully connected layer from a matrix product and an addition."""

import math

import torch
from torch import Tensor, nn


class CustomLinear(nn.Module):
    """output = input · weightᵀ + bias, as torch.nn.Linear computes it.

    Args:
        in_features: size of the last dimension of the input.
        out_features: size of the last dimension of the output.
        bias: False leaves the bias out; the name `bias` is then registered as None.
        device, dtype: where and as what the parameters are made.

    Parameters: `weight` (out_features, in_features), `bias` (out_features,).
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        ### BEGIN SOLUTION Register weight and bias as nn.Parameter, then reset_parameters().
        self.weight = nn.Parameter(
            torch.empty(out_features, in_features, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()
        ### END SOLUTION

    def reset_parameters(self) -> None:
        """Draw weight and bias anew from U(-1/√in_features, 1/√in_features).

        This is what torch.nn.Linear does; torch.nn.init may be used in this module.
        """
        ### BEGIN SOLUTION Draw weight and bias uniformly between ±1/√in_features.
        bound = 1 / math.sqrt(self.in_features)
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)
        ### END SOLUTION

    def forward(self, input: Tensor) -> Tensor:
        """The affine map, by matrix arithmetic (not by nn.Linear or F.linear).

        Shapes: (*, in_features) → (*, out_features), where * is any number of dimensions,
        including none.
        """
        ### BEGIN SOLUTION Return input · weightᵀ, plus bias where there is one.
        output = input @ self.weight.T
        return output if self.bias is None else output + self.bias
        ### END SOLUTION

    def extra_repr(self) -> str:
        """What print(layer) shows between the brackets, as for nn.Linear."""
        bias = self.bias is not None
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={bias}"
