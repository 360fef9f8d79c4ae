"""What the grader asks a worker, and what a worker replies, as messages that both sides use.

A request crosses as {"id", "op", "arguments"}: `op` is the name of its class in lower case, `arguments` its
fields. A reply crosses as {"id"} and the fields of its class, or as {"id", "error"}, which are the fields of
a class of ERRORS and its "kind". Tensors cross beside them, see sandbox.wire.

A request that does not fit its class is a slip of the grader's: it raises TypeError where it is made, before
a worker hears of it. A reply is student territory: `read` believes nothing of it, and its reader turns the
TypeError into a failed check.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin

#: A value as values.Encoder writes it.
Tree = Any
MessageT = TypeVar("MessageT")


@dataclass(frozen=True)
class _Checked:
    """A request whose fields have the types that it declares. Raises TypeError.

    Attributes:
        begin: first forget every object, and ask this imported module from now on; "" for neither.
    """

    begin: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        _check(self)


@dataclass(frozen=True)
class Survey(_Checked):
    """Say what the text of a module holds, sent as a tensor of bytes of its name; nothing is run."""

    module: str


@dataclass(frozen=True)
class Import(_Checked):
    """Import one module of the texts sent, with the course's stand-ins in place of those named.

    The SCALE of a stand-in says what to multiply its outputs by. A worker is sent the same texts each
    time; what is sent after the first is not read. Without a module only the course's own are imported.
    Replies with Imported.

    Attributes:
        seconds: what one statement at the top of a module may take.
        late: the lines of statements that are known to take longer, by module.
    """

    module: str
    stand_ins: dict[str, float]
    seconds: float = 5.0
    late: dict[str, list[int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Create(_Checked):
    """Make a layer from a class of the submission under a seed; replies with Made.

    Attributes:
        default_dtype: torch's while it is made; "" leaves it as it is.
    """

    name: str
    args: Tree
    kwargs: dict[str, Tree]
    seed: int
    handle: int
    default_dtype: str = ""


@dataclass(frozen=True)
class Copy(_Checked):
    """Make a deep copy of a layer."""

    handle: int
    copy: int


@dataclass(frozen=True)
class Library(_Checked):
    """Make something that is not the student's: "nn.Linear", "optim.SGD", "FILE.CLASS".

    Attributes:
        groups: let each parameter be a group of its own in an optimizer.
    """

    name: str
    args: Tree
    kwargs: dict[str, Tree]
    handle: int
    groups: bool = False


@dataclass(frozen=True)
class Keep(_Checked):
    """Keep the tensors of this request for later ones, in the order of their names."""

    handles: list[int]
    on_gpu: bool


@dataclass(frozen=True)
class Threads(_Checked):
    """Compute on so many threads from now on."""

    count: int


@dataclass(frozen=True)
class Method(_Checked):
    """Call a method of a layer without arguments, such as reset_parameters, train or eval."""

    handle: int
    name: str
    seed: int | None


@dataclass(frozen=True)
class Freeze(_Checked):
    """Let one parameter of a layer require no gradient."""

    handle: int
    name: str


@dataclass(frozen=True)
class Convert(_Checked):
    """Move a layer to a device, as `layer.to` does; replies with Made."""

    handle: int
    target: str


@dataclass(frozen=True)
class Load(_Checked):
    """Load the tensors of this request through load_state_dict, strictly, in a layer of their dtype."""

    handle: int


@dataclass(frozen=True)
class Overwrite(_Checked):
    """Change parameters in place, as an optimizer or a careful user does."""

    handle: int


@dataclass(frozen=True)
class State(_Checked):
    """Send the state dict of a layer."""

    handle: int


@dataclass(frozen=True)
class Forward(_Checked):
    """Send the output of a layer, and the input as it is afterwards; replies with Output.

    With an `upstream` tensor beside the input, also the gradients of the input and of every parameter.

    Attributes:
        inference: use inference mode where autograd is off.
        again: another forward pass comes before the output is read; the gradients are those of a second
            backward pass over the same graph.
        refilled: the layer has seen the same tensor before, with other values in it.
        on_gpu: layer and input lie on the GPU, and stay there.
    """

    handle: int
    input: Tree
    method: str = "forward"
    grad: bool = True
    inference: bool = False
    watch: bool = False
    again: bool = False
    refilled: bool = False
    on_gpu: bool = False


@dataclass(frozen=True)
class Stream(_Checked):
    """Send the output of a layer on the GPU on another stream, where the tensor `input` comes late."""

    handle: int
    method: str


@dataclass(frozen=True)
class Activations(_Checked):
    """Send what enters and leaves the children of a network, as far as they are called as layers.

    As tensors named "in NAME" and "out NAME"; of a child that is called again, the first time.
    """

    handle: int
    input: Tree


@dataclass(frozen=True)
class Call(_Checked):
    """Call a function of the submission; replies with Result.

    With an `upstream` tensor, also the gradient of the first argument.

    Attributes:
        again: call it once more, with halved copies of the arguments, before the result is read.
        after: send the tensors among the arguments as they are afterwards.
        draws: how many numbers that the global generator yields next to send.
        on_gpu: let the function use the GPU.
        skewed: let autograd compute other derivatives than the right ones.
    """

    name: str
    args: Tree
    kwargs: dict[str, Tree] = field(default_factory=dict)
    seed: int = 0
    grad: bool = True
    watch: bool = False
    again: bool = False
    after: bool = False
    draws: int = 0
    on_gpu: bool = False
    skewed: bool = False


Request = (
    Survey
    | Import
    | Create
    | Copy
    | Library
    | Keep
    | Threads
    | Method
    | Freeze
    | Convert
    | Load
    | Overwrite
    | State
    | Forward
    | Stream
    | Activations
    | Call
)
#: The classes of requests by their operations.
OPERATIONS: dict[str, type[Request]] = {
    request.__name__.lower(): request for request in get_args(Request)
}


@dataclass(frozen=True)
class Surveyed:
    """What the text of a module says, see importer.survey."""

    survey: dict[str, Any]


@dataclass(frozen=True)
class PassedOver:
    """A statement at the top of a module that failed: where, what it would have bound, what it raised.

    Attributes:
        late: whether it took too long.
        raised: the fields of a Raised.
    """

    module: str
    line: int
    names: list[str]
    late: bool
    raised: dict[str, Any]


@dataclass(frozen=True)
class Imported:
    """The fields of a PassedOver for each statement that failed in the modules imported so far."""

    passed_over: list[dict[str, Any]]


@dataclass(frozen=True)
class Layer:
    """What a layer is made of: [name, dtype, shape, device, requires_grad] of each parameter, and names."""

    parameters: list[list[Any]]
    state: list[str]
    absent: list[str]
    bases: list[str]


@dataclass(frozen=True)
class Made:
    """The fields of a Layer."""

    layer: dict[str, Any]


@dataclass(frozen=True)
class OperatorTrace:
    """What the recorder saw, see recorder.OperatorTrace."""

    operators: list[str]
    functions: list[str]
    intact: bool


@dataclass(frozen=True)
class Output:
    """What a layer returned; a shape alone on the meta device.

    Attributes:
        stayed: whether it lay on the GPU, with `on_gpu`.
        copies: how often a tensor was carried to or from it, with `on_gpu`.
        trace: the fields of an OperatorTrace, with `watch`.
    """

    output: Tree = None
    stayed: bool | None = None
    copies: int | None = None
    trace: dict[str, Any] | None = None
    meta_shape: list[Any] | None = None


@dataclass(frozen=True)
class Result:
    """What a function returned.

    Attributes:
        grad_mode: whether autograd was still on after the call.
        after: what is left of the arguments, with `after`.
        traits: of each tensor among them: is_result, is_leaf, requires_grad, has_grad, moved.
        trace: the fields of an OperatorTrace, with `watch`.
    """

    result: Tree = None
    grad_mode: bool = False
    after: Tree = None
    traits: list[dict[str, bool]] | None = None
    trace: dict[str, Any] | None = None


#: None where there is nothing to say but that it is done.
Reply = Surveyed | Imported | Made | Output | Result | None


@dataclass(frozen=True)
class Missing:
    """The module has no such name, but these."""

    name: str
    names: list[str]


@dataclass(frozen=True)
class Signature:
    """The call itself raised this TypeError, before a line of the submission ran."""

    message: str


@dataclass(frozen=True)
class WrongType:
    """A value of another type came back."""

    got: str
    wanted: str


@dataclass(frozen=True)
class NoGraph:
    """The output does not require a gradient."""


@dataclass(frozen=True)
class Raised:
    """An exception, and [module, line] of the deepest line of the submission that it came through."""

    type: str
    message: str
    where: list[Any] | None = None


@dataclass(frozen=True)
class Unsendable:
    """A text in the reply is none, as one with a lone surrogate."""


Error = Missing | Signature | WrongType | NoGraph | Raised | Unsendable
ERRORS: dict[str, type[Error]] = {
    "missing": Missing,
    "signature": Signature,
    "type": WrongType,
    "no_graph": NoGraph,
    "raised": Raised,
    "unsendable": Unsendable,
}
_KINDS = {error: kind for kind, error in ERRORS.items()}


def encode_request(request: Request) -> dict[str, Any]:
    """Return a request as it crosses."""
    return {"op": type(request).__name__.lower(), "arguments": vars(request)}


def decode_request(meta: Mapping[str, Any]) -> Request:
    """Return the request that crossed. Raises KeyError for an unknown operation, TypeError."""
    return OPERATIONS[meta["op"]](**meta["arguments"])


def encode_reply(reply: Reply | Error) -> dict[str, Any]:
    """Return a reply as it crosses."""
    if isinstance(reply, Error):
        return {"error": {"kind": _KINDS[type(reply)], **vars(reply)}}
    return {} if reply is None else vars(reply)


def read(message_type: type[MessageT], reply: Mapping[str, Any]) -> MessageT:
    """Return the message that a reply holds, whatever else that does.

    Raises TypeError where a field is missing, or is of another type.
    """
    known: Any = message_type
    names = (name for name, *_ in _fields(known))
    message = message_type(**{name: reply[name] for name in names if name in reply})
    _check(message)
    return message


def _check(message: Any) -> None:
    message_type: Any = type(message)
    for name, declared, fits in _fields(message_type):
        value = getattr(message, name)
        if not fits(value):
            expected = declared.__name__ if isinstance(declared, type) else declared
            name = f"{type(message).__name__}.{name}"
            raise TypeError(f"{name} is {value!r:.100}; expected {expected}.")


@functools.cache
def _fields(message_type: Any) -> list[tuple[str, Any, Callable[[object], bool]]]:
    """Name, declared type and a test for it, of each field of a message."""
    return [(item.name, item.type, _fitting(item.type)) for item in fields(message_type)]


def _fitting(declared: Any) -> Callable[[object], bool]:
    """Return a function that says whether a value has a declared type; a bool is no number."""
    if declared is Any:
        return lambda value: True
    if declared is bool:
        return lambda value: isinstance(value, bool)
    if isinstance(declared, type):
        types = (int, float) if declared is float else declared
        return lambda value: isinstance(value, types) and not isinstance(value, bool)
    if isinstance(declared, UnionType):
        each = [_fitting(one) for one in get_args(declared)]
        return lambda value: any(fits(value) for fits in each)
    outer, of_item = get_origin(declared), _fitting(get_args(declared)[-1])

    def fits(value: Any) -> bool:
        if not isinstance(value, outer):
            return False
        return all(map(of_item, value.values() if isinstance(value, dict) else value))

    return fits
