"""`tower train`: a student's model, trained by their own loop, as tests/training.py of the course says.

Code of the student's runs in this process: it is for its author, as the public tests are. What is not
written yet, or does not work, is lent by the course: there is something to see from the first part on.
"""

import contextlib
import gzip
import hashlib
import importlib
import io
import math
import runpy
import sys
import time
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from tower_student.course import TRAINING
from tower_student.errors import UsageError
from tower_student.files import write_whole
from tower_student.language import tr
from tower_student.outcomes import (
    SourceLine,
    described,
    files_of,
    fresh,
    line_of,
    readings_of,
)
from tower_student.show import location
from tower_student.text import clean

WEIGHTS = Path(".tower") / "weights.pt"
WHOLE = Path(".tower") / "data"
READ_AT_ONCE = 250
"""Images of a batch where nothing is learnt."""
PATIENCE = 30
"""Seconds without a byte after which a download is given up."""
SHOWN = 300
"""Characters of an exception that are shown."""


@dataclass(frozen=True)
class Part:
    """Something that students write.

    Attributes:
        name: what it is called where it is said to be lent.
        module: the file that it is in, without .py.
        lent: what takes its place where it does not work, by the names in the module.
        trial: is given the module, and raises where the part does not work.
    """

    name: str
    module: str
    lent: Mapping[str, Any]
    trial: Callable[[ModuleType], None]


class Data(NamedTuple):
    """Images (N, C, H, W) of dtype uint8, which a model gets as float32 from 0 to 1; labels (N,), int64."""

    images: Tensor
    labels: Tensor
    test_images: Tensor
    test_labels: Tensor


@dataclass(frozen=True)
class Plan:
    """What a course has trained: TRAINING of its tests/training.py, with these keys.

    Attributes:
        module: the file of the model and its loop, without .py.
        model: the class in it, made without arguments: (N, C, H, W) → logits (N, classes).
        loop: its function (model, batches, criterion, optimizer), called once an epoch.
        evaluate: its function (model, batches) → the share of right answers.
        parts: each a Part, built from those before it at most.
        layers: names of convolutions in the model whose feature maps are shown; the kernels of the first are.
        classes: what the labels mean, in their order.
        epochs, batch, learning_rate: how it is trained, by Adam.
        read: gives Data of `packed`, or of a folder. Raises OSError, ValueError.
        packed: the name of a file beside the tests.
        pack: makes the content of that file, given the files that course.toml calls `data`; `tower release`
            calls it.
        whole: the files of the whole data: an address, and the SHA-256 of the file, unpacked if it is a .gz.
        initialisations: by their names, functions that fill a model's weights; None for what it begins with.
        prepare: makes of a drawing (H, W), from 0 for nothing to 1 for ink, an image (C, H, W).
    """

    module: str
    model: str
    loop: str
    evaluate: str
    parts: Sequence[Part]
    layers: Sequence[str]
    classes: Sequence[str]
    epochs: int
    batch: int
    learning_rate: float
    read: Callable[[Path], Sequence[Tensor]]
    packed: str
    pack: Callable[[Sequence[Path]], bytes]
    whole: Mapping[str, tuple[str, str]]
    initialisations: Mapping[str, Callable[[nn.Module], object] | None]
    prepare: Callable[[Tensor], Tensor]

    @property
    def modules(self) -> list[str]:
        """The modules that it is about, in order."""
        return list(dict.fromkeys(part.module for part in self.parts))


def plan_of(folder: Path) -> Plan:
    """What the course has trained. Raises UsageError where it names nothing."""
    path = folder / "tests" / TRAINING
    if not path.is_file():
        raise UsageError(
            tr(
                "There is no {path}, which names what is trained. Name the folder above with --in.",
                path=path,
            )
        )
    plan = read_plan(path)
    if plan is None:
        raise UsageError(tr("{path} names nothing that is trained.", path=path))
    return plan


def read_plan(path: Path) -> Plan | None:
    """What a file of a course has trained; None where it has no TRAINING. Raises UsageError."""
    try:
        given = runpy.run_path(str(path)).get("TRAINING")
        return given and Plan(**given | {"parts": [Part(**part) for part in given["parts"]]})
    except Exception as error:
        raise UsageError(
            tr(
                "{path} does not say what to train: {reason}.",
                path=path,
                reason=f"{type(error).__name__}: {error}",
            )
        ) from None


# The data


