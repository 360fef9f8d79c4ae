"""A broker whose workers answer as a submission would, and lie now and then, in every way that can be sent.

The answers are computed in this very process, by the code that answers in a worker; only what crosses
is changed. So the hidden suite meets thousands of lies in the time that a few workers take to start.
"""

import json
import math
import os
import sys
from contextlib import nullcontext
from typing import ClassVar

import wire_lab

from autograder.broker import Question, Times, Used, WorkerLost
from autograder.isolation import Isolation
from autograder.sandbox import protocol, values, wire
from autograder.sandbox.simulated_gpu import SimulatedGPU
from autograder.sandbox.worker import RequestHandler

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # as in a worker: the recorder's library is chatty

META_PATH = [*sys.meta_path]
"""Which a worker makes its own."""
TOKENS = [
    *wire_lab.TOKENS,
    *(
        '"weight"',
        '"bias"',
        '"output"',
        '"result"',
        '"input"',
        '"float32"',
        '["weight"]',
        "[[], []]",
    ),
    *('{"tensor": "output"}', '{"tensor": "result"}', '{"list": [1, 2]}', '{"tuple": [0.5, 0.5]}'),
    '{"tuple": [0.5, 0.5], "fields": ["loss", "w", "b"]}',
    '{"tuple": [0.5, 0.5, {"float": "nan"}], "fields": ["loss", "w", "b"]}',
    '["weight", "float64", [-1], "cpu", true]',
    '{"kind": "raised", "type": "X", "message": "m", "where": ["linear", 1000000000000]}',
    '{"kind": "raised", "type": "X", "message": "\\ud800", "where": [[], -5]}',
    '{"kind": "missing", "name": "x", "names": [1, "y", "\\ud800"]}',
    '{"kind": "signature", "message": ""}',
    '{"kind": "type", "got": "x", "wanted": "y"}',
]
NAMES = ["error", "meta_shape", "result", "output", "after", "traits", "trace", "layer"]
MARKER = "@ a token goes here @"


OWN_PROCESS = Isolation("none", "answers come from the grader's own process", {}, (), 0.0)


class LyingBroker:
    """Stands for a Broker. `rng` decides which replies are changed, and how; `rate` of them are."""

    isolation = OWN_PROCESS
    gpu: ClassVar = {}
    undisturbed = staticmethod(nullcontext)

    def __init__(self, policy, modules, rng, rate):
        self.policy = policy
        self.modules = modules
        self.rng = rng
        self.rate = rate
        self.lies = 0
        self.times = Times()

    def worker(self, *, gpu=False):
        assert not gpu
        return LyingWorker(self)


class LyingWorker:
    """Stands for a Worker. A new one imports the modules anew; those before keep what they have."""

    isolation = OWN_PROCESS
    is_lost = False
    used = Used()

    def __init__(self, broker):
        self._broker = broker
        self._handler = RequestHandler(SimulatedGPU())
        forget(broker.modules)

    def allow(self, seconds):
        """Its time is that of the grader."""

    def ask(self, request, tensors=()):
        (answer,) = self.ask_all([Question(request, tensors)])
        return answer

    def ask_all(self, questions):
        for question in questions:
            yield self._answer(*question)

    def _answer(self, asked, tensors):
        request = wire.encode({"id": 1, **protocol.encode_request(asked)}, tensors)
        meta, raw = read(b"".join(request))
        given = {item.name: values.from_raw(item) for item in raw}
        reply = b"".join(self._handler.answer(meta, given))
        if not _is_honest(asked) and self._broker.rng.random() < self._broker.rate:
            self._broker.lies += 1
            reply = lied(self._broker.rng, reply)
        try:
            meta, raw = read(reply)
        except wire.WireError as error:
            raise WorkerLost("protocol", str(error)) from None
        meta.pop("id", None)
        return meta, raw

    def close(self):
        forget(self._broker.modules)


