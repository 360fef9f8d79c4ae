"""What a course knows about its layers: its hidden tests register it, the laws ask for it.

    @suspects_of_output(nn.Linear)
    def of_linear(oracle, x):
        cause = why("linear.weight.not_transposed", "The weight is not transposed: y = x·Wᵀ + b.")
        yield Suspect(cause, lambda: x @ oracle.weight)

One function of each kind can be registered for a class; it is asked about every oracle that is one. Its
suspects come before those that the suite knows of any layer. Register them in tests/hidden/conftest.py, or in
what it imports: what is registered belongs to the course that is graded.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from autograder.suite.outputs import of_any_gradient, of_any_output
from autograder.suite.statistics import Drawn
from autograder.suite.suspects import Suspect

OutputSuspects = Callable[[Any, Tensor], Iterator[Suspect]]
"""What could come out of a layer for an input instead of what the oracle returns."""
GradientSuspects = Callable[[Any, Tensor, Tensor, str], Iterator[Suspect]]
"""What could come back as the gradient of a parameter, or of the "input", for an upstream one."""
DrawingSuspects = Callable[[tuple[int, ...], tuple[int, ...]], Iterator[Drawn]]
"""How a parameter could be drawn, by the shapes of the layer's weight and its own."""
SuspectsT = TypeVar("SuspectsT", OutputSuspects, GradientSuspects, DrawingSuspects)

_outputs: dict[type[nn.Module], OutputSuspects] = {}
_gradients: dict[type[nn.Module], GradientSuspects] = {}
_drawings: dict[type[nn.Module], DrawingSuspects] = {}


def suspects_of_output(*kinds: type[nn.Module]) -> Callable[[OutputSuspects], OutputSuspects]:
    """Register what can go wrong with the output of these layers.

    The function takes the oracle and its input, and yields a Suspect for each wrong output.
    """
    return _register(_outputs, kinds)


def suspects_of_gradient(*kinds: type[nn.Module]) -> Callable[[GradientSuspects], GradientSuspects]:
    """Register what can go wrong with the gradients of these layers.

    The function takes the oracle, its input, the upstream gradient and the name of a parameter or "input",
    and yields a Suspect for each wrong gradient of that name.
    """
    return _register(_gradients, kinds)


def suspects_of_drawing(*kinds: type[nn.Module]) -> Callable[[DrawingSuspects], DrawingSuspects]:
    """Register what can go wrong when the parameters of these layers are drawn.

    The function takes the shapes of the layer's weight and of the parameter in question, and yields a Drawn
    for each wrong distribution.
    """
    return _register(_drawings, kinds)


def forget() -> None:
    """Forget all that was registered: another course is graded from here on."""
    for registered in (_outputs, _gradients, _drawings):
        registered.clear()


def of_output(oracle: nn.Module, x: Tensor) -> Iterator[Suspect]:
    """Yield what could have come out of a layer instead of oracle(x)."""
    for suspects in _known(_outputs, oracle):
        yield from suspects(oracle, x)
    yield from of_any_output(lambda: oracle(x))


def of_gradient(oracle: nn.Module, x: Tensor, upstream: Tensor, name: str) -> Iterator[Suspect]:
    """Yield what could have come back instead of the gradient of a parameter, or of the "input"."""
    for suspects in _known(_gradients, oracle):
        yield from suspects(oracle, x, upstream, name)
    tensors: dict[str, Tensor] = {**dict(oracle.named_parameters()), "input": x}
    yield from of_any_gradient(as_function_of(oracle, x, name), tensors[name], upstream)


def of_drawing(oracle: nn.Module, weight: tuple[int, ...], own: tuple[int, ...]) -> Iterator[Drawn]:
    """Yield how a parameter of shape `own` could have been drawn, by the shape of the layer's weight."""
    for suspects in _known(_drawings, oracle):
        yield from suspects(weight, own)


def as_function_of(
    layer: nn.Module, x: Tensor, name: str, **others: Tensor
) -> Callable[[Tensor], Tensor]:
    """Return the layer's output as a function of one parameter, or of the "input".

    `others` replace parameters by name.
    """
    parameters = dict(layer.named_parameters()) | others

    def function(value: Tensor) -> Tensor:
        given = value if name == "input" else x
        changed = parameters if name == "input" else parameters | {name: value}
        output: Tensor = torch.func.functional_call(layer, changed, (given,))
        return output

    return function


def _register(
    registered: dict[type[nn.Module], SuspectsT], kinds: tuple[type[nn.Module], ...]
) -> Callable[[SuspectsT], SuspectsT]:
    def decorate(suspects: SuspectsT) -> SuspectsT:
        registered.update(dict.fromkeys(kinds, suspects))
        return suspects

    return decorate


def _known(registered: dict[type[nn.Module], SuspectsT], oracle: nn.Module) -> Iterator[SuspectsT]:
    return (suspects for kind, suspects in registered.items() if isinstance(oracle, kind))
