"""What can go wrong with the output and the gradients of any layer."""

import math
from collections.abc import Callable, Iterator
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.suite.suspects import Suspect, then


def of_any_output(right: Callable[[], Tensor]) -> Iterator[Suspect]:
    """Yield what could have come out of any layer instead of what `right` returns."""
    activations: dict[str, Callable[[Tensor], Tensor]] = {
        "A ReLU": F.relu,
        "A sigmoid": torch.sigmoid,
        "A tanh": torch.tanh,
        "A softmax over the last dimension": lambda y: y.softmax(-1),
        "A softmax over dimension 1": lambda y: y.softmax(1),
        "A softmax over the batch": lambda y: y.softmax(0),
        "A log_softmax": lambda y: y.log_softmax(-1),
        "An absolute value": torch.abs,
        "A rounding": torch.round,
    }
    for name, function in activations.items():
        yield Suspect(
            f"{name} stands at the end, which does not belong there.",
            then(function, right),
        )
    yield Suspect("A dimension of size 1 is squeezed away.", lambda: right().squeeze())
    yield Suspect("The batch's dimension is lost.", lambda: right().squeeze(0))
    yield Suspect(
        "Every sample of the batch gets the output of the first one.",
        lambda: right()[:1].expand_as(right()),
    )
    yield Suspect("Only the first sample of the batch is computed.", lambda: right()[0])
    yield Suspect("Only the first sample of the batch is computed.", lambda: right()[:1])
    yield Suspect(
        "Only the first sample of the batch is computed, the others stay zero.",
        lambda: torch.cat([right()[:1], torch.zeros_like(right()[1:])]),
    )
    yield Suspect(
        "The batch is averaged.", lambda: right().mean(0, keepdim=True).expand_as(right())
    )
    yield Suspect("The batch is averaged away.", lambda: right().mean(0))
    yield Suspect("The batch is summed up.", lambda: right().sum(0))
    yield Suspect("The batch runs in reverse order.", lambda: right().flip(0))
    yield Suspect(
        "The mean over the batch is subtracted; samples have nothing to do with each other.",
        lambda: right() - right().mean(0),
    )
    yield Suspect("The leading dimensions are flattened into one.", lambda: right().flatten(0, -2))
    yield Suspect(
        "A dimension of size 1 is added in front, as reshape(-1, …) does.",
        lambda: right().unsqueeze(0),
    )
    yield Suspect("A dimension of size 1 is added at the end.", lambda: right().unsqueeze(-1))
    yield Suspect("The last two dimensions are exchanged.", lambda: right().transpose(-1, -2))
    yield Suspect(
        "The last two dimensions are exchanged by a view or reshape; permute or transpose moves the values.",
        lambda: right().transpose(-1, -2).reshape(right().shape),
    )


def of_bias(right: Callable[[], Tensor], bias: Tensor) -> Iterator[Suspect]:
    """Yield what can go wrong with a bias that broadcasts against what `right` returns."""
    first = bias.flatten()[0]
    yield Suspect("The bias is never added.", lambda: right() - bias)
    yield Suspect("The bias is subtracted.", lambda: right() - 2 * bias)
    yield Suspect("The bias is added twice.", lambda: right() + bias)
    yield Suspect("The bias multiplies the output.", lambda: (right() - bias) * bias)
    yield Suspect("One entry of the bias is added to every output.", lambda: right() - bias + first)
    yield Suspect(
        "The mean of the bias is added to every output.", lambda: right() - bias + bias.mean()
    )
    yield Suspect(
        "The sum of the bias is added to every output.", lambda: right() - bias + bias.sum()
    )
    yield Suspect("The absolute value of the bias is added.", lambda: right() - bias + bias.abs())


CLIPS = (0.01, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
"""At which somebody might clip a gradient."""


def misread(x: Tensor) -> dict[str, Callable[[], Tensor]]:
    """Return how the memory of `x` can be misread, by cause: functions that return tensors of its shape."""
    plain = torch.empty(x.shape, device="meta").stride()
    start = x.storage_offset()
    return {
        "The input is read as if it were contiguous: take its own stride(), or contiguous() first; "
        "reshape, not view.": lambda: x.as_strided(x.shape, plain, start),
        "The input is read from the beginning of its memory: as_strided begins at the input's own "
        "storage_offset() only if none is given.": lambda: x.as_strided(x.shape, x.stride(), 0),
        "The input's memory is read from its beginning and in its own order: take reshape instead of view, "
        "and leave the storage_offset out of as_strided.": lambda: x.as_strided(x.shape, plain, 0),
    }


def gradient(function: Callable[[Tensor], Tensor], at: Tensor, upstream: Tensor) -> Tensor:
    """Return the gradient of `function` at a point, of its shape, under an upstream gradient."""
    leaf = at.detach().clone().requires_grad_()
    (found,) = torch.autograd.grad((function(leaf) * upstream).sum(), leaf)
    return found


def of_any_gradient(
    function: Callable[[Tensor], Tensor], at: Tensor, upstream: Tensor
) -> Iterator[Suspect]:
    """Yield what could have come back instead of the gradient of `function` at a point."""
    samples = len(upstream) if upstream.dim() > 1 else 1
    positions = math.prod(upstream.shape[2:]) if upstream.dim() > 2 else 1
    ones = torch.ones_like(upstream)
    first = upstream.clone()
    first[1:] = 0
    for cause, other in {
        "The upstream gradient is ignored: this is the gradient of the output's sum.": ones,
        "The upstream gradient is ignored: this is the gradient of the output's mean.": ones
        / max(1, upstream.numel()),
        "The gradient is averaged over the batch; it should be summed.": upstream / max(1, samples),
        "The gradient is averaged over the positions; it should be summed.": upstream
        / max(1, positions),
        "The gradient is averaged over batch and positions; it should be summed.": upstream
        / max(1, samples * positions),
        "Only the first sample of the batch contributes to the gradient.": first,
        "The sign of the gradient is flipped.": -upstream,
        "The gradient is counted twice.": 2 * upstream,
        "The upstream gradient is averaged before it is used.": upstream.mean() * ones,
        "The signs of the upstream gradient are used, not its values.": upstream.sign(),
        "The upstream gradient runs in reverse order along the batch.": upstream.flip(0),
        "The upstream gradient is squared.": upstream**2,
    }.items():
        yield Suspect(cause, partial(gradient, function, at, other))
    for limit in CLIPS:
        clipped = f"The upstream gradient is clipped to ±{limit}; a layer passes it on as it is."
        yield Suspect(clipped, partial(gradient, function, at, upstream.clamp(-limit, limit)))

    def right() -> Tensor:
        return gradient(function, at, upstream)

    for limit in CLIPS:
        clipped = f"The gradient is clipped to ±{limit}; a layer passes it on as it is."
        yield Suspect(clipped, then(partial(torch.clamp, min=-limit, max=limit), right))
    yield Suspect("The gradient is scaled to length one.", lambda: right() / right().norm())
    yield Suspect("The gradient is transposed.", lambda: right().transpose(-1, -2))
    yield Suspect(
        "The gradient is transposed by a view or reshape.",
        lambda: right().transpose(-1, -2).reshape(at.shape),
    )
    yield Suspect("The kernel's gradient is flipped.", lambda: right().flip(2, 3))
