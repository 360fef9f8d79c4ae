"""The hidden suite for tower.py. Cases are a table, properties are functions."""

import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autograder.report import Bars, Cause
from autograder.suite import properties
from autograder.suite.candidates import same
from autograder.suite.cases import one_by_one
from autograder.suite.failures import CheckFailed, NotMade, NotWritten, TooSlow, expect, why
from autograder.suite.long_run import LongRun
from autograder.suite.parity import Count, alike, compare, compare_counts, compare_number
from autograder.suite.ranges import Ranges, Row, Span, choice
from autograder.suite.sampler import VALUES, Sampler
from autograder.suite.slips import is_forgiven
from autograder.suite.student import Batches, Input, Layer, Meta, Once, Student
from autograder.suite.tolerances import FLOAT32, FLOAT64, GPU_FLOAT32, TRAJECTORY, Tolerance
from tower_student.language import mark, plural, tr

import misconceptions
import probes
import reference
from fit import fitted_accuracy
from probes import ModeProbe

Batch = tuple[Tensor, Tensor]

BATCH_SIZES = [1, 2, 5]
MODES = ["train", "eval"]


def make(student: Student, sampler: Sampler) -> tuple[Layer, reference.ReferenceTower]:
    """A tower of the student's with the oracle's random weights, in float64."""
    oracle = sampler.fill(reference.ReferenceTower())
    tower: Layer = student.TowerOfInsight()
    tower.load(oracle)
    tower.settle()
    return tower, oracle


def images(sampler: Sampler, n: int) -> Tensor:
    """Random images (N, 1, 28, 28)."""
    return sampler.normal(n, 1, 28, 28)


def test_parameters(student: Student) -> None:
    """Eight parameters in four parts: 320 + 18,496 + 401,536 + 1,290 = 421,642.

    handouts/tower.md, "The arithmetic, worked".
    """
    made: Layer = student.TowerOfInsight()
    properties.registered_like(reference.ReferenceTower(), made)
    total = sum(math.prod(shape) for shape in made.made.shapes().values())
    expect(
        total == 421_642,
        plural(
            "The parameters count {count:,} element; expected 421,642.",
            "The parameters count {count:,} elements; expected 421,642.",
            total,
        ),
    )


class Model(NamedTuple):
    """A model of torch's or of probes.py, and what it is made of, with the arithmetic of its count."""

    name: str
    arguments: tuple[int, ...]
    words: str


COUNTED = [
    Model("nn.Linear", (5, 3), mark("nn.Linear(5, 3), of 5·3 + 3 = 18")),
    Model("nn.ReLU", (), mark("nn.ReLU(), which has none")),
    Model(
        "probes.ModeProbe",
        (6, 4),
        mark("BatchNorm1d(6) and Linear(6, 4), 6 + 6 + 6·4 + 4 = 40 without running statistics"),
    ),
    Model(
        "probes.TiedProbe",
        (4,),
        mark("two layers Linear(4, 4) that share their weight, 4·4 + 4 + 4 = 24"),
    ),
]
MODELS = {
    "nn.Linear": mark("a linear layer"),
    "probes.ModeProbe": mark("a BatchNorm1d and a linear layer"),
    "probes.TiedProbe": mark("two linear layers that share their weight"),
    "probes.DeepProbe": mark("layers within layers, of which some are frozen"),
}


def drawn_models(row: Row) -> list[Model]:
    """The model of a row, alone."""
    linear, mode, tied, deep = MODELS
    name = (linear, mode, tied, deep)[row["model"] if row["depth"] < 5 else 3]
    width = min(row["width"], 40) if name == deep else row["width"]
    arguments = {tied: (width,), deep: (row["depth"], width)}
    return [Model(name, arguments.get(name, (width, row["depth"])), MODELS[name])]


DRAWN_MODELS = Ranges(
    {
        "model": choice(mark("the model {n}"), tuple(MODELS.values())),
        "depth": Span(mark("a depth or a number of classes of {n}"), 1, 3, 64, least=2),
        "width": Span(mark("{n} features"), 1, 3, 1024, least=2, one=mark("{n} feature")),
    },
    drawn_models,
)


@one_by_one("models", [COUNTED], lambda models: [], lambda models: "models", [DRAWN_MODELS])
def test_count_parameters(student: Student, sampler: Sampler, models: list[Model]) -> None:
    """count_parameters counts the elements of the parameters that require a gradient.

    handouts/tower.md, "What is asked".
    """
    counts: list[Count] = []

    def ask(what: str, layer: Layer, model: nn.Module, expected: int | None = None) -> None:
        got = student.count_parameters(layer)
        if expected is None:
            expected = sum(p.numel() for p in model.parameters() if p.requires_grad)
        counts.append(Count(what, got, expected, partial(misconceptions.of_count, model)))

    if models is COUNTED:
        tower, oracle = student.TowerOfInsight(), reference.ReferenceTower()
        sizes: dict[str, int] = {}
        with suppress(CheckFailed):  # that a Tower cannot be made is no matter of its count
            sizes = {name: math.prod(shape) for name, shape in tower.made.shapes().items()}
        if "fc1.weight" in sizes:
            total = sum(sizes.values())
            ask(tr("The count for the Tower"), tower, oracle, total)
            tower.freeze("fc1.weight")
            frozen = reference.ReferenceTower()
            frozen.fc1.weight.requires_grad_(False)
            what = tr("The count for the Tower with fc1.weight frozen")
            ask(what, tower, frozen, total - sizes["fc1.weight"])
    for name, arguments, words in models:
        library, _, attribute = name.partition(".")
        model = getattr({"nn": nn, "probes": probes}[library], attribute)(*arguments)
        what = tr("The count for a model ({words})", words=tr(words))
        ask(what, student.library(name, *arguments), model)
    student.asked = plural(
        "count_parameters on {count} model", "count_parameters on {count} models", len(counts)
    )
    compare_counts(counts, whole=True)


