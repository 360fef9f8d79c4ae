"""Prints, warns and logs at every step, and checks its arguments with assertions."""

import logging
import sys
import warnings
from typing import NamedTuple

import torch

logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
logger = logging.getLogger(__name__)
print("gradient_loop is being imported", torch.__version__)
warnings.warn("this module talks a lot")


class Step(NamedTuple):
    """One step of training."""

    loss: float
    w: float
    b: float

    def __str__(self):
        return f"loss {self.loss:.4f} at w = {self.w:.4f}, b = {self.b:.4f}"


def predict(x, w, b):
    logger.debug("predict of %s points", x.numel())
    assert w.dim() == b.dim() == 0
    result = w * x + b
    assert result.shape == x.shape
    return result


def squared_error(y_predicted, y):
    assert y_predicted.shape == y.shape, "shapes differ"
    return ((y_predicted - y) ** 2).mean()


def manual_gradients(x, y, w, b):
    error = predict(x, w, b) - y
    grad_w, grad_b = (2 * error * x).mean(), (2 * error).mean()
    print(f"{grad_w = }, {grad_b = }")
    return (grad_w, grad_b)


def sgd_step(parameters, gradients, learning_rate):
    with torch.no_grad():
        for number, (parameter, gradient) in enumerate(zip(parameters, gradients)):
            before = parameter.clone()
            parameter -= learning_rate * gradient
            print("parameter", number, "from", before, "to", parameter, file=sys.stderr)


def train_manual(x, y, w, b, learning_rate, steps):
    w = w.clone().detach()
    b = b.clone().detach()
    history = []
    for i in range(1, steps + 1):
        loss = squared_error(predict(x, w, b), y)
        sgd_step([w, b], manual_gradients(x, y, w, b), learning_rate)
        history.append(Step(loss.item(), w.item(), b.item()))
        print("step", i, "of", steps, history[-1])
        if loss.item() > 1e6:
            warnings.warn(f"the loss is {loss.item()}")
    return history


def train_autograd(x, y, w, b, learning_rate, steps):
    w = w.clone().detach().requires_grad_(True)
    b = b.clone().detach().requires_grad_(True)
    history = []
    for i in range(1, steps + 1):
        w.grad, b.grad = None, None
        loss = squared_error(predict(x, w, b), y)
        loss.backward(retain_graph=True)
        sgd_step([w, b], [w.grad, b.grad], learning_rate)
        history.append(Step(loss.item(), w.item(), b.item()))
        print("step", i, "of", steps, history[-1])
    return history
