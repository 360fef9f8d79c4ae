"""The protocol between grader and worker: every request is answered, and a slip is never the student's."""

import re
from typing import get_args

import pytest
import torch
from replies_lab import forget, read

from autograder.sandbox import protocol, values, wire
from autograder.sandbox.simulated_gpu import SimulatedGPU
from autograder.sandbox.worker import RequestHandler

SOURCE = b"""
import torch
from torch import nn

class Layer(nn.Linear):
    pass

def twice(x):
    return 2 * x

def lost():
    raise ValueError("lost")
"""
X = torch.ones(1, 2)
INPUT = {"tensor": "x", "layout": "contiguous", "requires_grad": True}
WEIGHTS = {"weight": torch.ones(3, 2), "bias": torch.zeros(3)}
LAYER = {"list": [2, 3]}
#: One request of each operation, in an order in which they can be asked, and the tensors beside it.
REQUESTS = [
    (protocol.Survey("protocolled"), {"protocolled": SOURCE}),
    (protocol.Import("protocolled", {}), {"protocolled": SOURCE}),
    (protocol.Threads(torch.get_num_threads(), begin="protocolled"), {}),
    (protocol.Create("Layer", LAYER, {}, seed=0, handle=0), {}),
    (protocol.Copy(0, copy=3), {}),
    (protocol.Library("nn.Linear", LAYER, {}, 1), {}),
    (protocol.Keep([2], on_gpu=False), {"kept": X}),
    (protocol.Method(0, "eval", seed=None), {}),
    (protocol.Convert(0, "cpu"), {}),
    (protocol.Load(0), WEIGHTS),
    (protocol.Overwrite(0), WEIGHTS),
    (protocol.Freeze(0, "bias"), {}),
    (protocol.State(0), {}),
    (protocol.Forward(0, INPUT, watch=True), {"x": X, "upstream": torch.ones(1, 3)}),
    (protocol.Stream(0, "forward"), {"input": X}),
    (protocol.Activations(0, {"tensor": "x"}), {"x": X}),
    (protocol.Call("twice", {"list": [{"tensor": "x"}]}, after=True, draws=2), {"x": X}),
]


@pytest.fixture
def ask():
    """Ask a handler in this process, as a worker does: the fields of the reply, and its tensors."""
    handler = RequestHandler(SimulatedGPU())

    def ask(request, tensors):
        sent = {
            name: torch.frombuffer(bytearray(t), dtype=torch.uint8) if isinstance(t, bytes) else t
            for name, t in tensors.items()
        }
        raw = [values.to_raw(name, tensor) for name, tensor in sent.items()]
        frame = wire.encode({"id": 7, **protocol.encode_request(request)}, raw)
        meta, raw = read(b"".join(frame))
        reply, raw = read(b"".join(handler.answer(meta, {t.name: values.from_raw(t) for t in raw})))
        assert reply.pop("id") == 7
        return reply, {t.name: values.from_raw(t) for t in raw}

    yield ask
    forget(["protocolled"])


@pytest.fixture
def asked(ask):
    """What comes back of each request, by its class."""
    return {type(request): ask(request, tensors) for request, tensors in REQUESTS}


def test_every_operation_is_answered(asked):
    assert asked.keys() == set(get_args(protocol.Request))
    assert {kind.__name__ for kind, (reply, _) in asked.items() if "error" in reply} == set()


def test_a_reply_is_read_as_the_message_it_was_written_from(asked):
    def reply(request, kind):
        return protocol.read(kind, asked[request][0])

    assert reply(protocol.Survey, protocol.Surveyed).survey["defined"][-1] == "twice"
    layer = protocol.read(protocol.Layer, reply(protocol.Create, protocol.Made).layer)
    assert layer.state == ["weight", "bias"]
    assert layer.parameters[0] == ["weight", "float32", [3, 2], "cpu", True]
    output = reply(protocol.Forward, protocol.Output)
    assert "linear" in protocol.read(protocol.OperatorTrace, output.trace).operators
    assert output.meta_shape is None
    result = reply(protocol.Call, protocol.Result)
    assert result.grad_mode
    assert [trait["moved"] for trait in result.traits] == [False]


def test_tensors_come_back_beside_the_reply(asked):
    tensors = {kind: sorted(found) for kind, (_, found) in asked.items() if found}
    assert tensors[protocol.State] == ["bias", "weight"]
    assert tensors[protocol.Forward] == ["grad input", "grad weight", "input", "output"]
    assert tensors[protocol.Call] == ["after.0", "draws", "result"]
    assert asked[protocol.Forward][1]["output"].tolist() == [[2, 2, 2]]


def test_an_exception_of_the_students_is_an_error_with_its_line(ask):
    for request, tensors in REQUESTS[:2]:
        ask(request, tensors)
    reply, _ = ask(protocol.Call("lost", {"list": []}), {})
    error = {
        "kind": "raised",
        "type": "ValueError",
        "message": "lost",
        "where": ["protocolled", 12],
    }
    assert reply == {"error": error}


MALFORMED = {
    "operation": {"op": "forwrad", "arguments": {"handle": 1}},
    "private method": {"op": "_decoded", "arguments": {"tree": 1}},
    "field": {"op": "state", "arguments": {"handel": 1}},
    "field that is missing": {"op": "state", "arguments": {}},
    "type": {"op": "state", "arguments": {"handle": "one"}},
}


@pytest.mark.parametrize("what", MALFORMED)
def test_a_malformed_request_is_not_reported_as_the_students_exception(what):
    with pytest.raises((KeyError, TypeError)):
        RequestHandler(SimulatedGPU()).answer({"id": 7, **MALFORMED[what]}, {})


MISFITS = {
    "a number": (lambda: protocol.State("one"), "State.handle is 'one'; expected int."),
    "a flag": (lambda: protocol.Forward(1, {}, watch=1), "Forward.watch is 1; expected bool."),
    "a list": (
        lambda: protocol.Keep([1, "2"], on_gpu=False),
        "Keep.handles is [1, '2']; expected list[int].",
    ),
    "a table": (
        lambda: protocol.Import("m", {"a": "b"}),
        "Import.stand_ins is {'a': 'b'}; expected dict[str, float].",
    ),
    "one of two": (
        lambda: protocol.Method(1, "eval", "0"),
        "Method.seed is '0'; expected int | None.",
    ),
}


@pytest.mark.parametrize("what", MISFITS)
def test_a_request_has_the_types_that_it_declares(what):
    make, said = MISFITS[what]
    with pytest.raises(TypeError, match=f"^{re.escape(said)}$"):
        make()


@pytest.mark.parametrize(
    "reply",
    [
        {},
        {"layer": []},
        {"layer": {}, "more": 1},
        {"layer": {"parameters": [], "state": [1], "absent": [], "bases": []}},
        {"layer": {"parameters": [1], "state": [], "absent": [], "bases": []}},
    ],
)
def test_a_reply_that_does_not_fit_its_class_is_none(reply):
    with pytest.raises(TypeError):
        protocol.read(protocol.Layer, protocol.read(protocol.Made, reply).layer)


def test_a_reply_may_hold_more_than_its_class():
    reply = {"output": 1, "passed": True, "error": None}
    assert protocol.read(protocol.Output, reply) == protocol.Output(1)


@pytest.mark.parametrize("kind", protocol.ERRORS)
def test_an_error_crosses_with_its_kind(kind):
    error_type = protocol.ERRORS[kind]
    fields = {"name": "f", "names": ["g"], "message": "m", "got": "int", "wanted": "w", "type": "E"}
    error = protocol.read(error_type, fields)
    assert protocol.encode_reply(error)["error"]["kind"] == kind
