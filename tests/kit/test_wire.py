"""The wire's reader takes frames and rejects everything else, cleanly."""

import json
import time
import tracemalloc

import pytest
import torch
import wire_lab
from hypothesis import given
from hypothesis import strategies as st

from autograder.broker import WorkerLost
from autograder.sandbox import protocol, values, wire
from autograder.suite.session import Session
from autograder.suite.surveyor import Surveyor
from tower_student.submission import Submission


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
    meta, raw = wire_lab.read(joined(frame))
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


METAS = {
    "nan": "NaN",
    "infinite": "-1e999",
    "deep": "[" * 100_000 + "]" * 100_000,
    "deep but to be read": "[" * 100 + "]" * 100,
    "long number": "9" * 10_000,
    "not closed": "[",
}
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
    assert wire_lab.read(BROKEN[kind]) is None


@pytest.mark.parametrize("kind", METAS)
def test_a_value_that_is_not_plain_json_is_rejected(kind):
    frame = wire_lab.frame_of(f'{{"meta": {{"x": {METAS[kind]}}}, "tensors": []}}'.encode())
    assert wire_lab.read(frame) is None


@pytest.mark.parametrize("kind", HEADERS)
def test_a_lying_header_is_rejected(kind):
    header = HEADERS[kind].encode()
    with pytest.raises(wire.WireError):
        wire.decode(header, bytes(8))


def test_bytes_that_are_no_booleans_are_rejected():
    with pytest.raises(wire.WireError):
        values.from_raw(wire.RawTensor("x", "bool", (3,), b"\0\1\2"))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_header_in_another_encoding_than_utf_8_is_rejected(encoding):
    assert wire_lab.read(wire_lab.frame_of(b'{"meta": {"x": "1"}, "tensors": []}')) is not None
    header = '{"meta": {"x": "1"}, "tensors": []}'.encode(encoding)
    assert wire_lab.read(wire_lab.frame_of(header)) is None


VALID = joined(
    wire.encode({"id": 5, "op": "x"}, [values.to_raw(f"{i}", t) for i, t in enumerate(TENSORS[:4])])
)


def test_a_valid_frame_survives():
    assert wire_lab.survives(VALID)
    assert [wire_lab.survives(VALID[:length]) for length in range(len(VALID))].count(True) == 0


@pytest.mark.parametrize("token", wire_lab.TOKENS, ids=lambda token: token[:20])
def test_a_frame_with_an_odd_token_anywhere_is_read_or_rejected(token):
    """In a value, as a key, as tensors, as a part of their description."""
    for meta, tensors in (
        (f'{{"x": {token}}}', "[]"),
        (f"{{{token}: 1}}", "[]"),
        (token, "[]"),
        ("{}", token),
        ("{}", f"[{token}]"),
        *(
            ("{}", f'[["x", "uint8", [{sizes}]]]')
            for sizes in (token, f"0, {token}", f"{token}, 8")
        ),
    ):
        header = f'{{"meta": {meta}, "tensors": {tensors}}}'.encode("utf-8", "surrogatepass")
        for payload in (b"", bytes(8)):
            wire_lab.survives(wire_lab.frame_of(header, payload))


@given(st.lists(wire_lab.mutations, min_size=1, max_size=8))
def test_a_mutated_frame_is_read_or_rejected(changes):
    data = VALID
    for change in changes:
        data = wire_lab.mutated(data, *change)
    wire_lab.survives(data)


@given(st.binary(max_size=200))
def test_random_bytes_are_read_or_rejected(data):
    wire_lab.survives(data)
    wire_lab.survives(wire_lab.frame_of(data))


@given(wire_lab.frames(), st.lists(wire_lab.mutations, max_size=2))
def test_a_frame_around_any_header_is_read_or_rejected(data, changes):
    for change in changes:
        data = wire_lab.mutated(data, *change)
    wire_lab.survives(data)


