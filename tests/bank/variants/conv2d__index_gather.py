"""Windows by one gather: the flat positions of all taps of all windows, then index_select."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad


def two(value: int | tuple[int, int]) -> tuple[int, int]:
    if isinstance(value, (tuple, list)):
        first, second = value
        return first, second
    return value, value


def output_size(
    size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> int:
    return int((size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride + 1)


def im2col(input, kernel_size, stride=1, padding=0, dilation=1) -> Tensor:
    kernel, stride, padding, dilation = two(kernel_size), two(stride), two(padding), two(dilation)
    n, c, h, w = input.shape
    padded = pad(input, [padding[1]] * 2 + [padding[0]] * 2)

    def positions(axis: int, size: int) -> Tensor:
        """(taps, windows) along one axis."""
        windows = output_size(size, kernel[axis], stride[axis], padding[axis], dilation[axis])
        first = torch.arange(windows, device=input.device) * stride[axis]
        tap = torch.arange(kernel[axis], device=input.device) * dilation[axis]
        return tap[:, None] + first

    rows, columns = positions(0, h), positions(1, w)
    flat = rows[:, None, :, None] * padded.shape[3] + columns[None, :, None, :]
    picked = padded.flatten(2).index_select(2, flat.flatten())
    return picked.reshape(n, c * math.prod(kernel), rows.shape[1] * columns.shape[1])


class CustomConv2d(nn.Module):
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
        self.kernel_size, self.stride = two(kernel_size), two(stride)
        self.padding, self.dilation = two(padding), two(dilation)
        bound = 1 / math.sqrt(in_channels * math.prod(self.kernel_size))
        self.bound = bound
        weight = torch.rand(
            out_channels, in_channels, *self.kernel_size, device=device, dtype=dtype
        )
        self.weight = nn.Parameter((weight - 0.5) * 2 * bound)
        if bias:
            offsets = torch.rand(out_channels, device=device, dtype=dtype)
            self.bias = nn.Parameter((offsets - 0.5) * 2 * bound)
        else:
            self.register_parameter("bias", None)

    def reset_parameters(self) -> None:
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -self.bound, self.bound)

    def forward_im2col(self, input: Tensor) -> Tensor:
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        matrix = self.weight.reshape(self.out_channels, -1)
        output = columns.transpose(1, 2) @ matrix.t()  # (N, L, out)
        if self.bias is not None:
            output = output + self.bias
        height = output_size(
            input.size(2), self.kernel_size[0], self.stride[0], self.padding[0], self.dilation[0]
        )
        return output.transpose(1, 2).unflatten(2, (height, -1))

    def forward(self, input: Tensor) -> Tensor:
        if input.device.type != "cuda":
            return self.forward_im2col(input)
        return conv2d(input, self.weight, self.bias, self.stride, self.padding, self.dilation)