def test_shapes(student: Student, sampler: Sampler) -> None:
    """28×28 becomes 14×14, then 7×7; 64·7·7 = 3136 at flatten; ten logits for every image.

    handouts/tower.md, "The arithmetic, worked".
    """
    tower: Layer = student.TowerOfInsight()
    for n in BATCH_SIZES:
        x = images(sampler, n).float()
        expected = {"conv2": (n, 32, 14, 14), "fc1": (n, 3136), "fc2": (n, 128)}
        entering, _ = tower.activations(x)
        for name in (name for name in expected if name in entering):
            shape = tuple(entering[name].shape)
            expect(
                shape == expected[name],
                tr(
                    "What enters {name} has shape {shape}; expected {expected}.",
                    name=name,
                    shape=shape,
                    expected=expected[name],
                ),
                cause=misconceptions.of_entry(shape, expected[name]),
            )
        alike(tr("the output"), tower(x), torch.zeros(n, 10))


Stage = tuple[Tensor | None, Callable[[Tensor], Tensor], Tensor | None]
"""What leaves a brick, what is to be made of it, and what enters the next."""
BETWEEN = (
    why("tower.stage.before_conv1", "What enters conv1 is not the images: look between the two."),
    why(
        "tower.stage.before_conv2",
        "What enters conv2 is not the pooled ReLU of what conv1 returned: look between the two.",
    ),
    why(
        "tower.stage.before_fc1",
        "What enters fc1 is not the flattened, pooled ReLU of what conv2 returned: look between the two.",
    ),
    why(
        "tower.stage.before_fc2",
        "What enters fc2 is not the ReLU of what fc1 returned: look between the two.",
    ),
    why(
        "tower.stage.after_fc2",
        "What forward() returns is not what fc2 returned: look between the two.",
    ),
)


def wrong_stage(tower: Layer, oracle: nn.Module, x: Tensor) -> Cause | None:
    """Which step between two bricks, or which brick, is wrong: each is judged by what came before it."""
    try:
        entering, leaving = tower.activations(x)
        logits = tower(x)
    except CheckFailed:
        return None
    steps: list[Stage] = [
        (x, lambda h: h, entering.get("conv1")),
        (leaving.get("conv1"), pooled, entering.get("conv2")),
        (leaving.get("conv2"), lambda h: pooled(h).flatten(1), entering.get("fc1")),
        (leaving.get("fc1"), F.relu, entering.get("fc2")),
        (leaving.get("fc2"), lambda h: h, logits),
    ]
    for cause, (before, step, after) in zip(BETWEEN, steps, strict=True):
        if before is None or after is None:
            return None
        if not same(after, step(before)):
            return cause
    for name, brick in oracle.named_children():
        if not same(leaving[name], brick(entering[name])):
            return why(
                "tower.stage.brick",
                "{name} itself returns something else than its weights say: see its own module.",
                name=name,
            )
    return None


def pooled(h: Tensor) -> Tensor:
    """The ReLU, then the largest of every 2x2 pixels."""
    return F.max_pool2d(F.relu(h), 2)


PASSES = [  # the mode, the number of images, and their values
    *(("train", n, VALUES[0]) for n in BATCH_SIZES),
    ("eval", 3, VALUES[0]),
    ("train", 2, "between 0 and 1"),
    ("eval", 2, "tens"),
]
MANY = Span("", 5, 5, 53)
"""How many images a large batch has."""


NETWORK = "tower.network"
"""The slip that the network is wrong: where it is forgiven, training is judged over another."""


@contextmanager
def of_the_network() -> Iterator[None]:
    """What trains the network is not charged again for what it answers wrongly, unless by another slip."""
    try:
        yield
    except (NotWritten, NotMade, TooSlow):
        raise
    except CheckFailed as failure:
        raise failure.slipped(failure.slip or NETWORK) from None


def stock(student: Student, sampler: Sampler) -> tuple[Layer, nn.Module]:
    """Another network for images, of stock layers on either side, with random weights."""
    oracle = sampler.fill(nn.Sequential(nn.Flatten(), nn.Linear(784, 10)))
    layers = student.library("nn.Flatten"), student.library("nn.Linear", 784, 10)
    theirs = student.library("nn.Sequential", *layers)
    theirs.load(oracle)
    return theirs, oracle


@of_the_network()
def test_forward(student: Student, sampler: Sampler) -> None:
    """The logits equal those of the same network built of stock layers, in either mode.

    handouts/tower.md, "What trips people up": a ReLU or a pool that is missing or misplaced, or a
    softmax at the end.
    """
    tower, oracle = make(student, sampler)

    def judge(x: Tensor, tolerance: Tolerance) -> None:
        try:
            properties.forward(tower, oracle, Input(x), tolerance)
        except CheckFailed as failure:
            raise failure.beside(partial(wrong_stage, tower, oracle, x)) from None

    for mode, n, values in PASSES:
        tower.do(mode)
        judge(sampler.values(values, n, 1, 28, 28), FLOAT64)
    tower.load(oracle.float())
    for n in MANY.levels(sampler):
        judge(images(sampler, n).float(), FLOAT32)


