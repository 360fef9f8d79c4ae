"""The grader's own test: one question of each kind, asked of a worker about a tiny module of the kit's.

It tells what is wrong with this machine from what is wrong with a submission. It runs before the first
submission, and again where something failed to which no line of the submission leads: where the tiny
module fails as well, the fault is the grading's.

Nothing here imports torch: the questions are asked while the grader still does.
"""

import itertools
import math
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from autograder.broker import Broker, Question, Worker, WorkerLost
from autograder.errors import GraderFault
from autograder.sandbox import protocol
from autograder.sandbox.wire import RawTensor
from tower_student.language import plural, tr

SECONDS = 60.0
"""For all of it. It takes a tenth of a second."""
LEAST_MEMORY = 384 << 20
"""What a worker has to have left: with 384 MiB in all the solutions train, with 256 they do not."""
MODULE = "selftest"
SOURCE = b"""
import numpy as np
import torch
from torch import nn


class Product(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(outputs, inputs))

    def forward(self, input):
        return input @ self.weight.T


def roots(input):
    return torch.from_numpy(np.sqrt(input.numpy()))


def initialised(count, generator):
    return torch.rand(count, generator=generator, dtype=torch.float64)


def train(model, input, target, optimizer):
    optimizer.zero_grad()
    loss = ((model(input) - target) ** 2).mean()
    loss.backward()
    optimizer.step()
    return loss.item()


def allocated(count):
    return torch.empty(count, dtype=torch.uint8).numel()
"""

WEIGHT = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
INPUT = (1.0, -1.0, 2.0, 0.5)
OUTPUT = (-1.0, -1.0, -1.0, 3.0, 8.0, 13.0)
UPSTREAM = (1.0, 0.0, 2.0, 0.0, 1.0, 1.0)
GRADIENTS = {
    "grad input": (11.0, 14.0, 8.0, 10.0),
    "grad weight": (1.0, -1.0, 2.0, 0.5, 4.0, -1.5),
}
LOSS = 245 / 6
"""The mean of OUTPUT's squares. Every weight has a positive gradient, so that Adam's first step takes its
learning rate off each of them."""
RATE = 0.5
TRAINED = tuple(weight - RATE for weight in WEIGHT)
CPU, ON_GPU = 0, 1
"""Handles of the layers that are asked on either."""


class Reply(NamedTuple):
    """One reply: its fields, and the numbers of each tensor."""

    fields: dict[str, Any]
    tensors: dict[str, tuple[float, ...]]


class Part(NamedTuple):
    """One kind of question. `wrong` says what is wrong with the replies, or ""; `remedy`, what helps then."""

    kind: str
    questions: Sequence[Question]
    wrong: Callable[[list[Reply]], str]
    remedy: str = ""


class Answer(NamedTuple):
    """How one part went: "" where it was right."""

    kind: str
    wrong: str
    seconds: float


def examine(broker: Broker, *, gpu: bool = False, meta: bool = True) -> Iterator[Answer]:
    """Ask a fresh worker one question of each kind, up to the first that it does not survive.

    Args:
        gpu: ask a worker that uses the GPU; otherwise it is a simulated one.
        meta: ask for the meta device too, of which torch is not ready at once.

    Raises GraderFault where no worker can be had, IsolationError.
    """
    parts = list(_parts(gpu=gpu, meta=meta))
    with broker.worker(gpu=gpu) as worker:
        # All at once: waking a process takes longer than most of the answers.
        questions = [question for part in parts for question in part.questions]
        worker.allow(SECONDS)
        answers = worker.ask_all(questions)
        for part in parts:
            started = time.monotonic()
            wrong = _asked(worker, part, answers)
            wrong += f" ({part.remedy})" if wrong and part.remedy else ""
            yield Answer(part.kind, wrong, time.monotonic() - started)
            if worker.is_lost:
                return


def demand_sound(broker: Broker, *, gpu: bool = False, meta: bool = True) -> None:
    """Raise GraderFault where two workers in turn do not answer rightly, see examine."""
    for last_try in (False, True):
        failed = next((a for a in examine(broker, gpu=gpu, meta=meta) if a.wrong), None)
        if failed is None:
            return
        if last_try:
            raise GraderFault(
                tr(
                    "The grader's self-test failed at {part}: {wrong}. This is a fault of the machine or of "
                    "the kit, not of a submission. `tower doctor` shows every part of the test.",
                    part=failed.kind,
                    wrong=failed.wrong,
                )
            )