def data_of(plan: Plan, folder: Path, given: Path | None = None) -> Data:
    """The data of a folder that is named, or else the packed part. Raises UsageError."""
    path = given or folder / "tests" / plan.packed
    if not path.exists():
        raise UsageError(
            tr("{path} is not there: name the folder of your data with --data.", path=path)
            if given
            else tr(
                "{path} is not there, which holds what is trained on. It comes with the release; --whole "
                "downloads all data, --data names a folder that has them.",
                path=path,
            )
        )
    try:
        data = Data(*plan.read(path))
    except Exception as error:  # zipfile, zlib and NumPy each have their own
        raise UsageError(
            tr("{path} holds no data that can be read: {reason}.", path=path, reason=error)
        ) from None
    if not len(data.labels) or not len(data.test_labels):
        raise UsageError(tr("{path} holds no images.", path=path))
    return data


def download(plan: Plan, folder: Path, progress: Callable[[str, float], None]) -> Path:
    """Download what is missing of the whole data; returns its folder. Raises UsageError."""
    target = folder / WHOLE
    for number, (name, (address, digest)) in enumerate(plan.whole.items()):
        path = target / name
        if path.is_file():
            continue
        try:
            content = _fetched(address, partial(progress, name), number, len(plan.whole))
            is_whole = hashlib.sha256(_unpacked(name, content)).hexdigest() == digest
        except (OSError, ValueError, EOFError, zlib.error) as error:
            raise UsageError(
                tr(
                    "{address} cannot be downloaded: {reason}. Without --whole, the part in your repository "
                    "is used, which needs no network.",
                    address=address,
                    reason=getattr(error, "reason", None) or error,
                )
            ) from None
        if not is_whole:
            raise UsageError(
                tr("{address} is not the file that this course expects.", address=address)
            )
        write_whole(path, content)
    return target


def _fetched(address: str, progress: Callable[[float], None], before: int, files: int) -> bytes:
    content = io.BytesIO()
    with urllib.request.urlopen(address, timeout=PATIENCE) as answer:  # noqa: S310 - named by the course
        expected = int(answer.headers.get("Content-Length") or 0)
        while chunk := answer.read(1 << 16):
            content.write(chunk)
            share = content.tell() / expected if expected else 0.0
            progress((before + share) / files)
    return content.getvalue()


def _unpacked(name: str, content: bytes) -> bytes:
    return gzip.decompress(content) if name.endswith(".gz") else content