def show_flow(student: Student, got: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """For the report: how much gradient reaches the weights of each layer."""
    norms = {
        name.removesuffix(".weight"): (norm(got.get(name), gradient), norm(gradient, gradient))
        for name, gradient in expected.items()
        if name.endswith(".weight")
    }
    caption = tr("norm of the weight's gradient, in powers of ten")
    student.show(Bars(tr("How much gradient reaches each layer"), caption, norms))


def norm(gradient: Tensor | None, expected: Tensor) -> float:
    """Of a gradient; 0 where there is none, or none of this shape and size that a number can hold."""
    if gradient is None or gradient.shape != expected.shape:
        return 0.0
    found = float(gradient.double().norm())
    return found if math.isfinite(found) else 0.0


@of_the_network()
def test_gradient_parity(student: Student, sampler: Sampler) -> None:
    """Every parameter gets the gradient that stock layers would give it.

    handouts/tower.md, "What trips people up": a layer that the forward pass leaves out gets none.
    """
    tower, oracle = make(student, sampler)
    x = images(sampler, 3)
    try:
        properties.gradients(tower, oracle, Input(x), sampler, look=partial(show_flow, student))
    except CheckFailed as failure:
        raise failure.beside(partial(wrong_stage, tower, oracle, x)) from None


SCALED = mark("TowerOfInsight over bricks whose outputs are multiplied by secret factors")


def test_own_bricks(student: Student, sampler: Sampler) -> None:
    """The tower is built from the CustomLinear and CustomConv2d that it imports.

    handouts/tower.md, "What is asked": over bricks whose outputs are multiplied by secret factors,
    the logits change as the bricks do.
    """
    factors: dict[str, Any] = {"linear": sampler.number(1.5, 3), "conv2d": -sampler.number(1.5, 3)}
    other = student.over_bricks(**factors)
    oracle = sampler.fill(reference.scaled_tower(**factors))
    tower, x = other.TowerOfInsight(), images(sampler, 2)
    student.asked = tr(SCALED)
    try:
        tower.load(oracle)
        properties.forward(tower, oracle, Input(x))
    except TooSlow:
        raise
    except CheckFailed as failure:
        plain, stock = make(student, sampler)
        try:
            properties.forward(plain, stock, Input(x))
        except CheckFailed as other:  # no matter of bricks
            raise other.beside(partial(wrong_stage, plain, stock, x)) from None
        student.asked = tr(SCALED)
        raise CheckFailed(
            failure.found,
            quoted=failure.quoted,
            location=failure.location,
            cause=lambda: (
                misconceptions.foreign_bricks(tower(x), oracle, factors, x)
                or wrong_stage(tower, oracle, x)
            ),
            reading=why(
                "tower.bricks.ready_made",
                "Layers of torch.nn, or functions of torch.nn.functional, stand where the bricks should.",
            ),
        ) from None
    properties.reads_openly(student)


MIXED = why(
    "tower.images.mixed",
    "Images of one batch influence each other: a mean, a normalisation or a softmax runs over the batch, a "
    "reshape mixes the images, or one image is used for all.",
)


def test_samples_apart(student: Student, sampler: Sampler) -> None:
    """An image's logits depend on that image alone, and are the same every time.

    handouts/tower.md, "What trips people up": a softmax over the batch, a normalisation or a
    dropout mixes images or adds chance.
    """
    tower, oracle = make(student, sampler)
    x = images(sampler, 3)
    with torch.no_grad():
        expected = oracle(x)
    for mode in MODES:
        tower.do(mode)
        together = alike(tr("the output"), tower(x), expected)
        by_chance = why(
            "tower.images.by_chance",
            "The same images get other logits each time: something random, as dropout, takes part.",
        )
        compare(
            tr("the output for the same images, asked again,"),
            tower(x),
            together,
            reading=by_chance,
        )
        for i, part in enumerate(x.split(1)):
            alone = alike(tr("the output for one image"), tower(part), expected[i : i + 1])
            what = tr("image {number} of a batch, against the same image alone,", number=i)
            compare(what, together[i : i + 1], alone, reading=MIXED)
        what = tr("the output for the batch in another order")
        compare(what, tower(x.roll(1, 0)), together.roll(1, 0), reading=MIXED)


def test_meta_device(student: Student) -> None:
    """The tower makes no tensor of its own on the CPU and asks for no device, so it would run on a GPU.

    handouts/tower.md, "How it is graded".
    """
    tower: Layer = student.TowerOfInsight()
    properties.lies_on(tower.to("meta"), "meta")
    properties.meta_output(tower, Meta((3, 1, 28, 28)), (3, 10))


def test_fresh_loss(student: Student, sampler: Sampler) -> None:
    """A fresh tower knows nothing: its loss is near ln 10 ≈ 2.30, and no two towers are alike.

    handouts/tower.md, "The arithmetic, worked": ten equal chances cost -ln(1/10).
    """
    towers = [student.create("TowerOfInsight", (), {}, seed=sampler.seed()) for _ in range(2)]
    x, labels = sampler.uniform(16, 1, 28, 28, dtype=torch.float32), sampler.integers(0, 10, 16)
    logits = alike(tr("the output"), towers[0](x), torch.zeros(16, 10))
    expect(
        not torch.equal(logits[0], logits[1]),
        tr("A fresh tower gives different images the same logits."),
        cause=why(
            "tower.fresh.alike",
            "The weights begin at zero or at one constant, which never learn to differ; or a ReLU is dead "
            "for every image, as a bias far below zero makes it; or one image stands for all.",
        ),
    )
    for name, value in towers[0].state().items():
        expect(
            not torch.equal(value, towers[1].state().get(name, value)),
            tr("Two fresh towers begin with the same {name}.", name=name),
            cause=why(
                "tower.fresh.fixed", "It is filled with fixed numbers, or a fixed seed is set."
            ),
        )
    loss = float(F.cross_entropy(logits, labels))
    expect(
        1.8 < loss < 5,
        tr("The loss of a fresh tower is {loss:.3g}; expected about ln 10 = 2.30.", loss=loss),
        cause=None
        if loss < 5
        else why(
            "tower.fresh.favourite",
            "Some classes are favoured whatever the image: a bias begins far from zero.",
        )
        if float(F.cross_entropy(logits - logits.mean(0), labels)) < 5
        else why("tower.fresh.weights_too_large", "The weights begin too large: see kaiming_init."),
    )


def freeze(layer: str, oracle: nn.Module, theirs: Layer) -> None:
    """Let the parameters of this layer, if it names one, require no gradient on either side."""
    for name, parameter in oracle.named_parameters():
        if name.partition(".")[0] == layer:
            parameter.requires_grad_(False)
            theirs.freeze(name)


class Training(NamedTuple):
    """An optimizer, the sizes of the batches of an epoch, and the model: a small probe or the Tower."""

    optimizer: str
    settings: dict[str, float]
    sizes: tuple[int, ...]
    model: str = "probe"
    mode: str = "train"
    smoothing: float = 0.0  # of the labels, in the criterion
    once: bool = False  # the batches are an iterator
    single: bool = False  # in float32
    features: int = 6
    classes: int = 4
    groups: bool = False  # each parameter in a group of its own
    criterion: str = "nn.CrossEntropyLoss"
    frozen: str = ""  # the layer whose parameters require no gradient

    def __str__(self) -> str:
        kind = "once" if self.once else "smoothed" if self.smoothing else self.mode
        kind = "groups" if self.groups else kind
        kind = "float32" if self.single else kind
        kind = f"frozen_{self.frozen}" if self.frozen else kind
        sizes = "-".join(map(str, self.sizes)) if len(self.sizes) < 5 else len(self.sizes)
        return f"{self.model}-{kind}-{self.optimizer}-{sizes}"

    def models(self, student: Student, sampler: Sampler) -> tuple[nn.Module, Layer]:
        """The oracle and the student's side of it, with the same random weights."""
        oracle: nn.Module
        if self.model == "tower":
            theirs, oracle = (stock if is_forgiven(NETWORK) else make)(student, sampler)
        else:
            probe = "GraphProbe" if self.model == "graphs" else "ModeProbe"
            oracle = sampler.fill(getattr(probes, probe)(self.features, self.classes))
            theirs = student.library(f"probes.{probe}", self.features, self.classes)
            if self.single:
                oracle.float()
            theirs.load(oracle)
        freeze(self.frozen, oracle, theirs)
        theirs.do(self.mode)
        return oracle, theirs

    def batch(self, sampler: Sampler, n: int) -> Batch:
        """Random inputs and labels for the model."""
        if self.model == "tower":
            return images(sampler, n), sampler.integers(0, 10, n)
        dtype = torch.float32 if self.single else torch.float64
        if self.criterion == "probes.SquaredLoss":
            labels = sampler.normal(n, dtype=dtype)
        else:
            labels = sampler.integers(0, self.classes, n)
        return sampler.normal(n, self.features, dtype=dtype), labels


MOMENTUM: dict[str, Any] = {"lr": 0.05, "momentum": 0.9}
TRAININGS = [
    Training("SGD", {"lr": 0.1}, (4, 4, 4)),
    Training("SGD", {"lr": 0.1}, (5, 5, 2), mode="eval"),
    Training("SGD", MOMENTUM, (3, 6, 2, 4), mode="eval"),
    Training("Adam", {"lr": 0.01}, (4, 4, 3, 2)),
    Training("Adam", {"lr": 0.01}, (7,), mode="eval"),
    Training("SGD", {"lr": 0.1}, (4, 3), smoothing=0.3),
    Training("SGD", {"lr": 0.1}, (4, 2), once=True),
    Training("SGD", {"lr": 0.05}, (32,) * 11 + (17,)),
    Training("SGD", {"lr": 0.1}, (8, 8), single=True),
    Training("SGD", {"lr": 0.1}, (4, 3, 4), groups=True),
    Training("SGD", {"lr": 0.1}, (4, 3, 4), criterion="probes.SquaredLoss"),
    Training("SGD", MOMENTUM, (4, 3, 4), frozen="norm"),
    Training("SGD", {"lr": 0.1}, (4,) * 12, "graphs"),
    Training("SGD", MOMENTUM, (2, 1), "tower", mode="eval"),
]
MAX_BATCHES = 280
MAX_GRAPHS = 4
"""Of earlier batches that may be alive at once: a loop holds that of its last loss."""


OPTIMIZERS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.1}),
    ("SGD", MOMENTUM),
    ("Adam", {"lr": 0.01}),
    ("SGD", {"lr": 0.05, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.02}),
]


