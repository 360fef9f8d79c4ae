"""train_autograd fits a small nn.Module and clears at the end of each iteration."""

from typing import NamedTuple

import torch
from torch import nn


class Step(NamedTuple):
    loss: float
    w: float
    b: float


class Line(nn.Module):
    def __init__(self, w, b):
        super().__init__()
        self.w = nn.Parameter(w.detach().clone())
        self.b = nn.Parameter(b.detach().clone())

    def forward(self, x):
        return predict(x, self.w, self.b)


def predict(x, w, b):
    return w * x + b


def squared_error(y_predicted, y):
    return ((y_predicted - y) ** 2).mean()


def manual_gradients(x, y, w, b):
    # the derivative of mean((w·x + b - y)²), multiplied out into moments of the data
    xx, xy, mean_x, mean_y = (x * x).mean(), (x * y).mean(), x.mean(), y.mean()
    return 2 * (w * xx + b * mean_x - xy), 2 * (w * mean_x + b - mean_y)


def sgd_step(parameters, gradients, learning_rate):
    parameters, gradients = list(parameters), list(gradients)
    with torch.no_grad():
        while parameters:
            parameters.pop().sub_(learning_rate * gradients.pop())


def train_manual(x, y, w, b, learning_rate, steps):
    w, b = w.detach().clone(), b.detach().clone()

    def step():
        loss = squared_error(predict(x, w, b), y).item()
        sgd_step([w, b], manual_gradients(x, y, w, b), learning_rate)
        return Step(loss=loss, b=b.item(), w=w.item())

    return [step() for _ in range(steps)]


def train_autograd(x, y, w, b, learning_rate, steps):
    line, criterion, history = Line(w, b), nn.MSELoss(), []
    for _ in range(steps):
        loss = criterion(line(x), y)
        loss.backward()
        sgd_step([line.w, line.b], [line.w.grad, line.b.grad], learning_rate)
        line.zero_grad()
        history.append(Step(loss.item(), line.w.item(), line.b.item()))
    return history