@contextmanager
def in_background(broker: Broker) -> Iterator[None]:
    """Test in a thread while the body imports what a grader needs.

    The meta device is left out: torch is not ready for it yet. Raises what demand_sound raises.
    """
    errors: list[BaseException] = []

    def run() -> None:
        try:
            demand_sound(broker, meta=False)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join()
    if errors:
        raise errors[0]


def _asked(
    worker: Worker, part: Part, answers: Iterator[tuple[dict[str, Any], list[RawTensor]]]
) -> str:
    """What is wrong with the next answers, those to this part; "" where nothing is."""
    try:
        taken = list(itertools.islice(answers, len(part.questions)))
    except WorkerLost as lost:
        printed = worker.log.decode(errors="replace").strip()[-1000:]
        if not printed:
            return str(lost)
        return tr("{reason}; it printed: {printed}", reason=lost, printed=printed)
    for fields, _ in taken:
        if "error" in fields:
            return _described(fields["error"])
    return part.wrong([Reply(f, {item.name: _numbers(item) for item in raw}) for f, raw in taken])


def _imported(replies: list[Reply]) -> str:
    return "; ".join(_described(one["raised"]) for one in replies[0].fields["passed_over"])


def _described(error: dict[str, Any]) -> str:
    """An error as the worker describes it, in which nothing but the kit and torch has run."""
    message = " ".join(str(error.get("message", "")).split())
    return f"{error.get('type', error.get('kind'))}: {message}".rstrip(": ")


def _parts(*, gpu: bool, meta: bool) -> Iterator[Part]:
    text = RawTensor(MODULE, "uint8", (len(SOURCE),), SOURCE)
    yield Part(tr("import"), [Question(protocol.Import(MODULE, {}), [text])], _imported)
    least = tr(
        "a worker needs {size} MiB: see limits.memory in course.toml, and ulimit -v",
        size=LEAST_MEMORY >> 20,
    )
    yield Part(tr("memory"), [_call("allocated", LEAST_MEMORY)], _returned(LEAST_MEMORY), least)
    yield Part(tr("a layer"), [*_layer(CPU), _forward(CPU)], _equal(output=OUTPUT))
    upstream = _tensor("upstream", (2, 3), UPSTREAM)
    yield Part(
        tr("gradients"),
        [_forward(CPU, upstream)],
        _equal(output=OUTPUT, **GRADIENTS),
    )
    yield Part(tr("watched operators"), [_forward(CPU, watch=True)], _watched)
    yield Part("numpy", [_call("roots", _tensor("input", (2,), (4.0, 9.0)))], _equal(result=(2, 3)))
    tensors = [
        _call("initialised", 100, generator={"generator": seed, "skip": 0}) for seed in (1, 1, 2)
    ]
    yield Part(tr("initialisation"), tensors, _initialised)
    yield Part(tr("a training step"), [*_training(CPU), _state(CPU)], _trained)
    name = tr("the GPU") if gpu else tr("the simulated GPU")
    training = (
        tr("a training step on the GPU") if gpu else tr("a training step on the simulated GPU")
    )
    there = [*_layer(ON_GPU), _forward(ON_GPU, on_gpu=True)]
    yield Part(name, there, lambda replies: _stayed(replies) or _equal(output=OUTPUT)(replies))
    back = Question(protocol.Convert(ON_GPU, "cpu"))
    yield Part(
        training,
        [*_training(ON_GPU, on_gpu=True), back, _state(ON_GPU)],
        _trained,
    )
    if meta:
        yield Part(tr("the meta device"), _on_meta(), _shaped)


# Questions, as suite.student asks them


def _call(name: str, *given: object, on_gpu: bool = False, **named: object) -> Question:
    tensors = [item for item in given if isinstance(item, RawTensor)]
    args = [{"tensor": g.name} if isinstance(g, RawTensor) else g for g in given]
    return Question(protocol.Call(name, {"list": args}, named, on_gpu=on_gpu), tensors)


def _create(handle: int) -> Question:
    return Question(protocol.Create("Product", {"list": [2, 3]}, {}, seed=0, handle=handle))


def _layer(handle: int) -> list[Question]:
    return [
        _create(handle),
        Question(protocol.Load(handle), [_tensor("weight", (3, 2), WEIGHT)]),
    ]