def sizes(row: Row) -> tuple[int, ...]:
    """Of the batches: the last differs, if there are several."""
    several = (row["samples"],) * (row["batches"] - 1) + (row["last"],)
    return several if row["batches"] > 1 else (row["samples"],)


FROZEN = ["", "norm", "fc"]
FREEZES = choice(mark("a model whose frozen layer is {n}"), ("none", *FROZEN[1:]))


def drawn_training(row: Row) -> Training:
    """The training of a row."""
    name, settings = OPTIMIZERS[row["optimizer"]]
    return Training(
        name,
        settings,
        sizes(row),
        mode=MODES[row["mode"]],
        smoothing=(0.0, 0.2)[row["smoothing"]],
        once=bool(row["once"]),
        single=bool(row["single"]),
        features=row["features"],
        classes=row["classes"],
        frozen=FROZEN[row["frozen"]],
    )


DRAWN_TRAININGS = Ranges(
    {
        "batches": Span(mark("{n} batches"), 1, 3, MAX_BATCHES, least=2, one=mark("{n} batch")),
        "samples": Span(mark("batches of {n}"), 2, 4, 300),
        "last": Span(mark("a last batch of {n}"), 2, 4, 20),
        "features": Span(mark("{n} features"), 1, 3, 64, least=2, one=mark("{n} feature")),
        "classes": Span(mark("{n} classes"), 2, 4, 128),
        "optimizer": choice(
            mark("the optimizer {n}"), [f"{name} {settings}" for name, settings in OPTIMIZERS]
        ),
        "mode": choice(mark("a model in the mode {n}"), MODES),
        "smoothing": choice(mark("labels that are {n}"), ("plain", "smoothed")),
        "once": choice(mark("batches that come from {n}"), ("a list", "an iterator")),
        "single": choice(mark("the dtype {n}"), ("float64", "float32")),
        "frozen": FREEZES,
    },
    drawn_training,
    lambda row: row["batches"] * (50 + row["samples"] * (row["features"] + row["classes"])),
)