FULL_HEADERS = {
    "lists": "[]",
    "objects": "{}",
    "small objects": '{"":0}',
    "numbers": "0",
    "fractions": "1.5",
    "tiny fractions": "1e-99999",
    "long numbers": "9" * 4300,
    "texts": '""',
    "escapes": '"' + "\\u1234" * 1000 + '"',
    "wide characters": '"' + "🙂" * 1000 + '"',
    "values": '{"list":[]}',
    "deep values": '{"list":[' * 14 + "]}" * 14,
}


@pytest.mark.parametrize("kind", FULL_HEADERS)
def test_a_full_header_costs_little(kind):
    """Processor time and memory for the largest header that is read, and for the value in it."""
    item = FULL_HEADERS[kind]
    count = (wire.MAX_HEADER - 60) // (len(item.encode()) + 1)
    header = '{"meta": {"x": {"list":[' + ",".join([item] * count) + ']}}, "tensors": []}'
    frame = wire_lab.frame_of(header.encode())
    started = time.thread_time()
    meta, _ = wire_lab.read(frame)
    wire_lab.is_value(meta["x"], {})
    seconds = time.thread_time() - started
    tracemalloc.start()
    wire_lab.read(frame)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seconds < 2  # the worst, numbers, takes 0.2 s on two cores
    assert peak < 32 << 20


def test_a_header_beyond_the_limit_is_not_received():
    """Nor is a payload: no more than the prologue is asked for."""
    for sizes in ((wire.MAX_HEADER + 1, 0), (2, 1001), (0xFFFFFFFF, (1 << 64) - 1)):
        parts = iter([bytearray(wire.PROLOGUE.pack(wire.MAGIC, *sizes))])
        with pytest.raises(wire.WireError, match="too large"):
            wire.read(lambda count, parts=parts: next(parts), 1000)


def test_tensors_of_one_frame_share_no_memory():
    frame = wire.encode({}, [wire.RawTensor(name, "uint8", (4,), b"1234") for name in "ab"])
    _, raw = wire_lab.read(joined(frame))
    first, second = map(values.from_raw, raw)
    first.zero_()
    assert second.tolist() == [*b"1234"]
    assert bytes(raw[0].data) == b"1234"


@pytest.mark.parametrize("fields", [["a"], ["a", "b", "c"], ["a", 1], ["a", []], [], "ab"])
def test_a_named_tuple_has_a_name_for_each_value(fields):
    """A tuple may say of itself that it has others."""
    tree = {"tuple": [1, 2], "fields": fields}
    assert not wire_lab.is_value(tree, {})
    claims = type("Claims", (tuple,), {"_fields": fields if fields == "ab" else tuple(fields)})
    assert values.Encoder().tree(claims((1, 2))) == {"tuple": [1, 2]}
    tree = {"tuple": [1, 2], "fields": ["a", "b"]}
    assert values.decode_tree(tree, {}).fields == ("a", "b")


TRICKLES = {
    "one byte at a time": b"while True: os.write(101, b'[')",
    "now and then": b"while True: os.write(101, b'['); time.sleep(0.01)",
    "while it prints": b"while True: os.write(101, b'['); os.write(1, b'x')",
    "not at all": b"while True: pass",
}


@pytest.mark.timeout(120)  # beyond the deadline there is no end, or one after 64 MiB
@pytest.mark.parametrize("trickle", TRICKLES)
def test_a_reply_that_trickles_in_ends_at_the_deadline(course, broker, trickle):
    """Even though something has always just arrived."""
    source = (
        b"import os, struct, time\n\n\ndef predict():\n"
        b"    os.write(101, struct.pack('<4sIQ', b'TOI1', 2, 64 << 20))\n    "
    )
    submission = Submission("x", {"linear": source + TRICKLES[trickle]}, {})
    session = Session(course, broker, submission, "linear", {}, Surveyor(broker, submission))
    call = protocol.Call("predict", {"list": []})
    started = time.monotonic()
    session.allow(1)
    with pytest.raises(WorkerLost) as caught:
        session.worker.ask(call)
    seconds = time.monotonic() - started
    session.close()
    assert caught.value.reason == "deadline"
    assert seconds >= 1


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
    wire_lab.is_value(tree, {"x": torch.zeros(1)})
