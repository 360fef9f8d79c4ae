"""forward_im2col contracts six-dimensional windows by einsum and never makes columns."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    last = size + 2 * padding - (dilation * (kernel_size - 1) + 1)
    return last // stride + 1


def windows(input, kernel_size, stride, padding, dilation):
    """(N, C, KH, KW, OH, OW)."""
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    _, _, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))
    rows = []
    for i in range(kh):
        row = padded[:, :, i * dh :][:, :, ::sh][:, :, :oh]
        rows.append(torch.stack([row[..., j * dw :][..., ::sw][..., :ow] for j in range(kw)], 2))
    return torch.stack(rows, 2)


def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    seen = windows(input, kernel_size, stride, padding, dilation)
    return seen.flatten(1, 3).flatten(2)


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
        self.arguments = (kernel_size, stride, padding, dilation)
        self.weight = nn.Parameter(
            torch.empty((out_channels, in_channels, *pair(kernel_size)), device=device, dtype=dtype)
        )
        if not bias:
            self.register_parameter("bias", None)
        else:
            self.bias = nn.Parameter(torch.empty((out_channels,), device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self):
        out, *inputs = self.weight.shape
        bound = 1 / math.sqrt(math.prod(inputs))
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)

    def forward_im2col(self, input):
        output = torch.einsum("ncijhw,ocij->nohw", windows(input, *self.arguments), self.weight)
        if self.bias is not None:
            output = output + self.bias[None, :, None, None]
        return output

    forward = forward_im2col
