"""Rows and columns picked by index_select, one axis after the other; the product by tensordot."""

import torch
from torch import nn
from torch.nn import functional


def both(value):
    return [value] * 2 if isinstance(value, int) else list(value)


def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    last_start = size + 2 * padding - (dilation * (kernel_size - 1) + 1)
    return last_start // stride + 1


def places(count, kernel, stride, dilation, device):
    taps = torch.arange(kernel, device=device) * dilation
    starts = torch.arange(count, device=device) * stride
    return taps[:, None] + starts[None, :]


def windows(input, kernel_size, stride, padding, dilation):
    kernel, stride, padding, dilation = (both(v) for v in (kernel_size, stride, padding, dilation))
    for i, axis in enumerate((2, -1)):
        count = output_size(input.shape[axis], kernel[i], stride[i], padding[i], dilation[i])
        sides = [padding[i], padding[i]]
        padded = functional.pad(input, sides if i else [0, 0, *sides])
        where = places(count, kernel[i], stride[i], dilation[i], input.device)
        input = padded.index_select(axis, where.flatten()).unflatten(axis, where.shape)
    return input.permute(0, 1, 2, 4, 3, 5)  # (N, C, KH, OH, KW, OW) to (N, C, KH, KW, OH, OW)


def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    return windows(input, kernel_size, stride, padding, dilation).flatten(4).flatten(1, 3)


class CustomConv2d(nn.Module):
    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.settings = kernel_size, stride, padding, dilation
        shape = [out_channels, in_channels, *both(kernel_size)]
        self.weight = nn.Parameter(torch.empty(*shape, device=device, dtype=dtype))
        self.register_parameter("bias", None)
        if bias:
            self.bias = nn.Parameter(self.weight.new_empty(out_channels))
        self.reset_parameters()

    def reset_parameters(self):
        bound = 1 / self.weight[0].numel() ** 0.5
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward_im2col(self, input):
        seen = windows(input, *self.settings)
        output = torch.tensordot(seen, self.weight, dims=([1, 2, 3], [1, 2, 3])).movedim(-1, 1)
        return output if self.bias is None else output + self.bias[:, None, None]

    def forward(self, input):
        if not input.is_cuda:
            return self.forward_im2col(input)
        return functional.conv2d(input, self.weight, self.bias, *self.settings[1:])
