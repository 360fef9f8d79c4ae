"""Frames between grader and worker: a JSON header and raw tensors, and nothing that runs.

    magic (4) | header length (u32) | payload length (u64) | JSON header | tensor bytes

The header is {"meta": {...}, "tensors": [[name, dtype, shape], ...]}; the payload holds the
tensors' bytes, little-endian and contiguous, in that order, without a gap. Both lengths are
checked before a byte of either is read, and every claim of the header against the payload.
"""

import json
import math
import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from .words import mark

Bytes = bytes | bytearray | memoryview

MAGIC = b"TOI1"
PROLOGUE = struct.Struct("<4sIQ")
MAX_HEADER = 1 << 18
"""The largest honest one took 5 KiB; the worst of this size takes 0.1 s to read, and 8 MiB."""
MAX_NESTING = 64
"""Of lists and objects in a header; a value of the greatest depth takes 37."""
MAX_TENSORS = 256
MAX_BUFFERS = 64
"""Of a frame, in one call of writev; the system allows 1024."""
MAX_DIMENSIONS = 8
MAX_NAME = 200
MAX_ELEMENTS = 1 << 32
"""Of one tensor, counting a dimension of size 0 as 1, so that no stride overflows."""

ITEM_SIZES = {
    "float64": 8,
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "int64": 8,
    "int32": 4,
    "uint8": 1,
    "bool": 1,
}


class WireError(Exception):
    """A frame that breaks the format; the sentence says how, with the names of `values` in braces."""

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(sentence.format(**values))
        self.sentence, self.values = sentence, values


class RawTensor(NamedTuple):
    """A tensor as it crosses: its dtype by name, its shape, its bytes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    data: Bytes


def encode(meta: dict[str, Any], tensors: Iterable[RawTensor] = ()) -> list[memoryview]:
    """The frame as a list of buffers, to be written one after the other."""
    described, payload = [], []
    for tensor in tensors:
        described.append([tensor.name, tensor.dtype, list(tensor.shape)])
        payload.append(memoryview(tensor.data).cast("B"))
    header = _ENCODER.encode({"meta": meta, "tensors": described}).encode()
    prologue = PROLOGUE.pack(MAGIC, len(header), sum(map(len, payload)))
    return [memoryview(prologue + header), *payload]


def after(buffers: list[memoryview], written: int) -> list[memoryview]:
    """What is left of the buffers of a frame once so many bytes are written."""
    for i, buffer in enumerate(buffers):
        if written < len(buffer):
            return [buffer[written:], *buffers[i + 1 :]]
        written -= len(buffer)
    return []


def read(
    receive: Callable[[int], bytearray], max_payload: int, max_header: int = MAX_HEADER
) -> tuple[dict[str, Any], list[RawTensor]]:
    """Read one frame. `receive(n)` returns exactly n bytes or raises.

    Raises WireError on anything that is not a frame of this format within these sizes.
    """
    magic, header_length, payload_length = PROLOGUE.unpack(receive(PROLOGUE.size))
    if magic != MAGIC:
        raise WireError(mark("the frame does not begin with the magic bytes"))
    if header_length > max_header or payload_length > max_payload:
        raise WireError(
            mark("the frame is too large ({header:,} + {payload:,} bytes)"),
            header=header_length,
            payload=payload_length,
        )
    return decode(receive(header_length), receive(payload_length))


def decode(header: Bytes, payload: Bytes) -> tuple[dict[str, Any], list[RawTensor]]:
    """Check a header against its payload and cut the payload into tensors.

    Raises WireError.
    """
    try:
        # As text, since json would take UTF-16 and UTF-32 as well.
        text = str(header, "utf-8")
        content = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise WireError(mark("the header is not JSON")) from error
    if text.count("[") + text.count("{") > MAX_NESTING:  # with fewer it cannot be deeper
        _demand_shallow(content)
    match content:
        case {"meta": dict() as meta, "tensors": list() as described, **rest} if not rest:
            pass
        case _:
            raise WireError(mark("the header does not hold meta and tensors"))
    if len(described) > MAX_TENSORS:
        raise WireError(mark("the header names too many tensors"))
    view, offset, tensors = memoryview(payload), 0, []
    for entry in described:
        name, dtype, shape = _checked_entry(entry)
        end = offset + ITEM_SIZES[dtype] * math.prod(shape)
        if end > len(view):
            raise WireError(mark("the payload is shorter than the header says"))
        tensors.append(RawTensor(name, dtype, shape, view[offset:end]))
        offset = end
    if offset != len(view):
        raise WireError(mark("the payload is longer than the header says"))
    if len({tensor.name for tensor in tensors}) != len(tensors):
        raise WireError(mark("two tensors have one name"))
    return meta, tensors


def _checked_entry(entry: object) -> tuple[str, str, tuple[int, ...]]:
    match entry:
        case [str() as name, str() as dtype, list() as shape] if (
            len(name) <= MAX_NAME
            and dtype in ITEM_SIZES
            and len(shape) <= MAX_DIMENSIONS
            and _are_sizes(shape)
        ):
            return name, dtype, tuple(shape)
    raise WireError(mark("a tensor's description is not [name, dtype, shape]"))


def _are_sizes(shape: Sequence[object]) -> bool:
    elements = 1
    for size in shape:
        if type(size) is not int or size < 0:
            return False
        elements *= size or 1
    return elements <= MAX_ELEMENTS


def _refuse_constant(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):  # 1e999
        raise ValueError(f"{text} is too large")
    return number


def _demand_shallow(content: object) -> None:
    """Raise WireError where the nesting is deeper than whatever walks through it later can stand."""
    level: list[Any] = [[content]]
    for _ in range(MAX_NESTING):
        level = [
            item
            for outer in level
            for item in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(item, CONTAINERS)
        ]
        if not level:
            return
    raise WireError(mark("the header is nested too deeply"))


CONTAINERS = (list, dict)
_ENCODER = json.JSONEncoder(allow_nan=False)
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)
