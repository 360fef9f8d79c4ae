"""What the stock layers buy: a student's own layers timed beside torch.nn's, on the same inputs.

The code that is timed runs in this process: it is for its author, as the public tests are. Two layers take
turns, so that a machine whose speed drifts treats them alike; every figure is a median, every ratio the
median of the ratios of neighbours.
"""

import importlib
import runpy
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.text import Text
from torch import Tensor, nn

from tower_student.errors import UsageError
from tower_student.language import mark, plural, tr
from tower_student.text import clean, wrappable

ROUNDS = 15
SAMPLE_SECONDS = 0.01
"""A sample lasts at least so long: as many calls as it takes."""
MATRIX = {"cpu": 1024, "cuda": 8192}
"""The size of the square matrices whose product gives the machine's rate."""
COPIED = {"cpu": 1 << 26, "cuda": 1 << 30}
"""Bytes that are copied for the machine's bandwidth: more than caches hold."""
PLAN = "timings.py"
"""Beside the public tests: what the course has timed."""

WAYS = (mark("forward"), mark("forward and backward"))
TRAINED = mark("a step of training with Adam")


@dataclass(frozen=True)
class Machine:
    """What the device reaches: float32 operations a second in a matrix product, bytes a second in a copy."""

    device: str
    name: str
    flops: float
    bandwidth: float


@dataclass(frozen=True)
class Layer:
    """A student's layer at one size.

    Attributes:
        stock: torch's own, with the same arguments and a weight of one row for each output.
        shape: of the input.
        method: what is called on the student's.
        only_on_gpu: whether it is timed on a GPU alone.
    """

    module: str
    name: str
    stock: Callable[..., Any]
    arguments: tuple[int, ...]
    shape: tuple[int, ...]
    options: Mapping[str, int] = field(default_factory=dict)
    method: str = "forward"
    only_on_gpu: bool = False

    @property
    def title(self) -> str:
        """The layer as a student would write it."""
        options = "".join(f", {name}={value}" for name, value in self.options.items())
        method = f".{self.method}" if self.method != "forward" else ""
        return f"{self.name}({', '.join(map(str, self.arguments))}{options}){method}"


@dataclass(frozen=True)
class Training:
    """A student's model, trained by a student's loop(model, batches, criterion, optimizer).

    Attributes:
        stock: makes the same model of stock layers.
        shape: of a batch of images, which come with labels of so many `classes`.
    """

    module: str
    name: str
    loop: str
    stock: Callable[[], nn.Module]
    shape: tuple[int, ...]
    classes: int


@dataclass(frozen=True)
class Plan:
    """What a course has timed: LAYERS and TRAINING of its tests/timings.py, fields of these classes."""

    layers: Sequence[Layer]
    training: Training | None = None

    @property
    def modules(self) -> list[str]:
        """The modules that it is about, in order."""
        modules = [layer.module for layer in self.layers]
        return list(dict.fromkeys([*modules, *([self.training.module] if self.training else [])]))


@dataclass(frozen=True)
class Timing:
    """One case, timed: seconds per call, and shares of what the machine reaches.

    `ratio` is the student's time over torch's. `problem` says why there are no figures, if so.
    """

    title: str
    shape: tuple[int, ...]
    what: str
    torch_seconds: float = 0.0
    seconds: float = 0.0
    ratio: float = 0.0
    torch_share: float = 0.0
    share: float = 0.0
    problem: str = ""


def plan_of(folder: Path, device: str) -> Plan:
    """What the course has timed on a device. Raises UsageError where it names nothing that can be."""
    path = folder / "tests" / PLAN
    if not path.is_file():
        raise UsageError(
            tr(
                "There is no {path}, which names what is timed. Name the folder above with --in.",
                path=path,
            )
        )
    try:
        given = runpy.run_path(str(path))
        layers = [Layer(**entry) for entry in given.get("LAYERS", [])]
        training = Training(**given["TRAINING"]) if "TRAINING" in given else None
    except Exception as error:
        raise UsageError(
            tr("{path} does not say what to time: {reason}.", path=path, reason=error)
        ) from None
    return Plan([layer for layer in layers if device == "cuda" or not layer.only_on_gpu], training)


def choose(device: str) -> str:
    """The device that cpu, cuda or auto means here. Raises UsageError where it is not there."""
    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise UsageError(
            tr("--device cuda cannot be had: this build of torch is for the CPU.")
            if torch.version.cuda is None
            else tr("--device cuda cannot be had: torch finds no GPU.")
        )
    return "cuda" if there and device != "cpu" else "cpu"


