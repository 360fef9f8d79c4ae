"""forward_im2col adds up one shifted and weighted image per tap of the kernel."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def as_pair(value):
    try:
        first, second = value
    except TypeError:
        first = second = value
    return first, second


def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    return 1 + (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride


class Geometry:
    """What each tap of the kernel sees of an image."""

    def __init__(self, kernel_size, stride, padding, dilation):
        self.kernel, self.stride = as_pair(kernel_size), as_pair(stride)
        self.padding, self.dilation = as_pair(padding), as_pair(dilation)

    def taps(self, input):
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel,
            self.stride,
            self.padding,
            self.dilation,
        )
        oh = output_size(input.shape[2], kh, sh, ph, dh)
        ow = output_size(input.shape[3], kw, sw, pw, dw)
        padded = F.pad(input, (pw, pw, ph, ph), mode="constant", value=0.0)
        for i in range(kh):
            for j in range(kw):
                rows = slice(i * dh, i * dh + sh * (oh - 1) + 1, sh)
                columns = slice(j * dw, j * dw + sw * (ow - 1) + 1, sw)
                yield i, j, padded[:, :, rows, columns]


def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    geometry = Geometry(kernel_size, stride, padding, dilation)
    seen = [tap.flatten(2) for _, _, tap in geometry.taps(input)]
    return torch.stack(seen, dim=2).flatten(1, 2)


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
        self.geometry = Geometry(kernel_size, stride, padding, dilation)
        self.weight = nn.Parameter(
            torch.empty(
                out_channels, in_channels, *self.geometry.kernel, device=device, dtype=dtype
            )
        )
        bias_values = torch.empty(out_channels, device=device, dtype=dtype)
        self.register_parameter("bias", nn.Parameter(bias_values) if bias else None)
        self.reset_parameters()

    def reset_parameters(self):
        bound = 1 / math.sqrt(self.weight.shape[1] * self.weight.shape[2] * self.weight.shape[3])
        with torch.no_grad():
            self.weight.uniform_(-bound, bound)
            if self.bias is not None:
                self.bias.uniform_(-bound, bound)

    def forward_im2col(self, input):
        output = 0 if self.bias is None else self.bias.reshape(1, -1, 1, 1)
        for i, j, tap in self.geometry.taps(input):
            weighted = torch.tensordot(tap, self.weight[:, :, i, j], dims=([1], [1]))
            output = output + weighted.movedim(-1, 1)
        return output

    def forward(self, input):
        if input.is_cuda:
            geometry = self.geometry
            return F.conv2d(
                input, self.weight, self.bias, geometry.stride, geometry.padding, geometry.dilation
            )
        return self.forward_im2col(input)
