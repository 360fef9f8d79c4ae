"""Bricks of stock torch layers, for judging a tower on its own merit.

They take the place of a student's `linear` and `conv2d` where those fail their own checks. With a
`scale` other than 1 every brick multiplies its output by it: a tower that really calls the bricks
it imports then computes something a tower of other layers does not.
"""

from types import ModuleType
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn


def pair(value: Any) -> tuple[int, int]:
    """Vertical and horizontal, as the skeleton of conv2d gives it."""
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def output_size(
    size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> int:
    """Windows along one axis, as the exercise defines it."""
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


def im2col(
    input: Tensor, kernel_size: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1
) -> Tensor:
    """Windows as columns, as the exercise defines it."""
    return F.unfold(input, kernel_size, dilation, padding, stride)


def stand_in(name: str, scale: float = 1.0) -> ModuleType:
    """A module called `linear` or `conv2d` whose layers are torch's own, times `scale`."""
    module = ModuleType(name, f"A stand-in for {name}.py, made of stock torch layers.")

    class CustomLinear(nn.Linear):
        def forward(self, input: Tensor) -> Tensor:
            return super().forward(input) * scale

    class CustomConv2d(nn.Conv2d):
        def __init__(
            self,
            in_channels: int,
            out_channels: int,
            kernel_size: Any,
            stride: Any = 1,
            padding: Any = 0,
            dilation: Any = 1,
            bias: bool = True,
            device: Any = None,
            dtype: Any = None,
        ) -> None:
            super().__init__(
                in_channels,
                out_channels,
                kernel_size,
                stride,
                padding,
                dilation,
                bias=bias,
                device=device,
                dtype=dtype,
            )

        def forward(self, input: Tensor) -> Tensor:
            return super().forward(input) * scale

        def forward_im2col(self, input: Tensor) -> Tensor:
            return self.forward(input)

    if name == "linear":
        vars(module).update(CustomLinear=CustomLinear)
    else:
        given = {"pair": pair, "output_size": output_size, "im2col": im2col}
        vars(module).update(given, CustomConv2d=CustomConv2d)
    return module