def load(folder: Path, modules: Sequence[str]) -> dict[str, Any]:
    """The student's modules, by name; in the place of one that cannot be imported, its exception.

    Raises UsageError where there is none of them.
    """
    sys.path.insert(0, str(folder.resolve()))
    loaded: dict[str, Any] = {}
    for name in modules:
        if (folder / f"{name}.py").is_file():
            try:
                loaded[name] = importlib.import_module(name)
            except Exception as error:
                loaded[name] = error
    if not loaded:
        listed = ", ".join(f"{name}.py" for name in modules)
        raise UsageError(tr("{folder} holds none of {files}.", folder=folder, files=listed))
    return loaded


def measure_machine(device: str) -> Machine:
    """The rates that the figures are held against."""
    size, count = MATRIX[device], COPIED[device] // 4
    a, b = torch.rand(2, size, size, device=device)
    source = torch.rand(count, device=device)
    target = torch.empty_like(source)
    product = statistics.median(samples(lambda: torch.mm(a, b), device))
    copy = statistics.median(samples(lambda: target.copy_(source), device))
    threads = torch.get_num_threads()
    on_cpu = plural("{count} thread", "{count} threads", threads)
    name = torch.cuda.get_device_name() if device == "cuda" else on_cpu
    return Machine(device, name, 2 * size**3 / product, 2 * 4 * count / copy)


def samples(work: Callable[[], object], device: str, rounds: int = ROUNDS) -> list[float]:
    """Seconds per call, of so many samples."""
    calls = calls_for_a_sample(work, device)
    return [sample(work, calls, device) for _ in range(rounds)]


def calls_for_a_sample(work: Callable[[], object], device: str) -> int:
    """How many calls a sample takes; they warm the work up as well."""
    calls = 1
    sample(work, calls, device)
    while (seconds := calls * sample(work, calls, device)) < SAMPLE_SECONDS:
        calls = max(2 * calls, int(calls * SAMPLE_SECONDS / max(seconds, 1e-9)))
    return calls


def sample(work: Callable[[], object], calls: int, device: str) -> float:
    """Seconds per call of so many calls: by CUDA's own events on a GPU."""
    if device == "cuda":
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        for _ in range(calls):
            work()
        end.record()
        end.synchronize()
        return float(start.elapsed_time(end)) / 1000 / calls
    started = time.perf_counter()
    for _ in range(calls):
        work()
    return (time.perf_counter() - started) / calls


def compare(plan: Plan, loaded: dict[str, Any], machine: Machine) -> Iterator[Timing]:
    """Every layer, forward alone and with the backward pass; then the training."""
    for layer in plan.layers:
        for what in WAYS:
            yield timed(layer, what, loaded, machine)
    if plan.training:
        yield trained(plan.training, loaded, machine)


def timed(case: Layer, what: str, loaded: dict[str, Any], machine: Machine) -> Timing:
    """One layer in one way. What the student's code raises becomes its problem."""
    nothing = Timing(case.title, case.shape, what)
    torch.manual_seed(0)
    stock = case.stock(*case.arguments, **case.options, device=machine.device)
    x = torch.rand(case.shape, device=machine.device, requires_grad="backward" in what)
    try:
        own = getattr(_present(loaded, case.module), case.name)(*case.arguments, **case.options).to(
            machine.device
        )
        own.load_state_dict(stock.state_dict())
        function = getattr(own, case.method)
        output, expected = function(x), stock(x)
        torch.testing.assert_close(output, expected, rtol=1e-3, atol=1e-3)
        upstream = torch.rand_like(expected) if x.requires_grad else None
        pairs = take_turns(
            runner(stock, x, upstream), runner(function, x, upstream), machine.device
        )
    except AssertionError:
        return replace(nothing, problem=tr("its output is not torch's: see tower check"))
    except Exception as error:
        return replace(nothing, problem=_described(error))
    passes = 3 if x.requires_grad else 1  # the backward pass computes two products for each
    work = passes * 2 * expected.numel() * stock.weight[0].numel()
    moved = passes * 4 * (x.numel() + expected.numel() + stock.weight.numel())
    best = max(work / machine.flops, moved / machine.bandwidth)
    return _of_pairs(nothing, pairs, best)


