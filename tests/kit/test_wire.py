"""The wire's reader takes frames and rejects everything else, cleanly."""

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from autograder.sandbox import values, wire


def receiver(data):
    """Hands out the bytes, and WireError at their end, as a broker would."""
    view = memoryview(data)

    def receive(count):
        nonlocal view
        if count > len(view):
            raise wire.WireError("the stream ended")
        taken, view = bytearray(view[:count]), view[count:]
        return taken

    return receive


def joined(frame):
    return b"".join(frame)


TENSORS = [
    torch.tensor(1.5, dtype=torch.float64),
    torch.arange(6, dtype=torch.int64).reshape(2, 3),
    torch.empty(0, 4),
    torch.tensor([True, False]),
    torch.randn(2, 3, dtype=torch.bfloat16),
    torch.randn(4, 5).t(),
]


@pytest.mark.parametrize("tensor", TENSORS, ids=lambda t: f"{t.dtype}{tuple(t.shape)}")
def test_a_tensor_comes_back_as_it_was(tensor):
    frame = wire.encode({"id": 1}, [values.to_raw("x", tensor)])
    meta, raw = wire.read(receiver(joined(frame)), 1 << 20)
    assert meta == {"id": 1}
    back = values.from_raw(raw[0])
    assert back.dtype == tensor.dtype
    assert torch.equal(back, tensor)


VALUES = [None, True, 7, 1.5, float("nan"), float("-inf"), "text", (1, [2.0, None]), [(), []]]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_comes_back_as_it_was(value):
    encoder = values.Encoder()
    tree = json.loads(json.dumps(encoder.tree(value)))
    assert repr(values.decode_tree(tree, {})) == repr(value)


def test_an_object_crosses_as_the_name_of_its_type():
    tree = values.Encoder().tree([object(), {1: 2}, 1 << 80])
    assert values.decode_tree(tree, {}) == [
        values.Opaque("object"),
        values.Opaque("dict"),
        values.Opaque("huge int"),
    ]


BROKEN = {
    "magic": b"NOPE" + bytes(12),
    "empty": b"",
    "huge header": wire.PROLOGUE.pack(wire.MAGIC, 1 << 31, 0),
    "huge payload": wire.PROLOGUE.pack(wire.MAGIC, 2, 1 << 50) + b"{}",
}
HEADERS = {
    "no object": "[]",
    "no tensors": '{"meta": {}}',
    "extra key": '{"meta": {}, "tensors": [], "more": 1}',
    "nan": '{"meta": {"x": NaN}, "tensors": []}',
    "deep": '{"meta": {"x": ' + "[" * 100_000 + "]" * 100_000 + '}, "tensors": []}',
    "long number": '{"meta": {"x": ' + "9" * 10_000 + '}, "tensors": []}',
    "short payload": '{"meta": {}, "tensors": [["x", "float64", [2]]]}',
    "unknown dtype": '{"meta": {}, "tensors": [["x", "object", [1]]]}',
    "negative size": '{"meta": {}, "tensors": [["x", "uint8", [-8]]]}',
    "float size": '{"meta": {}, "tensors": [["x", "uint8", [8.0]]]}',
    "bool size": '{"meta": {}, "tensors": [["x", "uint8", [8, true]]]}',
    "overflowing strides": '{"meta": {}, "tensors": [["x", "uint8", [0, 4294967296, 4294967296]]]}',
    "two of a name": '{"meta": {}, "tensors": [["x", "uint8", [4]], ["x", "uint8", [4]]]}',
    "trailing bytes": '{"meta": {}, "tensors": [["x", "uint8", [7]]]}',
    "not text": '{"meta": {}, "tensors": [[1, "uint8", [8]]]}',
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_prologue_is_rejected(kind):
    with pytest.raises(wire.WireError):
        wire.read(receiver(BROKEN[kind]), 1 << 20)


@pytest.mark.parametrize("kind", HEADERS)
def test_a_lying_header_is_rejected(kind):
    header = HEADERS[kind].encode()
    with pytest.raises(wire.WireError):
        wire.decode(header, bytes(8))


def test_bytes_that_are_no_booleans_are_rejected():
    with pytest.raises(wire.WireError):
        values.from_raw(wire.RawTensor("x", "bool", (3,), b"\0\1\2"))


VALID = joined(wire.encode({"id": 5, "op": "x"}, [values.to_raw("x", TENSORS[1])]))


@given(
    st.lists(st.tuples(st.integers(0, len(VALID) - 1), st.integers(0, 255)), min_size=1, max_size=8)
)
def test_a_mutated_frame_is_read_or_rejected(changes):
    data = bytearray(VALID)
    for place, byte in changes:
        data[place] = byte
    try:
        meta, raw = wire.read(receiver(data), 1 << 20)
    except wire.WireError:
        return
    assert isinstance(meta, dict)
    for item in raw:
        assert tuple(values.from_raw(item).shape) == item.shape


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["list", "tuple", "tensor", "float", "text", "opaque", "of"]),
            inner,
            max_size=2,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_tree_is_a_value_or_rejected(tree):
    try:
        values.decode_tree(tree, {"x": torch.zeros(1)})
    except wire.WireError:
        return
