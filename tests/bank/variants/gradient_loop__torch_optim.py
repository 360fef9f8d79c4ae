"""train_autograd leaves the step to torch.optim.SGD and clears with set_to_none=False."""

from typing import NamedTuple

import torch
import torch.nn.functional as F


class Step(NamedTuple):
    loss: float
    w: float
    b: float


def predict(x, w, b):
    return torch.add(b, w * x)


def squared_error(y_predicted, y):
    return F.mse_loss(y_predicted, y)


def manual_gradients(x, y, w, b):
    error = predict(x, w, b).sub(y).mul(2)
    return error.mul(x).mean(), error.mean()


def sgd_step(parameters, gradients, learning_rate):
    for parameter, gradient in zip(parameters, gradients):
        parameter.data.sub_(gradient, alpha=learning_rate)


def train_manual(x, y, w, b, learning_rate, steps):
    w, b = w.detach().clone(), b.detach().clone()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y).item()
        sgd_step((w, b), manual_gradients(x, y, w, b), learning_rate)
        history.append(Step(loss, w.item(), b.item()))
    return history


def train_autograd(x, y, w, b, learning_rate, steps):
    w = torch.nn.Parameter(w.detach().clone())
    b = torch.nn.Parameter(b.detach().clone())
    optimizer = torch.optim.SGD([w, b], lr=learning_rate)
    history = []
    for _ in range(steps):
        optimizer.zero_grad(set_to_none=False)
        loss = squared_error(predict(x, w, b), y)
        loss.backward()
        optimizer.step()
        history.append(Step(loss.item(), w.item(), b.item()))
    return history
