"""Both trainings share one loop, which is given the way to get gradients; typed throughout."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

Gradients = Callable[[Tensor, Tensor], "tuple[Tensor, Tensor]"]


class Step(NamedTuple):
    loss: float
    w: float
    b: float


@dataclass(frozen=True)
class Problem:
    """The points to fit and how fast."""

    x: Tensor
    y: Tensor
    learning_rate: float
    steps: int

    def loss(self, w: Tensor, b: Tensor) -> Tensor:
        return squared_error(predict(self.x, w, b), self.y)

    def descend(self, w: Tensor, b: Tensor, gradients: Gradients) -> Iterator[Step]:
        w, b = torch.clone(w.detach()), torch.clone(b.detach())
        for _ in range(self.steps):
            before = float(self.loss(w, b))
            sgd_step([w, b], gradients(w, b), self.learning_rate)
            yield Step(before, float(w), float(b))


def predict(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return w.mul(x).add(b)


def squared_error(y_predicted: Tensor, y: Tensor) -> Tensor:
    return torch.square(y_predicted - y).mean()


def manual_gradients(x: Tensor, y: Tensor, w: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    d_loss_d_prediction = 2 * (predict(x, w, b) - y) / y.numel()
    return (d_loss_d_prediction * x).sum(), d_loss_d_prediction.sum()


def sgd_step(
    parameters: Sequence[Tensor], gradients: Sequence[Tensor], learning_rate: float
) -> None:
    with torch.inference_mode(False), torch.set_grad_enabled(False):
        for parameter, gradient in zip(parameters, gradients):
            parameter.sub_(learning_rate * gradient)


def train_manual(
    x: Tensor, y: Tensor, w: Tensor, b: Tensor, learning_rate: float, steps: int
) -> list[Step]:
    problem = Problem(x, y, learning_rate, steps)
    return list(problem.descend(w, b, lambda w, b: manual_gradients(x, y, w, b)))


def train_autograd(
    x: Tensor, y: Tensor, w: Tensor, b: Tensor, learning_rate: float, steps: int
) -> list[Step]:
    problem = Problem(x, y, learning_rate, steps)

    def gradients(w: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        leaves = w.clone().requires_grad_(), b.clone().requires_grad_()
        problem.loss(*leaves).backward()
        assert leaves[0].grad is not None and leaves[1].grad is not None
        return leaves[0].grad, leaves[1].grad

    return list(problem.descend(w, b, gradients))
