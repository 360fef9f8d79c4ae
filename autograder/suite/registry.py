"""What a course knows about its layers: its hidden tests register it, the properties of layers ask for it.

    @candidates_for_output(nn.Linear)
    def of_linear(oracle, x):
        cause = why("linear.weight.not_transposed", "The weight is not transposed: y = x·Wᵀ + b.")
        yield Candidate(cause, lambda: x @ oracle.weight)

One function of each kind can be registered for a class; it is asked about every oracle that is one. Its
candidates come before those that the suite knows of any layer. Register them in tests/hidden/conftest.py,
or in what it imports: what is registered belongs to the course that is graded.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from autograder.suite.candidates import Candidate
from autograder.suite.outputs import of_any_gradient, of_any_output
from autograder.suite.statistics import Distribution

OutputCandidates = Callable[[Any, Tensor], Iterator[Candidate]]
"""What could come out of a layer for an input instead of what the oracle returns."""
GradientCandidates = Callable[[Any, Tensor, Tensor, str], Iterator[Candidate]]
"""What could come back as the gradient of a parameter, or of the "input", for an upstream one."""
InitialisationCandidates = Callable[[tuple[int, ...], tuple[int, ...]], Iterator[Distribution]]
"""How a parameter could be drawn, by the shapes of the layer's weight and its own."""
CandidatesT = TypeVar("CandidatesT", OutputCandidates, GradientCandidates, InitialisationCandidates)

_outputs: dict[type[nn.Module], OutputCandidates] = {}
_gradients: dict[type[nn.Module], GradientCandidates] = {}
_initialisations: dict[type[nn.Module], InitialisationCandidates] = {}


def candidates_for_output(
    *layers: type[nn.Module],
) -> Callable[[OutputCandidates], OutputCandidates]:
    """Register what can go wrong with the output of these layers.

    The function takes the oracle and its input, and yields a Candidate for each wrong output.
    """
    return _register(_outputs, layers)


def candidates_for_gradient(
    *layers: type[nn.Module],
) -> Callable[[GradientCandidates], GradientCandidates]:
    """Register what can go wrong with the gradients of these layers.

    The function takes the oracle, its input, the upstream gradient and the name of a parameter or "input",
    and yields a Candidate for each wrong gradient of that name.
    """
    return _register(_gradients, layers)


def candidates_for_initialisation(
    *layers: type[nn.Module],
) -> Callable[[InitialisationCandidates], InitialisationCandidates]:
    """Register what can go wrong when the parameters of these layers are drawn.

    The function takes the shapes of the layer's weight and of the parameter in question, and yields a
    Distribution for each wrong distribution.
    """
    return _register(_initialisations, layers)


def forget() -> None:
    """Forget all that was registered: another course is graded from here on."""
    for registered in (_outputs, _gradients, _initialisations):
        registered.clear()


def of_output(oracle: nn.Module, x: Tensor) -> Iterator[Candidate]:
    """Yield what could have come out of a layer instead of oracle(x)."""
    for candidates in _known(_outputs, oracle):
        yield from candidates(oracle, x)
    yield from of_any_output(lambda: oracle(x))


def of_gradient(oracle: nn.Module, x: Tensor, upstream: Tensor, name: str) -> Iterator[Candidate]:
    """Yield what could have come back instead of the gradient of a parameter, or of the "input"."""
    for candidates in _known(_gradients, oracle):
        yield from candidates(oracle, x, upstream, name)
    tensors: dict[str, Tensor] = {**dict(oracle.named_parameters()), "input": x}
    yield from of_any_gradient(as_function_of(oracle, x, name), tensors[name], upstream)


def of_initialisation(
    oracle: nn.Module, weight: tuple[int, ...], own: tuple[int, ...]
) -> Iterator[Distribution]:
    """Yield how a parameter of shape `own` could have been drawn, by the shape of the layer's weight."""
    for candidates in _known(_initialisations, oracle):
        yield from candidates(weight, own)


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
    registered: dict[type[nn.Module], CandidatesT], layers: tuple[type[nn.Module], ...]
) -> Callable[[CandidatesT], CandidatesT]:
    def decorate(candidates: CandidatesT) -> CandidatesT:
        registered.update(dict.fromkeys(layers, candidates))
        return candidates

    return decorate


def _known(
    registered: dict[type[nn.Module], CandidatesT], oracle: nn.Module
) -> Iterator[CandidatesT]:
    return (candidates for layer, candidates in registered.items() if isinstance(oracle, layer))
