"""Prints and warns, typed throughout, with the geometry of each axis in a dataclass."""

from __future__ import annotations

import logging
import math
import warnings
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

logging.basicConfig(level=logging.INFO)
logger = logging.getLogger("conv2d")
Pair = int | tuple[int, int]


@dataclass(frozen=True, slots=True)
class Axis:
    """The geometry of one axis."""

    kernel_size: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    def windows(self, size: int) -> int:
        return output_size(size, self.kernel_size, self.stride, self.padding, self.dilation)

    def span(self, tap: int, size: int) -> slice:
        start = tap * self.dilation
        return slice(start, start + (self.windows(size) - 1) * self.stride + 1, self.stride)


def axes(*values: Pair) -> tuple[Axis, Axis]:
    pairs = [(v, v) if isinstance(v, int) else (v[0], v[1]) for v in values]
    vertical, horizontal = zip(*pairs, strict=True)
    return Axis(*vertical), Axis(*horizontal)


def output_size(
    size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> int:
    result = (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1
    logger.debug("%d windows along an axis of %d", result, size)
    return result


def im2col(
    input: Tensor, kernel_size: Pair, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1
) -> Tensor:
    vertical, horizontal = axes(kernel_size, stride, padding, dilation)
    print("im2col of", tuple(input.shape), "with", vertical, horizontal)
    n, c, h, w = input.shape
    padded = F.pad(input, [horizontal.padding] * 2 + [vertical.padding] * 2)
    taps = [
        padded[:, :, vertical.span(i, h), horizontal.span(j, w)]
        for i in range(vertical.kernel_size)
        for j in range(horizontal.kernel_size)
    ]
    columns = torch.stack(taps, dim=2)
    if columns.numel() > 10_000_000:
        warnings.warn(f"im2col makes {columns.numel()} numbers of {input.numel()}")
    return columns.reshape(n, c * len(taps), vertical.windows(h) * horizontal.windows(w))


class CustomConv2d(nn.Module):
    """A convolution that says what it does."""

    weight: nn.Parameter
    bias: nn.Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Pair = 0,
        dilation: Pair = 1,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.axes = axes(kernel_size, stride, padding, dilation)
        vertical, horizontal = self.axes
        self.weight = nn.Parameter(
            torch.empty(
                out_channels,
                in_channels,
                vertical.kernel_size,
                horizontal.kernel_size,
                device=device,
                dtype=dtype,
            )
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype))
        else:
            warnings.warn("a convolution without a bias")
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        bound = 1 / math.sqrt(self.weight[0].numel())
        print(f"drawing from ±{bound}")
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)

    @property
    def _geometry(self) -> list[tuple[int, int]]:
        vertical, horizontal = self.axes
        return [
            (vertical.kernel_size, horizontal.kernel_size),
            (vertical.stride, horizontal.stride),
            (vertical.padding, horizontal.padding),
            (vertical.dilation, horizontal.dilation),
        ]

    def forward_im2col(self, input: Tensor) -> Tensor:
        vertical, horizontal = self.axes
        columns = im2col(input, *self._geometry)
        output = torch.bmm(self.weight.flatten(1).expand(len(input), -1, -1), columns)
        if self.bias is not None:
            output = output + self.bias.unsqueeze(-1)
        sizes = vertical.windows(input.shape[2]), horizontal.windows(input.shape[3])
        return output.unflatten(-1, sizes)

    def forward(self, input: Tensor) -> Tensor:
        if input.is_cuda:
            logger.info("on the GPU")
            _, stride, padding, dilation = self._geometry
            return F.conv2d(input, self.weight, self.bias, stride, padding, dilation)
        return self.forward_im2col(input)

    def extra_repr(self) -> str:
        return f"{self.axes[0]}, {self.axes[1]}"
