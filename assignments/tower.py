"""The tower: a 421,642-parameter network for MNIST, from your own bricks."""

from collections.abc import Callable, Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from conv2d import CustomConv2d
from linear import CustomLinear


class TowerOfInsight(nn.Module):
    """Images (N, 1, 28, 28) to ten logits (N, 10).

    stage                                  shape after it       parameters
    conv1  1 → 32, 3×3, padding 1          (N, 32, 28, 28)             320
    ReLU, max-pool 2                       (N, 32, 14, 14)
    conv2  32 → 64, 3×3, padding 1         (N, 64, 14, 14)          18,496
    ReLU, max-pool 2                       (N, 64, 7, 7)
    flatten                                (N, 3136)
    fc1    3136 → 128                      (N, 128)                401,536
    ReLU
    fc2    128 → 10                        (N, 10)                   1,290
                                                          together 421,642
    """

    def __init__(self) -> None:
        super().__init__()
        raise NotImplementedError("Build conv1, conv2, fc1, fc2 from CustomConv2d and CustomLinear.")

    def forward(self, input: Tensor) -> Tensor:
        """Logits: no softmax at the end, since cross-entropy brings its own.

        Shapes: (N, 1, 28, 28) → (N, 10).
        """
        raise NotImplementedError("Two blocks of convolution, ReLU and max-pool; flatten; fc1, ReLU, fc2.")


def count_parameters(model: nn.Module) -> int:
    """The number of trainable elements: those of the parameters that require a gradient."""
    raise NotImplementedError("Sum the elements of every parameter that requires a gradient.")


def train_epoch(
    model: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    criterion: Callable[[Tensor, Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
) -> float:
    """One pass over the batches in training mode: a step of the optimizer for each.

    Args:
        batches: pairs (inputs (N, ...), labels (N,)); the last may be smaller than the others.
        criterion: maps (logits, labels) to the mean loss of a batch.

    Returns the mean loss per sample, as a float: a smaller batch weighs less.
    """
    raise NotImplementedError("For each batch: clear gradients, logits, loss, backward, step; sum the loss.")


def evaluate(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> float:
    """The fraction of samples whose largest logit is at the label, in [0, 1].

    In evaluation mode and without gradient tracking. Batches are as for train_epoch.
    """
    raise NotImplementedError("Count the right answers and the samples; return their ratio as a float.")