def listed(sizes: Sequence[int]) -> str:
    """Numbers, within a sentence."""
    texts = [str(size) for size in sizes]
    return ", ".join(texts if len(texts) < 12 else (*texts[:3], "…", *texts[-2:]))


Loops = tuple[tuple[nn.Module, torch.optim.Optimizer], tuple[Layer, Layer]]
"""The criterion and the optimizer, here and in the worker."""


def loops(student: Student, oracle: nn.Module, theirs: Layer, training: Training) -> Loops:
    """The same criterion and optimizer, here and in the worker."""
    smoothing = training.smoothing
    optimizer = getattr(torch.optim, training.optimizer)
    groups = [{"params": [parameter]} for parameter in oracle.parameters()]
    settings: dict[str, Any] = {**training.settings, "param_groups": training.groups}
    real = training.criterion == "probes.SquaredLoss"
    criterion: dict[str, Any] = {"label_smoothing": smoothing} if smoothing else {}
    return (
        (
            probes.SquaredLoss() if real else nn.CrossEntropyLoss(**criterion),
            optimizer(groups if training.groups else oracle.parameters(), **training.settings),
        ),
        (
            student.library(training.criterion, **criterion),
            student.library(f"optim.{training.optimizer}", theirs, **settings),
        ),
    )


TRAINED_ANOTHER = why(
    "tower.train_epoch.fault_in_tower",
    "train_epoch trains another model right: the fault is in the Tower, in its forward() or in which of its "
    "parameters require a gradient.",
)
GROUPS = why(
    "tower.train_epoch.groups",
    "The optimizer holds its parameters in several groups here: optimizer.zero_grad() clears all of them.",
)
AS_THEY_COME = why(
    "tower.train_epoch.as_they_come",
    "train_epoch hands the inputs to the model as they come, and the labels to the criterion.",
)
OF_SHAPES = ("broadcasting", "criterion_arguments", "dimensions", "expanded", "view_size")
"""What an exception means, by the end of its id, where inputs or labels were given another shape."""


MAX_SENT = 100
"""Batches that are sent one by one; more are cut from two tensors in the worker."""


def sent(student: Student, batches: Sequence[Batch], once: bool) -> Any:
    """What stands for the batches in a call: a list, or an iterator."""
    if len(batches) > MAX_SENT:
        inputs, labels = (torch.cat(part) for part in zip(*batches, strict=True))
        sizes = [len(part) for _, part in batches]
        return student.library("probes.stream" if once else "probes.cut", inputs, labels, sizes)
    return Once(batches) if once else batches


