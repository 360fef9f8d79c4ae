"""Both fits are generators that a list is made of; updates go through torch.sub_ with alpha."""

from typing import NamedTuple

import torch


class Step(NamedTuple):
    loss: float
    w: float
    b: float


def predict(x, w, b):
    return torch.add(b, x * w)


def squared_error(y_predicted, y):
    return torch.nn.functional.mse_loss(y_predicted, y)


def manual_gradients(x, y, w, b):
    residual = x * w + b - y
    return (residual * x).mean().mul(2), residual.mean().mul(2)


@torch.no_grad()
def sgd_step(parameters, gradients, learning_rate):
    for i in range(len(parameters)):
        parameters[i].sub_(gradients[i], alpha=learning_rate)


def _walk(x, y, w, b, learning_rate, steps, gradients_of):
    w, b = w.detach().clone(), b.detach().clone()
    for _ in range(steps):
        loss, gradients = gradients_of(x, y, w, b)
        sgd_step([w, b], gradients, learning_rate)
        yield Step(float(loss), float(w), float(b))


def _by_hand(x, y, w, b):
    return squared_error(predict(x, w, b), y), manual_gradients(x, y, w, b)


def _by_autograd(x, y, w, b):
    leaves = [w.clone().requires_grad_(), b.clone().requires_grad_()]
    loss = squared_error(predict(x, *leaves), y)
    return loss.detach(), torch.autograd.grad(loss, leaves)


def train_manual(x, y, w, b, learning_rate, steps):
    return [*_walk(x, y, w, b, learning_rate, steps, _by_hand)]


def train_autograd(x, y, w, b, learning_rate, steps):
    return list(_walk(x, y, w, b, learning_rate, steps, _by_autograd))