def _is_honest(asked):
    """Whether no line of the submission has run: texts are looked at, or the course's own are imported."""
    return isinstance(asked, protocol.Survey) or (
        isinstance(asked, protocol.Import) and not asked.module
    )


def forget(modules):
    """Let the next worker import the modules anew."""
    for module in modules:
        sys.modules.pop(module, None)
    sys.meta_path[:] = META_PATH


def read(frame):
    left = memoryview(frame)

    def receive(count):
        nonlocal left
        taken, left = bytearray(left[:count]), left[count:]
        return taken

    return wire.read(receive, 1 << 28)


def lied(rng, frame):
    """A reply with something in it changed; often one that is still a frame."""
    _, size, _ = wire.PROLOGUE.unpack_from(frame)
    start = wire.PROLOGUE.size + size
    content, payload = json.loads(frame[wire.PROLOGUE.size : start]), frame[start:]
    tensors = []
    for name, dtype, shape in content["tensors"]:
        length = wire.ITEM_SIZES[dtype] * math.prod(shape)
        tensors.append([name, dtype, shape, payload[:length]])
        payload = payload[length:]
    tokens = []
    for _ in range(rng.choice([1, 1, 1, 2, 5])):
        if tensors and rng.random() < 0.5:
            change_tensor(rng, tensors)
        elif rng.random() < 0.1:
            content["meta"][rng.choice(NAMES)] = MARKER + str(len(tokens))
            tokens.append(rng.choice(TOKENS))
        elif entries := [entry for entry in walk(content["meta"]) if entry[1] != "id"]:
            inside, key = rng.choice(entries)
            if rng.random() < 0.2:
                del inside[key]
            else:
                inside[key] = MARKER + str(len(tokens))
                tokens.append(rng.choice(TOKENS))
    content["tensors"] = [tensor[:3] for tensor in tensors]
    header = json.dumps(content)
    for i, token in enumerate(tokens):
        header = header.replace(json.dumps(MARKER + str(i)), token)
    payload = b"".join(tensor[3] for tensor in tensors)
    return wire_lab.frame_of(header.encode("utf-8", "surrogatepass"), payload)


def walk(node):
    """Every (container, key) in a tree."""
    for key in list(node) if isinstance(node, dict) else range(len(node)):
        yield node, key
        if isinstance(node[key], dict | list):
            yield from walk(node[key])


def change_tensor(rng, tensors):
    """One tensor has another name, dtype, shape, or other values; or is missing, or there twice."""
    tensor = rng.choice(tensors)
    name, dtype, shape, data = tensor
    match rng.choice(
        ["name", "dtype", "shape", "random", "NaN", "zero", "scaled", "gone", "twice"]
    ):
        case "name":
            tensor[0] = rng.choice(
                ["x", "output", "input", "result", "weight", "grad input", "draws"]
            )
        case "dtype":
            tensor[1] = rng.choice(sorted(wire.ITEM_SIZES))
        case "shape":
            shapes = [
                [],
                [0],
                [0, 1 << 20],
                [1] * 8,
                [*shape, 1],
                [1, *shape],
                shape[::-1],
                shape[:-1],
            ]
            tensor[2] = rng.choice(shapes)
        case "random":
            tensor[3] = rng.randbytes(len(data))
        case "NaN":
            tensor[3] = b"\xff" * len(data)
        case "zero":
            tensor[3] = bytes(len(data))
        case "scaled":
            tensor[3] = data[len(data) // 2 :] + data[: len(data) // 2]
        case "gone":
            tensors.remove(tensor)
        case "twice":
            tensors.append([f"{name} again", dtype, shape, data])
    size = wire.ITEM_SIZES[tensor[1]] * math.prod(tensor[2])
    tensor[3] = (tensor[3] + bytes(size))[:size]
    if tensor[1] == "bool":
        tensor[3] = bytes(byte & 1 for byte in tensor[3])