def judge_epoch(
    student: Student,
    oracle: nn.Module,
    theirs: Layer,
    batches: Sequence[Batch],
    loop: Loops,
    *,
    once: bool = False,
) -> None:
    """One epoch on either side moves every weight alike, and has the same mean loss."""
    ours, in_worker = loop
    before = copy.deepcopy((oracle, ours[1]))
    start = before[0].state_dict()
    losses: list[float] = []
    answered = student.calling("train_epoch", theirs, sent(student, batches, once), *in_worker)
    expected = reference.train_epoch(oracle, batches, *ours, losses)
    loss = answered().value
    state = theirs.state()
    frozen = thawed(student, theirs, oracle)
    sizes = [len(labels) for _, labels in batches]
    student.asked = (
        tr("train_epoch on your Tower, with batches of {sizes} samples", sizes=listed(sizes))
        if isinstance(oracle, reference.ReferenceTower)
        else tr(
            "train_epoch on a small model (normalisation and one layer), with batches of {sizes} samples",
            sizes=listed(sizes),
        )
    )
    try:
        for name, value in oracle.state_dict().items():
            got = state.get(name)
            if value.is_floating_point():
                tolerance = TRAJECTORY if value.dtype == torch.float64 else FLOAT32
                what = plural(
                    "{name} after {count} step",
                    "{name} after {count} steps",
                    len(batches),
                    name=name,
                )
                compare(what, got, value, tolerance, before=start[name])
            elif name == "graphs":
                expect(
                    got is not None and int(got) <= MAX_GRAPHS,
                    tr(
                        "The graphs of earlier batches are kept, up to {count} at once.",
                        count=int(got or 0),
                    ),
                    cause=why(
                        "tower.train_epoch.graphs_kept",
                        "Losses that are summed or listed as tensors keep everything that led to them; "
                        "item() takes the number alone.",
                    ),
                )
            else:
                expect(
                    got is not None and torch.equal(got, value),
                    tr("{name} differs: the batches were not each used once.", name=name),
                )
    except CheckFailed as failure:
        model, optimizer = before
        raise failure.because(
            lambda: misconceptions.diagnose_epoch(state, model, ours[0], optimizer, batches)
        ) from None
    expect(not frozen, frozen, cause=misconceptions.THAWED)
    candidates = misconceptions.of_mean_loss(losses, sizes)
    tolerance = TRAJECTORY if batches[0][0].dtype == torch.float64 else FLOAT32
    compare_number(tr("The mean loss per sample"), loss, expected, tolerance, candidates=candidates)


def thawed(student: Student, theirs: Layer, oracle: nn.Module) -> str:
    """Which parameter requires a gradient now and did not before, or the reverse, as a sentence; "" if none."""
    now = student.library("probes.Flags", theirs).state()
    for name, parameter in oracle.named_parameters():
        if name in now and bool(now[name]) is not parameter.requires_grad:
            return (
                tr("{name} requires no gradient after the call; it did before.", name=name)
                if parameter.requires_grad
                else tr("{name} requires a gradient after the call; it was frozen.", name=name)
            )
    return ""


def traits(training: Training) -> list[str]:
    """What there is to a training, in words."""
    possible = {
        tr("a model that is in evaluation mode before the call"): training.mode == "eval",
        tr("an optimizer with several groups of parameters"): training.groups,
        tr("labels that are real numbers"): training.criterion == "probes.SquaredLoss",
        tr("momentum"): "momentum" in training.settings,
        "Adam": training.optimizer == "Adam",
        tr("batches of different sizes"): len(set(training.sizes)) > 1,
        tr("a criterion with label smoothing"): training.smoothing > 0,
        tr("batches that come from an iterator"): training.once,
        tr("an epoch of many batches"): len(training.sizes) > 5,
        "float32": training.single,
        tr("a frozen layer"): training.frozen,
    }
    return [trait for trait, holds in possible.items() if holds]


@one_by_one("training", TRAININGS, traits, drawn=[DRAWN_TRAININGS])
def test_train_epoch(student: Student, sampler: Sampler, training: Training) -> None:
    """train_epoch moves every weight as the reference loop does, in training mode, to 1e-9.

    handouts/tower.md, "What trips people up": cleared gradients, model.train(), and a mean loss in
    which a smaller batch weighs less.
    """
    oracle, theirs = training.models(student, sampler)
    loop = loops(student, oracle, theirs, training)
    on_tower = isinstance(oracle, reference.ReferenceTower)
    for _ in range(
        1 if on_tower or training not in TRAININGS else 2
    ):  # the second finds what the first has left
        batches = [training.batch(sampler, n) for n in training.sizes]
        try:
            judge_epoch(student, oracle, theirs, batches, loop, once=training.once)
        except CheckFailed as failure:
            raised = failure.cause.id if len(failure.quoted) > 1 and failure.cause else ""
            of_shapes = raised.removeprefix("raised.").startswith(("matmul", *OF_SHAPES))
            if of_shapes and training is TRAININGS[0]:
                raise failure.beside(AS_THEY_COME) from None
            known = partial(wrong_tower, student, sampler) if on_tower else None
            raise failure.because(known or (GROUPS if training.groups else None)) from None
    if training is TRAININGS[0]:
        shows_nan(student, theirs, [training.batch(sampler, n) for n in (4, 4)], loop[1])


def wrong_tower(student: Student, sampler: Sampler) -> Cause | None:
    """The Tower's fault, if its gradients are wrong: train_epoch trains another model right."""
    tower, oracle = make(student, sampler)
    try:
        properties.gradients(tower, oracle, Input(images(sampler, 3)), sampler)
    except CheckFailed:
        return TRAINED_ANOTHER
    return None


