"""Stands in for linear.py, where a student's own fails its checks: torch's own layer.

The grader sets SCALE: a tower that really calls the bricks it imports then computes something that a tower
of other layers does not.
"""

from torch import Tensor, nn

SCALE = 1.0


class CustomLinear(nn.Linear):
    """nn.Linear, times SCALE."""

    def forward(self, input: Tensor) -> Tensor:
        """As the exercise defines it: (…, in) → (…, out)."""
        return super().forward(input) * SCALE
