"""train_manual keeps w and b as Python floats and goes through the points one by one."""

from typing import NamedTuple

import torch
from torch import Tensor


class Step(NamedTuple):
    loss: float
    w: float
    b: float


def predict(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return w * x + b


def squared_error(y_predicted: Tensor, y: Tensor) -> Tensor:
    return (y_predicted - y).pow(2).sum() / y.numel()


def manual_gradients(x: Tensor, y: Tensor, w: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    n = x.numel()
    grad_w = torch.zeros_like(w)
    grad_b = torch.zeros_like(b)
    for x_i, y_i in zip(x.reshape(-1), y.reshape(-1)):
        error = w * x_i + b - y_i
        grad_w = grad_w + 2 * error * x_i / n
        grad_b = grad_b + 2 * error / n
    return grad_w, grad_b


def sgd_step(parameters, gradients, learning_rate) -> None:
    with torch.no_grad():
        for p, g in zip(parameters, gradients):
            p.copy_(p - learning_rate * g)


def train_manual(x, y, w, b, learning_rate, steps) -> list[Step]:
    points = list(zip(x.flatten().tolist(), y.flatten().tolist()))
    w, b = w.item(), b.item()
    history = []
    for _ in range(steps):
        errors = [w * x_i + b - y_i for x_i, y_i in points]
        loss = sum(e * e for e in errors) / len(points)
        grad_w = sum(2 * e * x_i for e, (x_i, _) in zip(errors, points)) / len(points)
        grad_b = sum(2 * e for e in errors) / len(points)
        w, b = w - learning_rate * grad_w, b - learning_rate * grad_b
        history.append(Step(loss, w, b))
    return history


def train_autograd(x, y, w, b, learning_rate, steps) -> list[Step]:
    w = w.detach().clone().requires_grad_()
    b = b.detach().clone().requires_grad_()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        loss.backward()
        sgd_step([w, b], [w.grad, b.grad], learning_rate)
        w.grad.zero_()
        b.grad.zero_()
        history.append(Step(loss.item(), w.item(), b.item()))
    return history
