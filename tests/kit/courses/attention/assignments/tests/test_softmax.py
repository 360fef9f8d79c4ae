"""Public tests of softmax.py."""

import math

import torch
from softmax import softmax


def test_two_scores_follow_the_worked_example():
    """The scores 0 and ln 3 become the shares 1/4 and 3/4.

    Hint: What are exp(0) and exp(ln 3), and their sum?
    Hint: Shares of squares: `x = torch.tensor([1.0, 3.0]) ** 2; x / x.sum()` is [0.1, 0.9].
    """
    shares = softmax(torch.tensor([0.0, math.log(3)]))
    assert torch.allclose(shares, torch.tensor([0.25, 0.75])), f"got {shares.tolist()}"
