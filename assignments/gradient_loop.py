"""The line y = w·x + b fitted twice: with derivatives written by hand, and with autograd.

Both fits walk through the same numbers, step by step. That is the point: `loss.backward()` is
the chain rule, applied by a machine instead of by you.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class Step(NamedTuple):
    """One step of training: the loss before the update, the parameters after it."""

    loss: float
    w: float
    b: float


def predict(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """The line: w·x + b.

    Shapes: x is any shape, w and b have no dimensions; the result has the shape of x.
    """
    raise NotImplementedError("Return w·x + b.")


def squared_error(y_predicted: Tensor, y: Tensor) -> Tensor:
    """The mean over all elements of (y_predicted - y)².

    Shapes: both arguments have the same shape; the result has no dimensions.
    """
    raise NotImplementedError("Return the mean of the squared differences.")


def manual_gradients(x: Tensor, y: Tensor, w: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """The derivatives of squared_error(predict(x, w, b), y) by w and by b, by arithmetic alone.

    With e = w·x + b - y and the mean taken over all elements:

        d loss / d w = mean(2·e·x)        d loss / d b = mean(2·e)

    No autograd here: this function is graded where it is switched off.
    Shapes: x and y have the same shape; both results have no dimensions, like w and b.
    """
    raise NotImplementedError("Return (grad_w, grad_b), each by the formula above.")


def sgd_step(
    parameters: Sequence[Tensor], gradients: Sequence[Tensor], learning_rate: float
) -> None:
    """One step of gradient descent: p ← p - learning_rate · gradient, in place.

    Each tensor of `parameters` keeps its identity and changes its values; also where it requires
    a gradient, since the step itself is not part of what is differentiated.
    Shapes: a gradient has the shape of its parameter.
    """
    raise NotImplementedError("Change each parameter in place, against its gradient.")


def train_manual(
    x: Tensor, y: Tensor, w: Tensor, b: Tensor, learning_rate: float, steps: int
) -> list[Step]:
    """`steps` steps of gradient descent with manual_gradients.

    Step i holds the loss before update i, and w and b after it, as Python floats. The caller's
    tensors stay as they are.
    """
    raise NotImplementedError("Copy w and b, then: predict, loss, manual_gradients, sgd_step, record.")


def train_autograd(
    x: Tensor, y: Tensor, w: Tensor, b: Tensor, learning_rate: float, steps: int
) -> list[Step]:
    """The same training, with the gradients asked of autograd: `loss.backward()`.

    Returns what train_manual returns. A gradient left over from the step before is added to the
    next one, so it has to be cleared. The caller's tensors stay as they are.
    """
    raise NotImplementedError("Copy w and b with requires_grad, then: loss, backward, sgd_step, clear.")