class Batches:
    """Images and labels in batches, for each pass in a new order if there is a generator."""

    def __init__(
        self, images: Tensor, labels: Tensor, size: int, generator: torch.Generator | None = None
    ) -> None:
        self._images, self._labels, self._size = images, labels, size
        self._generator = generator

    def __len__(self) -> int:
        return math.ceil(len(self._labels) / self._size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        count = len(self._labels)
        order = torch.randperm(count, generator=self._generator) if self._generator else None
        for first in range(0, count, self._size):
            chosen: Any = slice(first, first + self._size)
            chosen = chosen if order is None else order[chosen]
            yield as_input(self._images[chosen]), self._labels[chosen]


def as_input(images: Tensor) -> Tensor:
    """Grey values of uint8 as float32 from 0 to 1."""
    return images.float() / 255


# The student's parts, and what is lent


@dataclass(frozen=True)
class Loan:
    """A part that is lent, and why: an exception's text and its line, nothing where it is not written."""

    name: str
    reason: str = ""
    line: SourceLine | None = None


def reasons(loans: Sequence[Loan]) -> list[str]:
    """Why parts are lent; those of one reason together."""
    grouped: dict[tuple[str, SourceLine | None], list[str]] = {}
    for loan in loans:
        grouped.setdefault((loan.reason, loan.line), []).append(loan.name)
    said = []
    for (reason, line), names in grouped.items():
        parts = ", ".join(names)
        if reason:
            text = tr("Does not work yet: {parts}. {reason}", parts=parts, reason=reason)
            said.append(f"{text}\n{quoted(line)}" if line else text)
        else:
            said.append(tr("Not written yet: {parts}.", parts=parts))
    return said


def quoted(line: SourceLine) -> str:
    """Where a line of the student's is, and the line."""
    return f"{tr('Your line: {location}', location=location(line))}\n  {clean(line.text, SHOWN)}"


@dataclass(frozen=True)
class Workshop:
    """The student's modules, imported, with what is lent in them.

    Attributes:
        own: the names of the parts that are the student's.
        loans: the others.
    """

    folder: Path
    plan: Plan
    own: tuple[str, ...]
    loans: tuple[Loan, ...]

    def new_model(self) -> nn.Module:
        """A model as it begins."""
        model: nn.Module = self.part(self.plan.model)()
        return model

    def part(self, name: str) -> Any:
        """What the module of the model has under a name."""
        return getattr(sys.modules[self.plan.module], name)

    def fault(self, error: Exception, doing: str) -> UsageError:
        """What the student's code has raised, as a sentence with its line."""
        if isinstance(error, UsageError):
            return error
        reason = clean(described(error, readings_of(self.folder)), SHOWN)
        line = line_of(error, files_of(self.folder, self.plan.modules))
        said = tr("Your code stopped {doing}: {reason}", doing=doing, reason=reason)
        return UsageError(f"{said}\n{quoted(line)}" if line else said)


@contextlib.contextmanager
def workshop(folder: Path, plan: Plan) -> Iterator[Workshop]:
    """Import the student's modules as they are on the disk, and lend what does not work.

    Raises UsageError where there is none of them.
    """
    folder = folder.resolve()
    if not any((folder / f"{name}.py").is_file() for name in plan.modules):
        listed = ", ".join(f"{name}.py" for name in plan.modules)
        raise UsageError(tr("{folder} holds none of {files}.", folder=folder, files=listed))
    with fresh(folder):
        own: list[str] = []
        loans: dict[str, Loan] = {}
        absent: dict[str, Loan] = {}
        for part in plan.parts:
            loan = absent.get(part.module) or _tried(folder, plan, part)
            if loan is None:
                own.append(part.name)
                continue
            if part.module not in sys.modules:
                absent[part.module] = loan
            loans[part.name] = Loan(part.name, loan.reason, loan.line)
            _lend(folder, part)
        yield Workshop(folder, plan, tuple(own), tuple(loans.values()))


def _tried(folder: Path, plan: Plan, part: Part) -> Loan | None:
    """Why a part does not work, if it does not."""
    try:
        # What code prints while it is tried would stand among our lines.
        with contextlib.redirect_stdout(io.StringIO()), torch.random.fork_rng(devices=[]):
            part.trial(importlib.import_module(part.module))
    except NotImplementedError:
        return Loan(part.name)
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and error.name == part.module:
            return Loan(part.name)
        reason = clean(described(error, readings_of(folder)), SHOWN)
        return Loan(part.name, reason, line_of(error, files_of(folder, plan.modules)))
    return None


def _lend(folder: Path, part: Part) -> None:
    module = sys.modules.get(part.module)
    if module is None:
        module = ModuleType(part.module)
        module.__file__ = str(folder / f"{part.module}.py")  # it is forgotten with the others
        sys.modules[part.module] = module
    vars(module).update(part.lent)


# Training


@dataclass
class History:
    """How a training went.

    Attributes:
        losses: of each batch, before its step.
        shares: of right answers in each batch.
        tested: steps, and the share that the student's `evaluate` gives on the images to test on.
        steps: how many there are to be in all.
        seconds: of training, without the tests.
        was_stopped: by Ctrl-C.
    """

    steps: int
    losses: list[float] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    tested: list[tuple[int, float]] = field(default_factory=list)
    seconds: float = 0.0
    was_stopped: bool = False


class Watched(nn.CrossEntropyLoss):
    """Cross-entropy that notes what it is asked."""

    def __init__(self, history: History, on_step: Callable[[History], None]) -> None:
        super().__init__()
        self._history, self._on_step = history, on_step

    def forward(self, input: Tensor, target: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """The mean loss of a batch. Raises UsageError where it is not finite."""
        loss = super().forward(input, target)
        value = loss.item()
        if not math.isfinite(value):
            raise UsageError(
                tr(
                    "The loss is {loss} at step {step}: the numbers have grown beyond all bounds. Look at "
                    "what your forward, your initialisation and your loop do with them.",
                    loss=value,
                    step=len(self._history.losses) + 1,
                )
            )
        self._history.losses.append(value)
        self._history.shares.append(input.argmax(1).eq(target).double().mean().item())
        self._on_step(self._history)
        return loss


def train(
    shop: Workshop,
    model: nn.Module,
    data: Data,
    *,
    epochs: int,
    seed: int = 0,
    on_step: Callable[[History], None] = lambda history: None,
    on_test: Callable[[History], None] = lambda history: None,
) -> History:
    """Train a model by the student's loop, and test it before the first epoch and after each.

    Ctrl-C ends it early, and leaves the model with what it has learnt. Raises UsageError where the
    student's code raises.
    """
    plan = shop.plan
    batches = Batches(data.images, data.labels, plan.batch, torch.Generator().manual_seed(seed))
    tests = Batches(data.test_images, data.test_labels, READ_AT_ONCE)
    history = History(epochs * len(batches))
    optimizer = torch.optim.Adam(model.parameters(), lr=plan.learning_rate)
    criterion = Watched(history, on_step)
    try:
        _test(shop, model, tests, history)
        for _ in range(epochs):
            started = time.perf_counter()
            try:
                shop.part(plan.loop)(model, batches, criterion, optimizer)
            finally:
                history.seconds += time.perf_counter() - started
            _test(shop, model, tests, history)
            on_test(history)
    except KeyboardInterrupt:
        history.was_stopped = True
    except Exception as error:
        doing = tr("at step {step} of training", step=len(history.losses))
        raise shop.fault(error, doing) from error
    if not history.losses and not history.was_stopped:
        raise UsageError(
            tr("{loop} has not called criterion once: nothing is trained.", loop=plan.loop)
        )
    return history


def _test(shop: Workshop, model: nn.Module, tests: Batches, history: History) -> None:
    share = float(shop.part(shop.plan.evaluate)(model, tests))
    history.tested.append((len(history.losses), share))


def probabilities(shop: Workshop, model: nn.Module, images: Tensor) -> Tensor:
    """What a model reads in images (N, C, H, W) of uint8: (N, classes). Raises UsageError."""
    try:
        model.eval()
        with torch.no_grad():
            logits = [model(as_input(part)) for part in images.split(READ_AT_ONCE)]
        return torch.cat(logits).float().softmax(1)
    except Exception as error:
        raise shop.fault(error, tr("where it reads images")) from error


class Maps(NamedTuple):
    """What a layer passes on through a ReLU: its name, and its feature maps (channels, H, W)."""

    name: str
    maps: Tensor


def read_by_layers(shop: Workshop, model: nn.Module, image: Tensor) -> tuple[Tensor, list[Maps]]:
    """The probabilities for one image (C, H, W) of float32, and the maps of the plan's layers on the way.

    A layer that is not there, or is not called as a module, has no maps. Raises UsageError.
    """
    seen: list[Maps] = []
    known = dict(model.named_modules())
    with contextlib.ExitStack() as hooks:
        for name in shop.plan.layers:
            if layer := known.get(name):

                def keep(_: object, inputs: object, output: Tensor, name: str = name) -> None:
                    seen.append(Maps(name, output.detach()[0].clamp(min=0)))

                hooks.enter_context(contextlib.closing(_Hook(layer, keep)))
        try:
            model.eval()
            with torch.no_grad():
                logits = model(image.unsqueeze(0))
            return logits[0].float().softmax(0), seen
        except Exception as error:
            raise shop.fault(error, tr("where it reads an image")) from error


class _Hook:
    """A forward hook that can be closed."""

    def __init__(self, layer: nn.Module, hook: Callable[..., None]) -> None:
        self._handle = layer.register_forward_hook(hook)

    def close(self) -> None:
        self._handle.remove()


class Flow(NamedTuple):
    """How large gradients are in a new model: by layer, the root mean square over a weight."""

    name: str
    layers: Mapping[str, float]
    loss: float


def gradient_flow(shop: Workshop, data: Data, seed: int = 0) -> list[Flow]:
    """The gradients of a batch in new models, by how these are initialised. Raises UsageError."""
    images, labels = as_input(data.images[: shop.plan.batch]), data.labels[: shop.plan.batch]
    flows = []
    for name, fill in shop.plan.initialisations.items():
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            try:
                model = shop.new_model()
                if fill:
                    fill(model)
                loss = nn.functional.cross_entropy(model(images), labels)
                loss.backward()
            except Exception as error:
                raise shop.fault(error, tr("where it begins: {how}", how=tr(name))) from error
        layers = {
            layer.removesuffix(".weight"): weight.grad.square().mean().sqrt().item()
            for layer, weight in model.named_parameters()
            if weight.ndim > 1 and weight.grad is not None
        }
        flows.append(Flow(name, layers, loss.item()))
    return flows


# What is kept


def save(path: Path, model: nn.Module, history: History, before: int = 0) -> None:
    """Write the weights, whole or not at all. Raises TowerError."""
    content = io.BytesIO()
    torch.save({"state": model.state_dict(), "steps": before + len(history.losses)}, content)
    write_whole(path, content.getvalue())


def load(path: Path, model: nn.Module) -> int:
    """Put weights that were kept into a model; returns how many steps they are from. Raises UsageError."""
    if not path.is_file():
        raise UsageError(
            tr("There are no trained weights in {path}: run tower train first.", path=path)
        )
    try:
        kept = torch.load(path, map_location="cpu", weights_only=True)
        model.load_state_dict(kept["state"])
        return int(kept["steps"])
    except RuntimeError as error:
        last = str(error).strip().splitlines()[-1].strip()
        reason = tr("they do not fit your model as it is now ({reason})", reason=clean(last, SHOWN))
    except Exception:  # whatever unpickling of a damaged file ends with
        reason = tr("the file is damaged")
    raise UsageError(
        tr(
            "The weights in {path} cannot be used: {reason}. Run tower train.",
            path=path,
            reason=reason,
        )
    ) from None
