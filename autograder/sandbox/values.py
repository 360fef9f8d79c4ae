"""Python values as JSON trees with tensors beside them, in both directions.

None, bool, int, float, str, tuples and lists cross as themselves; a tensor crosses as a reference to a
raw tensor of the same frame; anything else crosses as the name of its type. The encoding is
the same towards the worker and back, so neither side ever unpickles.
"""

import math
import numbers
import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple, SupportsIndex

import numpy
import torch
from torch import Tensor

from .torch_private import without_subclass
from .wire import RawTensor, WireError
from .words import mark

DTYPES = {
    "float64": torch.float64,
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "int64": torch.int64,
    "int32": torch.int32,
    "uint8": torch.uint8,
    "bool": torch.bool,
}
DTYPE_NAMES = {dtype: name for name, dtype in DTYPES.items()}
LAYOUTS = ("contiguous", "transposed", "strided", "offset", "channels_last")
MAX_DEPTH = 16
MAX_INT = 1 << 63
MAX_TEXT = 4000


class Opaque(NamedTuple):
    """A value that does not cross: all that is known is the name of its type."""

    type_name: str


class NamedTupleValue(tuple[Any, ...]):
    """A named tuple of the other side: its values, and the names of its fields."""

    fields: tuple[str, ...]


def type_name(value: object) -> str:
    """The name of a value's type, as a student would write it."""
    cls = type(value)
    return cls.__name__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__name__}"


def to_raw(name: str, tensor: Tensor) -> RawTensor:
    """The tensor's bytes, from wherever it lies. Raises TypeError for a dtype that cannot cross."""
    with without_subclass():  # a subclass has no say in what its bytes are
        plain = torch.Tensor.detach(tensor)
        if plain.dtype not in DTYPE_NAMES:
            raise TypeError(f"a tensor of dtype {plain.dtype} cannot be sent")
        dtype, shape = DTYPE_NAMES[plain.dtype], tuple(plain.shape)
        if not plain.is_cpu or plain.is_neg():
            plain = plain.to("cpu").resolve_neg()
        if plain.dtype == torch.bfloat16:  # which NumPy has not
            plain = plain.view(torch.int16)
        # NumPy takes a fraction of the time for what is left.
        flat = numpy.ascontiguousarray(plain.numpy()).reshape(-1)
        return RawTensor(name, dtype, shape, flat.view(numpy.uint8).data)


def from_raw(raw: RawTensor) -> Tensor:
    """The tensor, in memory of its own.

    Raises WireError for a bool whose byte is neither 0 nor 1.
    """
    if not len(raw.data):
        return torch.empty(raw.shape, dtype=DTYPES[raw.dtype])
    data = bytearray(raw.data)
    if raw.dtype == "bool" and data.translate(None, b"\0\1"):
        raise WireError(mark("{name} holds bytes that are not booleans"), name=raw.name)
    return torch.frombuffer(data, dtype=DTYPES[raw.dtype]).reshape(raw.shape)


class Encoder:
    """Turns values into trees, and keeps the tensors met on the way."""

    def __init__(self) -> None:
        self.tensors: list[RawTensor] = []

    def special(self, value: object) -> dict[str, Any] | None:
        """Return the node for a value that only one side knows, or None."""
        return None

    def opaque(self, what: str) -> dict[str, Any]:
        """Return the node for a value that does not cross."""
        return {"opaque": what}

    def tree(self, value: object, name: str = "value", depth: int = 0) -> Any:
        """The JSON tree of a value; `name` is what its tensors are called."""
        if depth > MAX_DEPTH:
            return self.opaque("a deeply nested value")
        if (node := self.special(value)) is not None:
            return node
        match value:
            case None | bool():
                return value
            case int():
                return int(value) if abs(value) < MAX_INT else self.opaque("huge int")
            case float():
                return float(value) if math.isfinite(value) else {"float": repr(float(value))}
            case str():
                return {"text": str(value)[:MAX_TEXT]}
            case Tensor():
                return self._tensor(value, name)
            case tuple() | list():
                items = [self.tree(item, f"{name}.{i}", depth + 1) for i, item in enumerate(value)]
                if isinstance(value, list):
                    return {"list": items}
                fields = getattr(value, "_fields", None)
                if not isinstance(fields, tuple) or not _name_each(fields, items):
                    return {"tuple": items}
                return {"tuple": items, "fields": [name[:MAX_TEXT] for name in fields]}
            case numbers.Integral():  # such as numpy's
                return self.tree(int(value))
            case numbers.Real():
                return self.tree(float(value))
            case SupportsIndex():
                return self.tree(operator.index(value))
            case _:
                return self.opaque(type_name(value))

    def _tensor(self, tensor: Tensor, name: str) -> dict[str, Any]:
        try:
            self.tensors.append(to_raw(name, tensor))
        except (TypeError, RuntimeError, NotImplementedError):
            return self.opaque(f"a tensor of {tensor.dtype} on {tensor.device}")
        return {"tensor": name}


def _name_each(fields: Collection[object], items: Collection[object]) -> bool:
    """Whether the fields are names, one for each item."""
    return len(fields) == len(items) and all(type(field) is str for field in fields)


def decode_tree(
    node: Any,
    tensors: Mapping[str, Tensor],
    special: Callable[[dict[str, Any]], Any] | None = None,
    depth: int = 0,
) -> Any:
    """The value of a tree. `special` turns the nodes that only one side knows.

    Raises WireError on a node of no known form.
    """

    def below(items: Iterable[Any]) -> list[Any]:
        return [decode_tree(item, tensors, special, depth + 1) for item in items]

    if depth > MAX_DEPTH:
        raise WireError(mark("a value is nested too deeply"))
    match node:
        case None | bool() | float():
            return node
        case int() if abs(node) < MAX_INT:
            return node
        case {"float": str() as text} if text in ("nan", "inf", "-inf"):
            return float(text)
        case {"text": str() as text}:
            return text
        case {"tensor": str() as name, **rest} if name in tensors and not (rest and not special):
            return special(node) if special and rest else tensors[name]
        case {"list": list() as items}:
            return below(items)
        case {"tuple": list() as items, "fields": list() as fields} if _name_each(fields, items):
            named = NamedTupleValue(below(items))
            named.fields = tuple(fields)
            return named
        case {"tuple": list() as items, **rest} if not rest:
            return tuple(below(items))
        case {"opaque": str() as name}:
            return Opaque(name)
        case dict() if special:
            return special(node)
    raise WireError(mark("a value has no known form"))


def laid_out(tensor: Tensor, layout: str) -> Tensor:
    """The same values in another memory layout of LAYOUTS, as a leaf. Raises ValueError."""
    match layout:
        case "contiguous":
            return tensor.clone()
        case "transposed":
            return tensor.transpose(-1, -2).contiguous().transpose(-1, -2)
        case "strided":
            wide = tensor.new_zeros(*tensor.shape[:-1], 2 * tensor.shape[-1])
            wide[..., 1::2] = tensor
            return wide[..., 1::2]
        case "offset":
            return torch.cat([tensor.new_ones(7), tensor.flatten()])[7:].view(tensor.shape)
        case "channels_last":
            return tensor.contiguous(memory_format=torch.channels_last)
    raise ValueError(f"there is no memory layout {layout!r}")
