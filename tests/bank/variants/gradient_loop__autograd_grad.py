"""train_autograd asks torch.autograd.grad, so that no .grad is ever filled or cleared."""

from typing import NamedTuple

import torch


class Step(NamedTuple):
    loss: float
    w: float
    b: float


def predict(x, w, b):
    return x * w + b


def squared_error(y_predicted, y):
    difference = y - y_predicted
    return torch.mean(difference * difference)


def manual_gradients(x, y, w, b):
    residual = y - predict(x, w, b)
    return (-2 * x * residual).mean(), (-2 * residual).mean()


@torch.no_grad()
def sgd_step(parameters, gradients, learning_rate):
    for index in range(len(parameters)):
        parameters[index].add_(gradients[index], alpha=-learning_rate)


def train_manual(x, y, w, b, learning_rate, steps):
    parameters = [w.detach().clone(), b.detach().clone()]
    history = []
    while len(history) < steps:
        loss = squared_error(predict(x, *parameters), y)
        sgd_step(parameters, manual_gradients(x, y, *parameters), learning_rate)
        history.append(Step(float(loss), *map(float, parameters)))
    return history


def train_autograd(x, y, w, b, learning_rate, steps):
    parameters = [t.detach().clone().requires_grad_(True) for t in (w, b)]
    history = []
    while len(history) < steps:
        loss = squared_error(predict(x, *parameters), y)
        gradients = torch.autograd.grad(loss, parameters)
        sgd_step(parameters, gradients, learning_rate)
        history.append(Step(float(loss.detach()), *(float(p.detach()) for p in parameters)))
    return history
