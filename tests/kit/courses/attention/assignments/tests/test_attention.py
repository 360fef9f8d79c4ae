"""Public tests of attention.py."""

import torch
from attention import attention


def test_equal_keys_give_the_mean():
    """Where all keys are equal every value has the same share.

    Hint: What is the softmax of three equal scores?
    Hint: Other shares: `torch.tensor([[0.25, 0.75]]) @ torch.tensor([[4.0], [8.0]])` is [[7]].
    """
    value = torch.tensor([[[1.0], [2.0], [6.0]]])
    got = attention(torch.ones(1, 1, 2), torch.ones(1, 3, 2), value)
    assert got.tolist() == [[[3.0]]], f"(1 + 2 + 6) / 3 = 3; got {got.tolist()}"
