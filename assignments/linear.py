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
        raise NotImplementedError("Register weight and bias as nn.Parameter, then reset_parameters().")

    def reset_parameters(self) -> None:
        """Draw weight and bias anew from U(-1/√in_features, 1/√in_features).

        This is what torch.nn.Linear does; torch.nn.init may be used in this module.
        """
        raise NotImplementedError("Draw weight and bias uniformly between ±1/√in_features.")

    def forward(self, input: Tensor) -> Tensor:
        """The affine map, by matrix arithmetic (not by nn.Linear or F.linear).

        Shapes: (*, in_features) → (*, out_features), where * is any number of dimensions,
        including none.
        """
        raise NotImplementedError("Return input · weightᵀ, plus bias where there is one.")

    def extra_repr(self) -> str:
        """What print(layer) shows between the brackets, as for nn.Linear."""
        bias = self.bias is not None
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={bias}"
