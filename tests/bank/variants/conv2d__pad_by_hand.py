"""A canvas of zeros instead of F.pad, a frozen dataclass for the geometry, type hints throughout."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn

Size = int | tuple[int, int]


@dataclass(frozen=True)
class Geometry:
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]

    @classmethod
    def of(cls, kernel: Size, stride: Size, padding: Size, dilation: Size) -> Geometry:
        return cls(*((v, v) if isinstance(v, int) else tuple(v) for v in (kernel, stride, padding, dilation)))

    def sizes(self, input: Tensor) -> tuple[int, ...]:
        return tuple(
            output_size(n, self.kernel[i], self.stride[i], self.padding[i], self.dilation[i])
            for i, n in enumerate(input.shape[-2:])
        )


def output_size(size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    starts = range(0, size + 2 * padding - dilation * (kernel_size - 1), stride)
    return len(starts)


def im2col(input: Tensor, kernel_size: Size, stride: Size = 1, padding: Size = 0, dilation: Size = 1) -> Tensor:
    geometry = Geometry.of(kernel_size, stride, padding, dilation)
    n, c, h, w = input.shape
    ph, pw = geometry.padding
    canvas = input.new_zeros(n, c, h + 2 * ph, w + 2 * pw)
    canvas[:, :, ph : ph + h, pw : pw + w] = input
    oh, ow = geometry.sizes(input)
    taps = []
    for i, j in itertools.product(range(geometry.kernel[0]), range(geometry.kernel[1])):
        top, left = i * geometry.dilation[0], j * geometry.dilation[1]
        rows = slice(top, top + geometry.stride[0] * (oh - 1) + 1, geometry.stride[0])
        columns = slice(left, left + geometry.stride[1] * (ow - 1) + 1, geometry.stride[1])
        taps.append(canvas[:, :, rows, columns].reshape(n, c, 1, oh * ow))
    return torch.cat(taps, dim=2).reshape(n, c * len(taps), oh * ow)


class CustomConv2d(nn.Module):
    bias: nn.Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        dilation: Size = 1,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.geometry = Geometry.of(kernel_size, stride, padding, dilation)
        made = {"device": device, "dtype": dtype}
        self.weight = nn.Parameter(torch.zeros(out_channels, in_channels, *self.geometry.kernel, **made))
        self.bias = nn.Parameter(torch.zeros(out_channels, **made)) if bias else None
        if self.bias is None:
            del self.bias
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        bound = self.weight[0].numel() ** -0.5
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_((2 * torch.rand_like(parameter) - 1) * bound)

    def forward_im2col(self, input: Tensor) -> Tensor:
        g = self.geometry
        columns = im2col(input, g.kernel, g.stride, g.padding, g.dilation).transpose(1, 2)
        output = (columns @ self.weight.flatten(1).T).transpose(1, 2)
        if self.bias is not None:
            output = output + self.bias.unsqueeze(-1)
        return output.unflatten(2, g.sizes(input))

    def forward(self, input: Tensor) -> Tensor:
        return self.forward_im2col(input)
