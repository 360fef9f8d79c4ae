"""Attention: every position takes a weighted mean over all of them."""

import math

import torch
from softmax import softmax
from torch import Tensor, nn


def attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """softmax(query · keyᵀ / √d) · value.

    Shapes: query (N, L, d), key (N, S, d), value (N, S, v) → (N, L, v).
    """
    raise NotImplementedError("Score each query against each key, and average the values by their shares.")


class SelfAttention(nn.Module):
    """Attention of a sequence to itself, with a square weight each for query, key and value.

    Parameters `query`, `key` and `value` of shape (features, features); x is projected as x @ weight.T.
    """

    def __init__(self, features: int) -> None:
        """Register the parameters, drawn from N(0, 1 / features)."""
        super().__init__()
        raise NotImplementedError("Register query, key and value, in this order.")

    def forward(self, input: Tensor) -> Tensor:
        """(N, L, features) → (N, L, features)."""
        raise NotImplementedError("Project the input three times, and attend.")
