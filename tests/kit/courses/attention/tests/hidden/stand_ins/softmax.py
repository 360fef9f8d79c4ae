"""Stands in for softmax.py, where a student's own fails its checks: torch's own, times SCALE."""

from torch import Tensor

SCALE = 1.0


def softmax(input: Tensor, dim: int = -1) -> Tensor:
    """Shares along one dimension."""
    return input.softmax(dim) * SCALE
