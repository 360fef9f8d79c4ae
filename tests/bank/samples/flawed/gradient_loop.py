"""My gradient loop."""

from typing import NamedTuple

import torch


class Step(NamedTuple):
    loss: float
    w: float
    b: float


def predict(x, w, b):
    return w * x + b


def squared_error(y_predicted, y):
    return ((y_predicted - y) ** 2).mean()


def manual_gradients(x, y, w, b):
    error = predict(x, w, b) - y
    return (2 * error * x).mean(), (2 * error).mean()


def sgd_step(parameters, gradients, learning_rate):
    with torch.no_grad():
        for p, g in zip(parameters, gradients):
            p -= learning_rate * g


def train_manual(x, y, w, b, learning_rate, steps):
    w, b = w.clone(), b.clone()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        sgd_step([w, b], manual_gradients(x, y, w, b), learning_rate)
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


def train_autograd(x, y, w, b, learning_rate, steps):
    w, b = w.clone().requires_grad_(), b.clone().requires_grad_()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        loss.backward()  # flaw: the gradients of the steps before are still there
        sgd_step([w, b], [w.grad, b.grad], learning_rate)
        history.append(Step(loss.item(), w.item(), b.item()))
    return history
