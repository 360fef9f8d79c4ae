"""The oracle of attention.py, in torch's own words."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SelfAttention(nn.Module):
    """Attention of a sequence to itself."""

    def __init__(self, features: int) -> None:
        super().__init__()
        for name in ("query", "key", "value"):
            self.register_parameter(name, nn.Parameter(torch.empty(features, features)))

    def forward(self, input: Tensor) -> Tensor:
        """(N, L, features) → (N, L, features)."""
        weights = (self.query, self.key, self.value)
        return F.scaled_dot_product_attention(*(input @ weight.T for weight in weights))
