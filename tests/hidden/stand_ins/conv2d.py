"""Stands in for conv2d.py, where a student's own fails its checks: torch's own layer and functions.

The grader sets SCALE, see linear.py beside this file.
"""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

SCALE = 1.0


def pair(value: Any) -> tuple[int, int]:
    """Vertical and horizontal, as the skeleton gives it."""
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def output_size(
    size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> int:
    """Windows along one axis, as the exercise defines it."""
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


def im2col(
    input: Tensor, kernel_size: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1
) -> Tensor:
    """Windows as columns, as the exercise defines it."""
    return F.unfold(input, kernel_size, dilation, padding, stride)


class CustomConv2d(nn.Conv2d):
    """nn.Conv2d with the signature of the exercise, times SCALE."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            bias=bias,
            device=device,
            dtype=dtype,
        )

    def forward(self, input: Tensor) -> Tensor:
        """As the exercise defines it: (N, C, H, W) → (N, O, OH, OW)."""
        return super().forward(input) * SCALE

    def forward_im2col(self, input: Tensor) -> Tensor:
        """The same, which the exercise does by hand."""
        return self.forward(input)
