"""im2col and the product as torch.autograd.Functions whose backward is written by hand."""

import math

import torch
from torch import Tensor, nn


def pair(value):
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


class Unroll(torch.autograd.Function):
    """Forward gathers the windows, backward adds each column back to where it came from."""

    @staticmethod
    def forward(ctx, input, kernel_size, stride, padding, dilation):
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = kernel_size, stride, padding, dilation
        n, c, h, w = input.shape
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        padded = input.new_zeros(n, c, h + 2 * ph, w + 2 * pw)
        padded[:, :, ph : ph + h, pw : pw + w] = input
        ctx.places = [
            (
                slice(None),
                slice(None),
                slice(i * dh, i * dh + (oh - 1) * sh + 1, sh),
                slice(j * dw, j * dw + (ow - 1) * sw + 1, sw),
            )
            for i in range(kh)
            for j in range(kw)
        ]
        ctx.padded_shape, ctx.inner = padded.shape, (slice(ph, ph + h), slice(pw, pw + w))
        ctx.windows = (n, c, kh * kw, oh, ow)
        columns = padded.new_empty(ctx.windows)
        for k, place in enumerate(ctx.places):
            columns[:, :, k] = padded[place]
        return columns.reshape(n, c * kh * kw, oh * ow)

    @staticmethod
    def backward(ctx, upstream):
        gradient = upstream.new_zeros(ctx.padded_shape)
        upstream = upstream.reshape(ctx.windows)
        for k, place in enumerate(ctx.places):
            gradient[place] += upstream[:, :, k]  # windows overlap, so their gradients add up
        return gradient[(..., *ctx.inner)], None, None, None, None


class Product(torch.autograd.Function):
    """filters · columns + bias."""

    @staticmethod
    def forward(ctx, filters, columns, bias):
        ctx.save_for_backward(filters, columns)
        ctx.has_bias = bias is not None
        output = filters @ columns
        return output if bias is None else output + bias[:, None]

    @staticmethod
    def backward(ctx, upstream):
        filters, columns = ctx.saved_tensors
        grad_filters = torch.einsum("nol,nkl->ok", upstream, columns)
        grad_columns = filters.t() @ upstream if ctx.needs_input_grad[1] else None
        return grad_filters, grad_columns, upstream.sum(dim=(0, 2)) if ctx.has_bias else None


def im2col(input, kernel_size, stride=1, padding=0, dilation=1) -> Tensor:
    return Unroll.apply(input, pair(kernel_size), pair(stride), pair(padding), pair(dilation))


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
        self.weight = nn.Parameter(
            torch.empty(out_channels, in_channels, *self.kernel_size, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self):
        bound = 1 / math.sqrt(self.weight[0].numel())
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)

    def forward_im2col(self, input):
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = Product.apply(self.weight.flatten(1), columns, self.bias)
        oh = output_size(input.shape[2], kh, sh, ph, dh)
        ow = output_size(input.shape[3], kw, sw, pw, dw)
        return output.reshape(len(input), len(self.weight), oh, ow)

    def forward(self, input):
        return self.forward_im2col(input)