def shows_nan(
    student: Student,
    theirs: Layer,
    batches: Sequence[Batch],
    in_worker: tuple[Layer, Layer],
) -> None:
    """A batch that has no number for a loss is seen in the mean, and in the weights."""
    batches[0][0][0] = math.nan
    loss = student.train_epoch(theirs, batches, *in_worker)
    student.asked = tr("train_epoch on batches of which one holds NaN")
    expect(
        isinstance(loss, float)
        and math.isnan(loss)
        and bool(theirs.state()["fc.weight"].isnan().all()),
        tr("Not all of the mean loss and the weights are NaN afterwards."),
        cause=why(
            "tower.train_epoch.nan_skipped",
            "A batch whose loss is not finite is left out; a step belongs to each, and the mean has to show it.",
        ),
    )


STEPS = 24


def test_one_batch(student: Student, sampler: Sampler) -> None:
    """A tower can learn two images by heart: the loss falls to less than a fifth.

    handouts/tower.md, "What trips people up": a network that cannot overfit one batch has a broken
    path somewhere.
    """
    x, labels = sampler.uniform(2, 1, 28, 28, dtype=torch.float32), sampler.permutation(10)[:2]
    if is_forgiven(NETWORK):
        tower, oracle = stock(student, sampler)
        tower.load(oracle.float())
    else:
        tower = student.create("TowerOfInsight", (), {}, seed=sampler.seed())
    optimizer = student.library("optim.Adam", tower, lr=0.002, fused=True)
    criterion = student.library("nn.CrossEntropyLoss")
    before = tower(x)
    student.train_epoch(tower, [(x, labels)] * STEPS, criterion, optimizer)
    losses = [
        float(F.cross_entropy(alike(tr("the output"), logits, torch.zeros(2, 10)), labels))
        for logits in (before, tower(x))
    ]
    student.asked = plural(
        "{count} step of Adam on one batch of two images",
        "{count} steps of Adam on one batch of two images",
        STEPS,
    )
    # A tower that cannot tell the two images apart gets down to ln 2, which is less than a third.
    wanted = losses[0] / 5
    expect(
        losses[1] < wanted,
        tr(
            "The loss went from {before:.3g} to {after:.3g}; expected less than {wanted:.3g}.",
            before=losses[0],
            after=losses[1],
            wanted=wanted,
        ),
        cause=partial(wrong_training, student, sampler),
    )


def wrong_training(student: Student, sampler: Sampler) -> Cause | None:
    """The fault of train_epoch, if it trains a network of stock layers wrong on so many batches."""
    theirs, oracle = stock(student, sampler)
    training = Training("Adam", {"lr": 0.002}, (2,) * STEPS, "tower")
    batches = [training.batch(sampler, 2)] * STEPS
    try:
        judge_epoch(student, oracle, theirs, batches, loops(student, oracle, theirs, training))
    except CheckFailed:
        return why(
            "tower.one_batch.fault_in_train_epoch",
            "train_epoch trains another model wrong, too: see its check.",
        )
    return None


class Evaluation(NamedTuple):
    """The sizes of the batches, the mode before the call, and the model."""

    sizes: tuple[int, ...]
    mode: str = "train"
    once: bool = False
    features: int = 6
    classes: int = 4
    grad: bool = True  # whether autograd is on before the call
    frozen: str = ""  # as in Training


EVALUATIONS = [
    Evaluation(sizes, mode, once=sizes == (7,))
    for mode in MODES
    for sizes in ((8, 8), (9, 4), (3, 5, 11), (7,))
] + [Evaluation((5, 3), grad=False), Evaluation((4, 3), frozen="norm")]
DRAWN_EVALUATIONS = Ranges(
    {
        "batches": Span(mark("{n} batches"), 1, 3, MAX_BATCHES, least=2, one=mark("{n} batch")),
        "samples": Span(mark("batches of {n}"), 1, 3, 1024),
        "last": Span(mark("a last batch of {n}"), 1, 3, 20),
        "features": Span(mark("{n} features"), 1, 3, 64, least=2, one=mark("{n} feature")),
        "classes": Span(mark("{n} classes"), 2, 4, 256),
        "mode": choice(mark("a model in the mode {n}"), MODES),
        "once": choice(mark("batches that come from {n}"), ("a list", "an iterator")),
        "frozen": FREEZES,
    },
    lambda row: [
        Evaluation(
            sizes(row),
            MODES[row["mode"]],
            bool(row["once"]),
            row["features"],
            row["classes"],
            frozen=FROZEN[row["frozen"]],
        )
    ],
    lambda row: row["batches"] * row["samples"] * (row["features"] + row["classes"]),
)


