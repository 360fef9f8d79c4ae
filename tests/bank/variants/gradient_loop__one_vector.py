"""train_autograd fits one vector θ = (w, b), and the manual gradients come from dot products."""

from typing import NamedTuple

import torch


class Step(NamedTuple):
    loss: float
    w: float
    b: float


def predict(x, w, b):
    return torch.addcmul(b.expand_as(x), w.expand_as(x), x)


def squared_error(y_predicted, y):
    difference = (y_predicted - y).reshape(-1)
    return difference.dot(difference) / difference.numel()


def manual_gradients(x, y, w, b):
    error = (predict(x, w, b) - y).reshape(-1)
    scale = 2 / error.numel()
    return scale * error.dot(x.reshape(-1)), scale * error.sum()


def sgd_step(parameters, gradients, learning_rate):
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter += -learning_rate * gradient


def train_manual(x, y, w, b, learning_rate, steps):
    theta = torch.stack([w.detach(), b.detach()])
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, theta[0], theta[1]), y)
        gradient = torch.stack(manual_gradients(x, y, theta[0], theta[1]))
        sgd_step([theta], [gradient], learning_rate)
        history.append(Step(loss.item(), *theta.tolist()))
    return history


def train_autograd(x, y, w, b, learning_rate, steps):
    theta = torch.stack([w.detach(), b.detach()]).requires_grad_()
    history = []
    for _ in range(steps):
        theta.grad = None
        loss = squared_error(predict(x, theta[0], theta[1]), y)
        loss.backward()
        sgd_step([theta], [theta.grad], learning_rate)
        history.append(Step(loss.item(), *theta.tolist()))
    return history
