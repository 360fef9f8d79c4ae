"""Softmax by hand: scores become shares."""

from torch import Tensor


def softmax(input: Tensor, dim: int = -1) -> Tensor:
    """Shares along one dimension: exp(input) over its sum, finite for scores of any size.

    Shape: that of the input. torch's own softmax and log_softmax are not allowed.
    """
    raise NotImplementedError("Subtract the largest score, take exponentials, and divide by their sum.")