@one_by_one(
    "asked", [EVALUATIONS], lambda asked: [], lambda asked: "evaluations", [DRAWN_EVALUATIONS]
)
def test_evaluate(student: Student, sampler: Sampler, asked: list[Evaluation]) -> None:
    """evaluate returns the fraction that is right, in evaluation mode and without tracking gradients.

    handouts/tower.md, "What trips people up": batches of different sizes weigh by their samples.
    """
    counts = []
    for one in asked:
        oracle, theirs, batches = evaluation(student, sampler, one)
        sizes = listed(one.sizes)
        student.asked = tr("evaluate on batches of {sizes} samples", sizes=sizes)
        before = theirs.state()
        given = sent(student, batches, one.once)
        answered = student.calling("evaluate", theirs, given, grad=one.grad)
        expected = reference.accuracy(oracle, batches)
        got = answered().value
        for name, value in theirs.state().items():
            expect(
                torch.equal(value, before[name]),
                tr("{name} was changed by evaluate.", name=name),
                cause=why(
                    "tower.evaluate.statistics_changed",
                    "Evaluation mode (model.eval()) leaves running statistics alone.",
                ),
            )
        frozen = thawed(student, theirs, oracle)
        expect(
            not frozen,
            frozen,
            cause=why(
                "tower.evaluate.thawed",
                "Within torch.no_grad() nothing has to be frozen; who thaws all parameters afterwards thaws "
                "a layer, too, that was frozen before.",
            ),
        )
        what = tr("The fraction that is right in batches of {sizes} samples", sizes=sizes)
        candidates = partial(misconceptions.of_evaluation, oracle, batches)
        counts.append(Count(what, got, expected, candidates))
    student.asked = plural(
        "evaluate on {count} list of batches", "evaluate on {count} lists of batches", len(counts)
    )
    compare_counts(counts)


def evaluation(
    student: Student, sampler: Sampler, asked: Evaluation
) -> tuple[ModeProbe, Layer, list[Batch]]:
    """A model on either side, and batches of which half or so is answered right."""
    features, classes = asked.features, asked.classes
    oracle = sampler.fill(ModeProbe(features, classes).double())
    for buffer in (oracle.norm.running_mean, oracle.norm.running_var):
        assert buffer is not None
        buffer.copy_(sampler.uniform(features) + 0.5)
    theirs = student.library("probes.ModeProbe", features, classes)
    theirs.load(oracle)
    freeze(asked.frozen, oracle, theirs)
    theirs.do(asked.mode)
    batches = []
    for n in asked.sizes:
        x = (3 if asked.mode == "train" else 1000) * sampler.normal(n, features)
        with torch.no_grad():
            right = oracle.eval()(x).argmax(1)
        wrong = sampler.permutation(n) < (n + 1) // 3 + (n % 2)
        batches.append((x, torch.where(wrong, (right + 1) % classes, right)))
    return oracle, theirs, batches


def test_mnist_fit(student: Student, sampler: Sampler, long_run: LongRun) -> None:
    """Trained on altered MNIST by train_epoch, the tower reads held-out digits.

    handouts/tower.md, "How it is graded": the images are altered and the labels permuted in a way
    that only this run knows.
    """
    accuracy = fitted_accuracy(student, sampler, long_run)
    student.measure(tr("MNIST accuracy"), accuracy)
    plan = long_run.plan
    student.asked = plural(
        "train on MNIST: {count} step of 64 images with Adam",
        "train on MNIST: {count} steps of 64 images with Adam",
        int(plan["steps"]),
    )
    found = tr(
        "{reached:.2f} % of 10,000 held-out images are read right; the goal is {goal:.1f} %.",
        reached=100 * accuracy,
        goal=100 * plan["target"],
    )
    expect(
        accuracy >= plan["threshold"],
        found,
        cause=why(
            "tower.fit.digits_unknown",
            "The weights that came back do not know the digits. If the checks above pass, something "
            "happens in long epochs only: a limit on the batches, a learning rate that changes, a counter.",
        ),
    )
    student.remark = found


def test_gpu_parity(student: Student, sampler: Sampler) -> None:
    """On the GPU the logits and every gradient are those of stock layers on the CPU.

    handouts/tower.md, "What trips people up": .cuda() in the code, or a tensor made without a device.
    """
    tower, oracle = make(student, sampler)
    properties.gradients(tower, oracle, Input(images(sampler, 3)), sampler, on_gpu=True)


def test_gpu_training(student: Student, sampler: Sampler) -> None:
    """On the GPU train_epoch moves every weight as on the CPU, and evaluate counts the same.

    handouts/tower.md, "What trips people up": the loop takes model and batches where they lie.
    """
    tower, oracle = make(student, sampler)
    tower.load(oracle.float())
    tower.to("cuda")
    pixels = sampler.integers(0, 256, 5 * 784).reshape(5, 1, 28, 28).to(torch.uint8)
    labels = sampler.integers(0, 10, 5)
    kept_pixels, kept_labels = student.keep(pixels, labels, on_gpu=True)
    batches = Batches(kept_pixels, kept_labels, size=2, start=0, stop=3)
    here = [(x.float() / 255, y) for x, y in zip(pixels.split(2), labels.split(2), strict=True)]
    optimizer = torch.optim.SGD(oracle.parameters(), **MOMENTUM)
    expected = reference.train_epoch(oracle, here, nn.CrossEntropyLoss(), optimizer)
    criterion = student.library("nn.CrossEntropyLoss")
    theirs = student.library("optim.SGD", tower, **MOMENTUM)
    loss = student.call("train_epoch", tower, batches, criterion, theirs, on_gpu=True).value
    compare_number(tr("The mean loss per sample, on the GPU,"), loss, expected, tolerance=FLOAT32)
    state = tower.state()
    for name, value in oracle.state_dict().items():
        what = plural(
            "{name} after {count} step on the GPU",
            "{name} after {count} steps on the GPU",
            len(here),
            name=name,
        )
        compare(what, state.get(name), value, GPU_FLOAT32)
    right = student.call("evaluate", tower, batches, on_gpu=True).value
    share = reference.accuracy(oracle, here)
    compare_number(tr("The fraction that is right, on the GPU,"), right, share)
