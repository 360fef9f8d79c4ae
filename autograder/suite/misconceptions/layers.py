"""What can go wrong with a layer: its output and its gradients."""

from collections.abc import Iterator
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autograder.suite.misconceptions.outputs import (
    gradient,
    misread,
    of_any_gradient,
    of_any_output,
    of_bias,
)
from autograder.suite.misconceptions.suspects import Suspect, then
from autograder.suite.misconceptions.tower import of_tower, of_tower_gradient
from autograder.suite.misconceptions.windows import of_convolution
from autograder.suite.reference import ReferenceTower


def of_output(oracle: nn.Module, x: Tensor) -> Iterator[Suspect]:
    """What could have come out of a layer instead of oracle(x)."""
    match oracle:
        case nn.Linear():
            yield from _of_linear(oracle, x)
        case nn.Conv2d():
            yield from of_convolution(oracle, x)
        case ReferenceTower():
            yield from of_tower(oracle, x)
    yield from of_any_output(lambda: oracle(x))


def _of_linear(layer: nn.Linear, x: Tensor) -> Iterator[Suspect]:
    weight, bias = layer.weight, layer.bias

    def with_weight(changed: Tensor, given: Tensor = x) -> Tensor:
        return given @ changed if bias is None else given @ changed + bias

    yield Suspect(
        "The weight is viewed as (in, out); transposing moves its values, a view does not.",
        lambda: with_weight(weight.reshape(layer.in_features, layer.out_features)),
    )
    yield Suspect("The weight is not transposed: y = x·Wᵀ + b.", lambda: with_weight(weight))
    for cause, other in misread(x).items():
        yield Suspect(cause, then(partial(with_weight, weight.T), other))
    for cause, changed in {
        "The absolute value of the weight is used.": weight.abs(),
        "The product is divided by the number of inputs.": weight / layer.in_features,
        "The product is divided by the root of the number of inputs.": weight
        / layer.in_features**0.5,
        "Each row of the weight is scaled to length one.": weight
        / weight.norm(dim=1, keepdim=True),
        "Each column of the weight is scaled to length one.": weight / weight.norm(dim=0),
        "The weight is scaled to length one.": weight / weight.norm(),
        "The weight is centred.": weight - weight.mean(),
        "A softmax is taken of the weight.": weight.softmax(-1),
        "The outputs run in reverse order.": weight.flip(0),
        "The inputs run in reverse order.": weight.flip(1),
    }.items():
        yield Suspect(cause, partial(with_weight, changed.T))
    for what, given in {
        "The input is scaled to length one.": x / x.norm(dim=-1, keepdim=True),
        "The input is centred, sample by sample.": x - x.mean(-1, keepdim=True),
        "The input is standardised, sample by sample.": F.layer_norm(x, x.shape[-1:]),
        "A ReLU is taken of the input.": x.relu(),
    }.items():
        yield Suspect(what, partial(with_weight, weight.T, given))
    if bias is not None:
        yield from of_bias(lambda: layer(x), bias)
        yield Suspect(
            "The bias is added before the product instead of after it.",
            lambda: (x + bias) @ weight.T,
        )
        yield Suspect(
            "The bias runs along the wrong dimension.", lambda: x @ weight.T + bias[:, None]
        )


def of_gradient(layer: nn.Module, x: Tensor, upstream: Tensor, name: str) -> Iterator[Suspect]:
    """What could have come back instead of the gradient of a parameter, or of the "input"."""
    tensors: dict[str, Tensor] = {**dict(layer.named_parameters()), "input": x}

    def function(value: Tensor) -> Tensor:
        given = tensors | {name: value}
        output: Tensor = torch.func.functional_call(
            layer, {n: t for n, t in given.items() if n != "input"}, (given["input"],)
        )
        return output

    if isinstance(layer, ReferenceTower):
        yield from of_tower_gradient(layer, x, upstream, name)
    yield from of_any_gradient(function, tensors[name], upstream)
    if isinstance(layer, nn.Linear):
        for what, count in (("inputs", layer.in_features), ("outputs", layer.out_features)):
            for by, divisor in (
                (f"the number of {what}", count),
                (f"its root, of {what}", count**0.5),
            ):
                yield Suspect(
                    f"The gradient is divided by {by}; it is a plain sum.",
                    partial(gradient, function, tensors[name], upstream / divisor),
                )
        rows, inputs = upstream.reshape(-1, upstream.shape[-1]), x.reshape(-1, x.shape[-1])
        exchanged = (
            x * upstream.sum(-1, keepdim=True)
            if name == "input"
            else rows.sum(0)[:, None] * layer.weight
            if name == "weight"
            else inputs.sum(0)
        )
        yield Suspect(
            "Input and weight are exchanged in the backward pass: the derivative of x·w by x is w, and by w it "
            "is x.",
            exchanged,
        )
    if isinstance(layer, nn.Conv2d) and name == "input":
        for cause, weight in {
            "On the way back the kernel is flipped.": layer.weight.flip(2, 3),
            "On the way back the kernel is transposed.": layer.weight.transpose(2, 3),
        }.items():
            tensors["weight"] = weight
            yield Suspect(cause, partial(gradient, function, x, upstream))
