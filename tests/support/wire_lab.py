"""What must hold of the wire's reader for any bytes whatever, and bytes that are likely to upset it."""

import json
import math
import struct

from hypothesis import strategies as st

from autograder.sandbox import values, wire

MAX_PAYLOAD = 1 << 16


class Ended(Exception):
    """The stream has ended; in the grader, the worker is lost."""


def receiver(data):
    """Hands out the bytes as a broker would. Nothing may be asked for beyond the limits."""
    view = memoryview(data)
    limits = iter((wire.PROLOGUE.size, wire.MAX_HEADER, MAX_PAYLOAD))

    def receive(count):
        nonlocal view
        assert 0 <= count <= next(limits)
        if count > len(view):
            raise Ended
        taken, view = bytearray(view[:count]), view[count:]
        return taken

    return receive


def read(data):
    """Meta and tensors of a frame, or None where it is rejected. Any other exception is a defect."""
    try:
        return wire.read(receiver(data), MAX_PAYLOAD)
    except (wire.WireError, Ended):
        return None


def survives(data):
    """Whether the bytes are a frame. Raises AssertionError, or anything at all, on a defect."""
    frame = read(data)
    if frame is None:
        return False
    meta, raw = frame
    again = read(b"".join(wire.encode(meta, raw)))
    assert again is not None, "what was accepted cannot be sent back"
    # As text: NaN cannot be there, and 1 == 1.0 == True must not count as equal.
    assert json.dumps(again[0]) == json.dumps(meta)
    assert again[1] == raw
    tensors = {}
    for item in raw:
        try:
            tensors[item.name] = values.from_raw(item)
        except wire.WireError:
            assert item.dtype == "bool"
            continue
        back = values.to_raw(item.name, tensors[item.name])
        assert (back.dtype, back.shape) == (item.dtype, item.shape)
        assert bytes(back.data) == bytes(item.data)
    for node in meta.values():
        is_value(node, tensors)
    return True


def is_value(node, tensors):
    """Whether a tree is a value. Any exception but WireError is a defect."""
    try:
        value = values.decode_tree(node, tensors)
    except wire.WireError:
        return False
    json.dumps(values.Encoder().tree(value), allow_nan=False)
    return True


def frame_of(header, payload=b""):
    """A frame around a header, whatever that holds."""
    return wire.PROLOGUE.pack(wire.MAGIC, len(header), len(payload)) + header + payload


# Bytes that are likely to upset it

TOKENS = [
    *("null", "true", "false", "0", "-0", "-0.0", "1.0", "1e308", "1e999", "-1e999", "1e-999"),
    *(
        "NaN",
        "Infinity",
        "-Infinity",
        "9223372036854775807",
        "9223372036854775808",
        "01",
        "+1",
        ".",
    ),
    *("9" * 4300, "9" * 5000, "1" + "0" * 4999, "0." + "3" * 5000, '""', '"x"', '"\\ud800"'),
    *('"\\u0000"', '"\ud800"', '"🙂"', '"é"', '"float64"', '"bool"', '"uint8"', "'x'", '"\\', "//"),
    *('{"float": "nan"}', '{"float": "-inf"}', '{"text": "x"}', '{"opaque": "x"}', "{}", "[]"),
    *('{"tensor": "x"}', '{"tensor": "x", "more": 1}', '{"tensor": []}', '{"list": {}}', '{"": 0}'),
    *('{"tuple": [1], "fields": ["a"]}', '{"tuple": [1], "fields": [[]]}', '{"tuple": [], "x": 1}'),
    *('["x", "float64", [1]]', '["x", "bool", [8]]', '["x", "uint8", [0, 4294967296]]'),
    *('["x", "uint8", [-8]]', '["x", "uint8", [8.0]]', '["x", "uint8", [true]]', '["x", "q", []]'),
    *("[" * 63 + "]" * 63, "[" * 70 + "]" * 70, "[" * 9000 + "]" * 9000, "[" * 9000),
    *('{"list": [' * 20 + "]}" * 20, '{"x":' * 500 + "0" + "}" * 500, "[" + "0," * 999 + "0]"),
]
KEYS = [
    "meta",
    "tensors",
    "id",
    "list",
    "tuple",
    "fields",
    "tensor",
    "float",
    "text",
    "opaque",
    "é",
]

texts = st.recursive(
    st.sampled_from(TOKENS)
    | st.integers().map(str)
    | st.floats().map(str)
    | st.text(max_size=5).map(json.dumps),
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda items: f"[{','.join(items)}]")
        # Keys may stand twice.
        | st.lists(st.tuples(st.sampled_from(KEYS), inner), max_size=4).map(
            lambda pairs: "{" + ",".join(f"{json.dumps(key)}: {item}" for key, item in pairs) + "}"
        )
    ),
    max_leaves=12,
)
"""JSON as text, with much in it that is not quite JSON."""

described = st.tuples(
    st.sampled_from(["x", "y", "", "é", "\0", "n" * 200]),
    st.sampled_from(sorted(wire.ITEM_SIZES)),
    st.lists(st.integers(0, 3), max_size=9),
)
headers = st.one_of(
    texts,
    st.builds('{{"meta": {}, "tensors": {}}}'.format, texts, texts),
    st.builds('{{"meta": {{"id": 1, "x": {}}}, "tensors": []}}'.format, texts),
    st.lists(described, max_size=3).map(
        lambda entries: json.dumps({"meta": {}, "tensors": entries})
    ),
)
"""From any text to a header that is as it should be."""


@st.composite
def frames(draw):
    """Frames whose sizes are right, around any header."""
    header = draw(headers)
    encoding = draw(st.sampled_from(["utf-8"] * 6 + ["utf-8-sig", "utf-16", "utf-32"]))
    size = payload_size(header)
    payload = draw(
        st.binary(max_size=40) if size is None else st.binary(min_size=size, max_size=size)
    )
    return frame_of(header.encode(encoding, "surrogatepass"), payload)


def payload_size(header):
    """How many bytes a header asks for, where that makes sense and is little."""
    try:
        entries = json.loads(header)["tensors"]
        size = sum(wire.ITEM_SIZES[dtype] * math.prod(shape) for _, dtype, shape in entries)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return size if isinstance(size, int) and 0 <= size <= 1000 else None


def mutated(data, kind, position, piece):
    """The data with one change: a number `position` says where, the bytes `piece` say what."""
    at = position % (len(data) + 1)
    match kind:
        case "overwrite":
            return data[:at] + piece + data[at + len(piece) :]
        case "insert":
            return data[:at] + piece + data[at:]
        case "cut":
            return data[:at]
        case "remove":
            return data[:at] + data[at + len(piece) :]
        case "splice":  # a piece of itself, elsewhere
            return data[: len(piece)] + data[at:]
        case "header size" | "payload size":
            lies = [0, 1, len(data), wire.MAX_HEADER, MAX_PAYLOAD + 1, 0xFFFFFFFF, position]
            lie = lies[position % len(lies)] & 0xFFFFFFFF
            offset, kind = (4, "<I") if kind == "header size" else (8, "<Q")
            return data[:offset] + struct.pack(kind, lie) + data[offset + struct.calcsize(kind) :]
    return data


KINDS = ["overwrite", "insert", "cut", "remove", "splice", "header size", "payload size"]
mutations = st.tuples(
    st.sampled_from(KINDS), st.integers(0, 1 << 32), st.binary(min_size=1, max_size=8)
)
