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
    ### BEGIN SOLUTION Return the formula's value as an int.
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1
    ### END SOLUTION


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
    ### BEGIN SOLUTION Pad, gather the windows, and reorder them to (N, C·KH·KW, L).
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    # One strided slice per tap of the kernel: what that tap sees as the window slides.
    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)
    ### END SOLUTION


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
        ### BEGIN SOLUTION Keep the geometry, register weight and bias, then reset_parameters().
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        self.dilation = pair(dilation)
        self.weight = nn.Parameter(
            torch.empty(out_channels, in_channels, *self.kernel_size, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()
        ### END SOLUTION

    def reset_parameters(self) -> None:
        """Draw weight and bias anew from U(-1/√fan_in, 1/√fan_in), fan_in = in_channels·KH·KW.

        This is what torch.nn.Conv2d does; torch.nn.init may be used in this module.
        """
        ### BEGIN SOLUTION Draw weight and bias uniformly between ±1/√fan_in.
        bound = 1 / math.sqrt(self.weight[0].numel())  # one filter sees fan_in inputs
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)
        ### END SOLUTION

    def forward_im2col(self, input: Tensor) -> Tensor:
        """The convolution by hand: im2col, then one matrix product. No convolution operator.

        Shapes: (N, in_channels, H, W) → (N, out_channels, OH, OW), see output_size.
        """
        ### BEGIN SOLUTION Flattened filters times im2col, plus bias, in the shape (N, C, OH, OW).
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns  # (out, C·KH·KW) · (N, C·KH·KW, L)
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)
        ### END SOLUTION

    def forward(self, input: Tensor) -> Tensor:
        """The GPU path: im2col on the CPU, the fused backend (F.conv2d, cuDNN) on CUDA.

        Shapes: as forward_im2col. Result, gradients and device are the same on either path.
        """
        ### BEGIN SOLUTION Choose the path by where the input lies.
        if input.is_cuda:
            return F.conv2d(input, self.weight, self.bias, self.stride, self.padding, self.dilation)
        return self.forward_im2col(input)
        ### END SOLUTION
