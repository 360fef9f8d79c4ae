"""What a worker replies, read for hidden tests: values that are checked, or a CheckFailed.

Every byte of a reply is the submission's, so nothing in it is believed beyond what its reader needs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from torch import Tensor

from autograder.broker import WorkerLost, in_words
from autograder.sandbox import protocol, values, wire
from autograder.suite.failures import CheckFailed, OfTheMachine, TooSlow
from tower_student.language import mark, tr
from tower_student.text import word

UNREADABLE = mark("What came back cannot be read as an answer.")
MessageT = TypeVar("MessageT")
#: What comes back: fields, and tensors by name.
Reply = tuple[dict[str, Any], dict[str, Tensor]]


class Parameter(NamedTuple):
    """A registered parameter, as the worker describes it."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    device: str
    requires_grad: bool


@dataclass(frozen=True)
class Description:
    """What a layer is made of: parameters in order, state dict keys, names registered as None."""

    parameters: tuple[Parameter, ...]
    state: tuple[str, ...]
    absent: tuple[str, ...]
    bases: tuple[str, ...]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of each parameter by its name, in order."""
        return {parameter.name: parameter.shape for parameter in self.parameters}


@dataclass(frozen=True)
class Seen:
    """What the recorder saw: dispatcher operators, torch's own Python functions, and if it was intact.

    Names are like "addmm", "linear_backward" or "autograd::engine", and "torch.nn.init.normal_".
    """

    operators: frozenset[str]
    functions: frozenset[str]
    intact: bool


class Transfers(NamedTuple):
    """Whether an output stayed on the GPU, and how often a tensor was carried to or from it."""

    stayed: bool
    copies: int


@dataclass(frozen=True)
class Answer:
    """What came back from a forward pass or a call.

    Attributes:
        value: the output or the result.
        after: the input, or the list of arguments, as they are afterwards, where asked for.
        gradients: by name; "input" is the gradient of the first argument.
        traits: beside `after`, for each tensor argument: is_result, is_leaf, requires_grad,
            has_grad, moved (it lies elsewhere in memory than before).
        seen: what the recorder saw, with watch=True.
        draws: what the global generator yielded next, as many numbers as asked for.
        meta_shape: the shape of an output on the meta device, which has no values.
        transfers: between the GPU and the CPU, of an output that was computed on one.
    """

    value: Any
    after: Any = None
    gradients: Mapping[str, Tensor] = field(default_factory=dict)
    traits: Sequence[Mapping[str, bool]] = ()
    seen: Seen | None = None
    draws: Tensor | None = None
    meta_shape: tuple[int, ...] | None = None
    transfers: Transfers | None = None


def lost_worker(lost: WorkerLost) -> CheckFailed:
    """Return the feedback to a student whose worker is lost."""
    match lost.reason:
        case "deadline":
            return TooSlow(
                tr(
                    "It did not finish in time: {used}. An endless loop, a very slow one, or waiting for "
                    "input.",
                    used=lost,
                ),
                unproven=True,
            )
        case "died":
            return CheckFailed(
                tr(
                    "The process ended before it answered: os._exit, a crash, or too little memory."
                ),
                unproven=True,
            )
        case "killed":
            return OfTheMachine(tr("The process was killed from outside."), unproven=True)
        case "starved":
            return OfTheMachine(
                tr("The machine is too busy for the process: {used}.", used=lost), unproven=True
            )
    return CheckFailed(tr("It was stopped because {reason}.", reason=lost))


def read(message_type: type[MessageT], reply: Mapping[str, Any]) -> MessageT:
    """Return the message that a reply holds. Raises CheckFailed where it holds none."""
    try:
        return protocol.read(message_type, reply)
    except TypeError:
        raise CheckFailed(tr(UNREADABLE)) from None


def error(described: object) -> protocol.Error:
    """Return what a reply says is wrong. Raises CheckFailed where that is of no known kind."""
    if isinstance(described, dict) and str(described.get("kind")) in protocol.ERRORS:
        return read(protocol.ERRORS[str(described["kind"])], described)
    raise CheckFailed(tr(UNREADABLE))


def value(tree: protocol.Tree, tensors: Mapping[str, Tensor]) -> Any:
    """Return the value of a tree. Raises CheckFailed where it is none."""
    try:
        return values.decode_tree(tree, tensors)
    except wire.WireError as error:
        raise CheckFailed(
            tr("What came back cannot be read as an answer: {error}.", error=in_words(error))
        ) from None


def gradients(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the gradients among the tensors of a reply, by name."""
    return prefixed(tensors, "grad ")


def prefixed(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names begin so, by the rest of their names."""
    return {
        word(name.removeprefix(prefix)): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }


def traits(result: protocol.Result, count: int) -> list[dict[str, bool]]:
    """Return the traits of so many tensors. Raises CheckFailed where they are of another number."""
    if result.traits is None or len(result.traits) != count:
        raise CheckFailed(tr(UNREADABLE))
    return result.traits


def seen(trace: dict[str, Any] | None) -> Seen:
    """Return what the recorder saw. Raises CheckFailed where the reply does not say."""
    found = read(protocol.OperatorTrace, trace or {})
    return Seen(frozenset(found.operators), frozenset(found.functions), found.intact)


def transfers(output: protocol.Output) -> Transfers:
    """Return how an output came back from the GPU. Raises CheckFailed where the reply does not say."""
    if output.stayed is None or output.copies is None:
        raise CheckFailed(tr(UNREADABLE))
    return Transfers(output.stayed, output.copies)


def description(reply: Mapping[str, Any]) -> Description:
    """Return what the layer of a reply is made of. Raises CheckFailed."""
    layer = read(protocol.Layer, read(protocol.Made, reply).layer)
    return Description(
        tuple(_parameter(entry) for entry in layer.parameters),
        tuple(map(word, layer.state)),
        tuple(map(word, layer.absent)),
        tuple(layer.bases),
    )


def _parameter(entry: object) -> Parameter:
    match entry:
        case [str() as name, str() as dtype, size, str() as device, bool() as grad]:
            return Parameter(word(name), word(dtype), shape(size), word(device), grad)
    raise CheckFailed(tr(UNREADABLE))


def shape(sizes: object) -> tuple[int, ...]:
    """Return sizes that a tensor may have; a number without end would be a text without end.

    Raises CheckFailed.
    """
    match sizes:
        case list() if len(sizes) <= wire.MAX_DIMENSIONS and all(
            type(size) is int and 0 <= size < values.MAX_INT for size in sizes
        ):
            return tuple(sizes)
    raise CheckFailed(tr(UNREADABLE))
