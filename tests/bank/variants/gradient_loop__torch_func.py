"""train_autograd takes its gradients from torch.func.grad_and_value."""

from typing import NamedTuple

import torch


class Step(NamedTuple):
    loss: float
    w: float
    b: float


def predict(x, w, b):
    return b + x * w


def squared_error(y_predicted, y):
    return (y_predicted - y).square().mean()


def manual_gradients(x, y, w, b):
    twice_error = 2 * (b + x * w - y)
    return torch.mean(twice_error * x), torch.mean(twice_error)


def sgd_step(parameters, gradients, learning_rate):
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients):
            torch.sub(parameter, gradient, alpha=learning_rate, out=parameter)


def _train(gradients_and_loss, w, b, learning_rate, steps):
    w, b, history = w.detach().clone(), b.detach().clone(), []
    for _ in range(steps):
        gradients, loss = gradients_and_loss(w, b)
        sgd_step([w, b], gradients, learning_rate)
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


def train_manual(x, y, w, b, learning_rate, steps):
    def gradients_and_loss(w, b):
        return manual_gradients(x, y, w, b), squared_error(predict(x, w, b), y)

    return _train(gradients_and_loss, w, b, learning_rate, steps)


def train_autograd(x, y, w, b, learning_rate, steps):
    def loss(w, b):
        return squared_error(predict(x, w, b), y)

    return _train(torch.func.grad_and_value(loss, argnums=(0, 1)), w, b, learning_rate, steps)