def _forward(
    handle: int, *upstream: RawTensor, watch: bool = False, on_gpu: bool = False
) -> Question:
    given = {"tensor": "x", "layout": "contiguous", "requires_grad": bool(upstream)}
    asked = protocol.Forward(handle, given, watch=watch, on_gpu=on_gpu)
    return Question(asked, [_tensor("x", (2, 2), INPUT), *upstream])


def _training(layer: int, *, on_gpu: bool = False) -> list[Question]:
    optimizer, first, second = 10 * layer + 2, 10 * layer + 3, 10 * layer + 4
    data = [_tensor("a", (2, 2), INPUT), _tensor("b", (2, 3), (0.0,) * 6)]
    given = [{"handle": handle} for handle in (layer, first, second, optimizer)]
    model = {"list": [{"handle": layer}]}
    return [
        Question(protocol.Library("optim.Adam", model, {"lr": RATE}, optimizer)),
        Question(protocol.Keep([first, second], on_gpu), data),
        _call("train", *given, on_gpu=on_gpu),
    ]


def _state(handle: int) -> Question:
    return Question(protocol.State(handle))


def _on_meta() -> list[Question]:
    handle, size = 9, {"meta_tensor": [4, 2], "dtype": "float32"}
    return [
        _create(handle),
        Question(protocol.Convert(handle, "meta")),
        Question(protocol.Forward(handle, size)),
    ]


def _tensor(name: str, shape: tuple[int, ...], numbers: Sequence[float]) -> RawTensor:
    return RawTensor(name, "float64", shape, struct.pack(f"<{len(numbers)}d", *numbers))


def _numbers(raw: RawTensor) -> tuple[float, ...]:
    """The numbers of a tensor; none of another dtype than float64."""
    return struct.unpack(f"<{len(raw.data) // 8}d", raw.data) if raw.dtype == "float64" else ()


# Verdicts


def _returned(expected: object) -> Callable[[list[Reply]], str]:
    def wrong(replies: list[Reply]) -> str:
        got = replies[-1].fields.get("result")
        if got == expected:
            return ""
        return tr("{got} came back; expected {expected}", got=got, expected=expected)

    return wrong


def _equal(**expected: Sequence[float]) -> Callable[[list[Reply]], str]:
    """Whether the tensors of the last reply hold these numbers."""

    def wrong(replies: list[Reply]) -> str:
        for name, numbers in expected.items():
            got = replies[-1].tensors.get(name, ())
            if len(got) != len(numbers) or not all(map(_close, got, numbers)):
                return _is(name, _written(got), _written(numbers))
        return ""

    return wrong


def _is(name: str, got: str, expected: str) -> str:
    return tr("{name} is {got}; expected {expected}", name=name, got=got, expected=expected)


def _close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-6)


def _written(numbers: Sequence[float]) -> str:
    return f"[{', '.join(f'{number:.6g}' for number in numbers)}]"


def _watched(replies: list[Reply]) -> str:
    trace = replies[-1].fields["trace"]
    if trace["intact"] is not True:
        return tr("the trace of operators has a gap")
    found = trace["operators"]
    if "matmul" in found:
        return ""
    return tr("a matrix product was not seen, only {operators}", operators=", ".join(found))


def _initialised(replies: list[Reply]) -> str:
    first, same, other = (reply.tensors["result"] for reply in replies)
    if not all(0 <= number < 1 for number in first) or len(set(first)) < len(first):
        return tr("what was drawn is not uniform over [0, 1)")
    if first != same or first == other:
        return tr("draws do not follow their seed")
    return ""


def _trained(replies: list[Reply]) -> str:
    loss = next(reply.fields["result"] for reply in replies if "result" in reply.fields)
    if not _close(loss, LOSS):
        return tr("the loss is {got:.6g}; expected {expected:.6g}", got=loss, expected=LOSS)
    return _equal(weight=TRAINED)(replies)


def _stayed(replies: list[Reply]) -> str:
    fields = replies[-1].fields
    if fields.get("stayed") is not True:
        return tr("the output does not lie there")
    if not fields["copies"]:
        return ""
    return plural(
        "{count} tensor was copied between CPU and GPU",
        "{count} tensors were copied between CPU and GPU",
        fields["copies"],
    )


def _shaped(replies: list[Reply]) -> str:
    got = replies[-1].fields.get("meta_shape")
    if got == [4, 3]:
        return ""
    return tr("an output has the shape {got}; expected {expected}", got=got, expected=[4, 3])
