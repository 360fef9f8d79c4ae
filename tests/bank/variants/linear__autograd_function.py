"""The product as a torch.autograd.Function with its backward written by hand."""

import math

import torch
from torch import Tensor, nn


class AffineMap(torch.autograd.Function):
    """output = input · weightᵀ + bias, and its three derivatives."""

    @staticmethod
    def forward(ctx, input, weight, bias):
        ctx.save_for_backward(input, weight)
        ctx.has_bias = bias is not None
        output = input.matmul(weight.t())
        return output + bias if bias is not None else output

    @staticmethod
    def backward(ctx, upstream):
        input, weight = ctx.saved_tensors
        rows = upstream.reshape(-1, weight.shape[0])
        grad_input = grad_weight = grad_bias = None
        if ctx.needs_input_grad[0]:
            grad_input = upstream.matmul(weight)
        if ctx.needs_input_grad[1]:
            grad_weight = rows.t().matmul(input.reshape(-1, weight.shape[1]))
        if ctx.has_bias and ctx.needs_input_grad[2]:
            grad_bias = rows.sum(dim=0)
        return grad_input, grad_weight, grad_bias


class CustomLinear(nn.Module):
    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(
            torch.empty(out_features, in_features, device=device, dtype=dtype)
        )
        self.register_parameter(
            "bias", nn.Parameter(self.weight.new_empty(out_features)) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        bound = 1 / math.sqrt(self.weight.size(1))
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        return AffineMap.apply(input, self.weight, self.bias)