def take_turns(
    first: Callable[[], object], second: Callable[[], object], device: str
) -> list[tuple[float, float]]:
    """Seconds per call of two things that are sampled one after the other, again and again."""
    calls = [calls_for_a_sample(work, device) for work in (first, second)]
    return [
        (sample(first, calls[0], device), sample(second, calls[1], device)) for _ in range(ROUNDS)
    ]


def runner(
    function: Callable[[Tensor], Tensor], x: Tensor, upstream: Tensor | None
) -> Callable[[], object]:
    """One pass, with the gradients where there is an upstream one."""
    if upstream is None:

        def forward() -> None:
            with torch.no_grad():
                function(x)

        return forward

    def both() -> None:
        x.grad = None
        function(x).backward(upstream)

    return both


def trained(training: Training, loaded: dict[str, Any], machine: Machine) -> Timing:
    """Steps of training on random images: the student's model, and a stock one in the same loop."""
    nothing = Timing(training.name, training.shape, TRAINED)
    torch.manual_seed(0)
    images = torch.rand(training.shape, device=machine.device)
    labels = torch.randint(training.classes, training.shape[:1], device=machine.device)
    try:
        module = _present(loaded, training.module)
        loop = getattr(module, training.loop)
        criterion, work = nn.CrossEntropyLoss(), []
        for model in (training.stock(), getattr(module, training.name)()):
            model = model.to(machine.device)
            optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
            work.append(partial(loop, model, [(images, labels)], criterion, optimizer))
        pairs = take_turns(work[0], work[1], machine.device)
    except Exception as error:
        return replace(nothing, problem=_described(error))
    return _of_pairs(nothing, pairs, 0.0)


def _present(loaded: dict[str, Any], name: str) -> Any:
    """A student's module; raises what importing it raised, or that it is not there."""
    module = loaded.get(name, FileNotFoundError(tr("there is no {file}", file=f"{name}.py")))
    if isinstance(module, Exception):
        raise module
    return module


def _of_pairs(timing: Timing, pairs: list[tuple[float, float]], best: float) -> Timing:
    theirs, yours = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(own / stock for stock, own in pairs)
    return replace(
        timing,
        torch_seconds=theirs,
        seconds=yours,
        ratio=ratio,
        torch_share=best / theirs,
        share=best / yours,
    )


def _described(error: Exception) -> str:
    """Why there are no figures, on a line."""
    if isinstance(error, NotImplementedError):
        return tr("not written yet")
    return f"{type(error).__name__}: {error}".split("\n")[0][:200]


def as_dict(machine: Machine, timings: list[Timing]) -> dict[str, Any]:
    """Everything as plain data."""
    versions = {"torch": str(torch.__version__), "cuda": torch.version.cuda}
    return {"machine": asdict(machine), **versions, "timings": [asdict(t) for t in timings]}


def show(machine: Machine, timings: list[Timing], console: Console) -> None:
    """A block of lines for each layer, and how to read them."""
    console.print(
        tr(
            "{device}, {name}: {flops:,.0f} GFLOP/s in a product of matrices, {bandwidth:,.0f} GB/s "
            "in a copy",
            device=machine.device,
            name=machine.name,
            flops=machine.flops / 1e9,
            bandwidth=machine.bandwidth / 1e9,
        )
    )
    yours = tr("yours")
    header = f"{'torch':>12}{yours:>12}{tr('ratio'):>8}{tr('torch reaches'):>15}{yours:>7}"
    console.print(Text(f"{'':22}{header}", "dim"))
    for (title, shape), group in groupby(timings, lambda timing: (timing.title, timing.shape)):
        heading = Text(tr("{layer} on {shape}", layer=title, shape="×".join(map(str, shape))))
        heading.highlight_words([title], "bold")
        console.print(heading)
        for timing in group:
            console.print(Text(_line(timing)))
    reading = tr(
        "ratio: your time over torch's. reaches: the share of what this machine could do at best, be it "
        "bound by arithmetic or by memory."
    )
    console.print(f"\n{reading}")


def _line(timing: Timing) -> str:
    what = f"  {tr(timing.what):20}"
    if timing.problem:
        return f"{what} {wrappable(clean(timing.problem))}"
    times = "".join(f"{1e3 * s:9.3f} ms" for s in (timing.torch_seconds, timing.seconds))
    shares = [f"{100 * s:.0f} %" if s else "" for s in (timing.torch_share, timing.share)]
    return f"{what}{times}{timing.ratio:8.2f}{shares[0]:>15}{shares[1]:>7}"
