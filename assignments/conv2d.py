"""A two-dimensional convolution as one matrix product over unrolled windows."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def pair(value: int | tuple[int, int]) -> tuple[int, int]:
    """(vertical, horizontal), where one number stands for both."""
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def output_size(
    size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> int:
    """How many windows fit along one axis.

        ⌊(size + 2·padding - dilation·(kernel_size - 1) - 1) / stride⌋ + 1

    (the formula in the documentation of torch.nn.Conv2d).
    """
    raise NotImplementedError("Return the formula's value as an int.")


def im2col(
    input: Tensor,
    kernel_size: int | tuple[int, int],
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    dilation: int | tuple[int, int] = 1,
) -> Tensor:
    """Every window of the input as one column, in the order of torch.nn.functional.unfold.

    Shapes: (N, C, H, W) → (N, C·KH·KW, L) with L = output height · output width. Rows run over
    channel, then kernel row, then kernel column; columns over window row, then window column.
    Written without F.unfold and nn.Unfold.
    """
    raise NotImplementedError("Pad, gather the windows, and reorder them to (N, C·KH·KW, L).")


class CustomConv2d(nn.Module):
    """A convolution (strictly, a cross-correlation: the kernel is not flipped), as nn.Conv2d.

    Args:
        in_channels, out_channels: channels of the input and of the output.
        kernel_size, stride, padding, dilation: one int for both axes, or a (vertical,
            horizontal) pair.
        bias: False leaves the bias out; the name `bias` is then registered as None.
        device, dtype: where and as what the parameters are made.

    Parameters: `weight` (out_channels, in_channels, KH, KW), `bias` (out_channels,).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size, self.stride = pair(kernel_size), pair(stride)
        self.padding, self.dilation = pair(padding), pair(dilation)
        raise NotImplementedError("Register weight and bias as nn.Parameter, then reset_parameters().")

    def reset_parameters(self) -> None:
        """Draw weight and bias anew from U(-1/√fan_in, 1/√fan_in), fan_in = in_channels·KH·KW.

        This is what torch.nn.Conv2d does; torch.nn.init may be used in this module.
        """
        raise NotImplementedError("Draw weight and bias uniformly between ±1/√fan_in.")

    def forward_im2col(self, input: Tensor) -> Tensor:
        """The convolution by hand: im2col, then one matrix product. No convolution operator.

        Shapes: (N, in_channels, H, W) → (N, out_channels, OH, OW), see output_size.
        """
        raise NotImplementedError("Flattened filters times im2col, plus bias, in the shape (N, C, OH, OW).")

    def forward(self, input: Tensor) -> Tensor:
        """The GPU path: im2col on the CPU, the fused backend (F.conv2d, cuDNN) on CUDA.

        Shapes: as forward_im2col. Result, gradients and device are the same on either path.
        """
        raise NotImplementedError("Choose the path by where the input lies.")

    def extra_repr(self) -> str:
        """What print(layer) shows between the brackets, as for nn.Conv2d."""
        shown = f"{self.in_channels}, {self.out_channels}"
        shown += f", kernel_size={self.kernel_size}, stride={self.stride}"
        if self.padding != (0, 0):
            shown += f", padding={self.padding}"
        if self.dilation != (1, 1):
            shown += f", dilation={self.dilation}"
        return shown if self.bias is not None else f"{shown}, bias=False"
