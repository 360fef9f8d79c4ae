"""What can go wrong with a linear layer: its output and its gradients; and with any layer of weights."""

from collections.abc import Iterator
from functools import partial

import torch.nn.functional as F
from torch import Tensor, nn

from autograder.report import Cause
from autograder.suite.candidates import Candidate, candidates_of, table, then
from autograder.suite.failures import why
from autograder.suite.outputs import gradient, misread, of_bias
from autograder.suite.registry import as_function_of, candidates_for_gradient, candidates_for_output

BIAS_ALONG_THE_WRONG_DIMENSION = why(
    "bias.wrong_dimension", "The bias runs along the wrong dimension."
)
INHERITED = why("by_hand.inherited", "The class is to be built on nn.Module alone.")


@candidates_for_output(nn.Linear)
def of_linear(layer: nn.Linear, x: Tensor) -> Iterator[Candidate]:
    weight, bias = layer.weight, layer.bias

    def with_weight(changed: Tensor, given: Tensor = x) -> Tensor:
        return given @ changed if bias is None else given @ changed + bias

    yield from candidates_of(
        "linear.weight",
        viewed=("The weight is reshaped to (in, out), which keeps the order of its values; .T exchanges rows and columns.",
            lambda: with_weight(weight.reshape(layer.in_features, layer.out_features))),
        not_transposed=("The weight is not transposed: y = x·Wᵀ + b.", lambda: with_weight(weight)),
    )  # fmt: skip
    for cause, other in misread(x).items():
        yield Candidate(cause, then(partial(with_weight, weight.T), other))
    for cause, changed in _wrong_weights(weight):
        yield Candidate(cause, partial(with_weight, changed.T))
    for cause, given in table(
        "linear.input",
        normalised=("The input is scaled to length one.", x / x.norm(dim=-1, keepdim=True)),
        centred=("The input is centred, sample by sample.", x - x.mean(-1, keepdim=True)),
        standardised=("The input is standardised, sample by sample.",
            F.layer_norm(x, x.shape[-1:])),
        relu=("A ReLU is taken of the input.", x.relu()),
    ):  # fmt: skip
        yield Candidate(cause, partial(with_weight, weight.T, given))
    if bias is not None:
        yield from of_bias(lambda: layer(x), bias)
        yield from candidates_of(
            "linear.bias",
            before_product=("The bias is added before the product instead of after it.",
                lambda: (x + bias) @ weight.T),
            wrong_dimension=(BIAS_ALONG_THE_WRONG_DIMENSION, lambda: x @ weight.T + bias[:, None]),
        )  # fmt: skip


def _wrong_weights(weight: Tensor) -> Iterator[tuple[Cause, Tensor]]:
    count = weight.shape[1]
    yield from table(
        "linear",
        weight__absolute=("The absolute value of the weight is used.", weight.abs()),
        product__divided_by_number=("The product is divided by the number of inputs.",
            weight / count),
        product__divided_by_root=("The product is divided by the root of the number of inputs.",
            weight / count**0.5),
        weight__rows_normalised=("Each row of the weight is scaled to length one.",
            weight / weight.norm(dim=1, keepdim=True)),
        weight__columns_normalised=("Each column of the weight is scaled to length one.",
            weight / weight.norm(dim=0)),
        weight__normalised=("The weight is scaled to length one.", weight / weight.norm()),
        weight__centred=("The weight is centred.", weight - weight.mean()),
        weight__softmax=("A softmax is taken of the weight.", weight.softmax(-1)),
        outputs__reversed=("The outputs run in reverse order.", weight.flip(0)),
        inputs__reversed=("The inputs run in reverse order.", weight.flip(1)),
    )  # fmt: skip


@candidates_for_gradient(nn.Linear)
def of_linear_gradient(
    layer: nn.Linear, x: Tensor, upstream: Tensor, name: str
) -> Iterator[Candidate]:
    """What could have come back as the gradient of a parameter, or of the "input"."""
    tensors: dict[str, Tensor] = {**dict(layer.named_parameters()), "input": x}
    function = as_function_of(layer, x, name)
    for cause, divisor in table(
        "linear.gradient",
        divided_by_number_of_inputs=("The gradient is divided by the number of inputs; it is a plain sum.",
            layer.in_features),
        divided_by_root_of_inputs=("The gradient is divided by its root, of inputs; it is a plain sum.",
            layer.in_features**0.5),
        divided_by_number_of_outputs=("The gradient is divided by the number of outputs; it is a plain sum.",
            layer.out_features),
        divided_by_root_of_outputs=("The gradient is divided by its root, of outputs; it is a plain sum.",
            layer.out_features**0.5),
    ):  # fmt: skip
        yield Candidate(cause, partial(gradient, function, tensors[name], upstream / divisor))
    rows, inputs = upstream.reshape(-1, upstream.shape[-1]), x.reshape(-1, x.shape[-1])
    exchanged = (
        x * upstream.sum(-1, keepdim=True)
        if name == "input"
        else rows.sum(0)[:, None] * layer.weight
        if name == "weight"
        else inputs.sum(0)
    )
    yield from candidates_of(
        "linear.backward",
        factors_exchanged=(
            "Input and weight are exchanged in the backward pass: the derivative of x·w by x is w, and by w it "
            "is x.", exchanged),
    )  # fmt: skip
