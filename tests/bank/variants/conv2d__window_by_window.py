"""Slow: a Python loop over every window of the output, with the padding written by hand."""

import math

import torch
from torch import nn


def pair(value):
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    count = 0
    start = 0
    while start + dilation * (kernel_size - 1) < size + 2 * padding:
        count += 1
        start += stride
    return count


def pad_with_zeros(input, vertical, horizontal):
    n, c, h, w = input.shape
    above = input.new_zeros(n, c, vertical, w)
    taller = torch.cat([above, input, above], dim=2)
    beside = input.new_zeros(n, c, h + 2 * vertical, horizontal)
    return torch.cat([beside, taller, beside], dim=3)


def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    padded = pad_with_zeros(input, ph, pw)
    columns = []
    for top in range(0, output_size(h, kh, sh, ph, dh) * sh, sh):
        for left in range(0, output_size(w, kw, sw, pw, dw) * sw, sw):
            window = padded[
                :,
                :,
                top : top + dh * (kh - 1) + 1 : dh,
                left : left + dw * (kw - 1) + 1 : dw,
            ]
            columns.append(window.reshape(n, c * kh * kw))
    return torch.stack(columns, dim=-1)


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
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        self.dilation = pair(dilation)
        self.weight = nn.Parameter(
            torch.zeros(out_channels, in_channels, *self.kernel_size, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.zeros(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self):
        bound = 1 / math.sqrt(self.weight[0].numel())
        for filter_number in range(self.weight.shape[0]):
            nn.init.uniform_(self.weight.data[filter_number], -bound, bound)
            if self.bias is not None:
                nn.init.uniform_(self.bias.data[filter_number : filter_number + 1], -bound, bound)

    def forward_im2col(self, input):
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        matrix = self.weight.reshape(self.weight.shape[0], -1)
        maps = []
        for sample in columns.split(1):  # of an empty batch there is one part, which is empty
            output = torch.matmul(matrix, sample)
            if self.bias is not None:
                output = output + self.bias.unsqueeze(1)
            maps.append(output)
        height, width = (
            output_size(*numbers)
            for numbers in zip(
                input.shape[2:], self.kernel_size, self.stride, self.padding, self.dilation
            )
        )
        return torch.cat(maps).reshape(len(columns), len(matrix), height, width)

    def forward(self, input):
        if input.is_cuda:
            return nn.functional.conv2d(
                input,
                self.weight,
                self.bias,
                stride=self.stride,
                padding=self.padding,
                dilation=self.dilation,
            )
        return self.forward_im2col(input)
