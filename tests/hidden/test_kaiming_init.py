"""The hidden suite for kaiming_init.py. Cases are a table, properties are functions."""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

import pytest
import torch
from torch import nn

from autograder.report import Cause
from autograder.suite import properties, statistics
from autograder.suite.cases import one_by_one
from autograder.suite.failures import CheckFailed, expect, why
from autograder.suite.parity import Count, alike, compare, compare_counts, compare_number, describe
from autograder.suite.ranges import Ranges, Row, Span, choice
from autograder.suite.sampler import Sampler
from autograder.suite.slips import charged_once, is_forgiven
from autograder.suite.student import Generator, Input, Student
from tower_student.language import mark, plural, tr
from tower_student.text import words

import misconceptions

Shape = tuple[int, ...]
Scale = Callable[[float, float, float], float]
"""The bound or the deviation that follows from fan_in, fan_out and the gain."""
FAN, GAIN = "kaiming_init.calculate_fan", "kaiming_init.leaky_relu_gain"
"""The slips that one of these is wrong: where it is forgiven, a fill is right that follows it."""


FANS: list[Shape] = [
    (20, 30),
    (7, 5),
    (1, 9),
    (32, 16, 3, 3),
    (8, 4, 2, 5),
    (6, 3, 7),
    (2, 3, 4, 5, 6),
    (5, 1, 3, 2),
]
SHAPES: list[Shape] = [(230, 90), (12, 40, 3, 11), (60, 30, 7)]
KERNEL = {
    "dimensions": Span(
        mark("a kernel with {n} dimensions"), 0, 4, least=1, one=mark("a kernel with {n} dimension")
    ),
    "kernel": Span(mark("a kernel that is {n} long"), 1, 4, 24, least=2),
}


def drawn_shape(row: Row) -> Shape:
    """The shape of a row; its kernel has other sizes along the other dimensions."""
    dimensions = max(row["dimensions"], row["kernel"] > 4)  # a long kernel has one at least
    kernel = (row["kernel"], 3, 1, 2)[:dimensions]
    return row["outputs"], row["inputs"], *kernel


def layout(sampler: Sampler) -> str:
    """A memory layout by chance: no count depends on it."""
    return ("contiguous", "transposed", "strided")[sampler.seed() % 3]


def fans(shape: Shape) -> tuple[int, int]:
    """fan_in and fan_out, as torch.nn.init counts them."""
    return nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))


def gain(a: float) -> float:
    """torch.nn.init's gain of a leaky ReLU."""
    return nn.init.calculate_gain("leaky_relu", a)


DRAWN_FANS = Ranges(
    KERNEL
    | {
        "outputs": Span(mark("{n} outputs"), 1, 3, 2048, one=mark("{n} output")),
        "inputs": Span(mark("{n} inputs"), 1, 3, 2048, one=mark("{n} input")),
    },
    lambda row: [drawn_shape(row)],
    lambda row: math.prod(drawn_shape(row)),
)


@one_by_one("shapes", [FANS], lambda shapes: [], lambda shapes: "shapes", [DRAWN_FANS])
@charged_once(FAN)
def test_calculate_fan(student: Student, sampler: Sampler, shapes: list[Shape]) -> None:
    """calculate_fan counts inputs and outputs, times the taps of the kernel.

    handouts/kaiming_init.md, "The arithmetic, worked".
    """
    results = {shape: asked_fans(student, sampler, shape) for shape in shapes}
    student.asked = plural(
        "calculate_fan on tensors of {count} shape",
        "calculate_fan on tensors of {count} shapes",
        len(shapes),
    )
    for i, name in enumerate(("fan_in", "fan_out")):
        counts = [count_of(shape, i, name, results[shape]) for shape in shapes]
        try:
            compare_counts(counts, whole=True)
        except CheckFailed as failure:
            if len(shapes) > 1:
                raise
            found = partial(common_cause, student, sampler, failure, counts[0], shapes[0], i)
            raise failure.instead(found) from None


def asked_fans(student: Student, sampler: Sampler, shape: Shape) -> tuple[Any, ...]:
    """What calculate_fan returns: a pair. Raises CheckFailed."""
    result = student.calculate_fan(Input(sampler.normal(*shape), layout(sampler)))
    student.asked = f"calculate_fan(tensor{shape})"
    expect(
        isinstance(result, tuple | list) and len(result) == 2,
        tr("The result is {got}; expected the pair (fan_in, fan_out).", got=describe(result)),
    )
    return tuple(result)


def count_of(shape: Shape, i: int, name: str, result: Sequence[Any]) -> Count:
    """One of the two fans, as it is to be compared."""
    return Count(
        tr("{name} of a tensor of shape {shape}", name=name, shape=shape),
        result[i],
        fans(shape)[i],
        partial(misconceptions.of_fans, shape, name),
    )


def common_cause(
    student: Student, sampler: Sampler, failure: CheckFailed, count: Count, shape: Shape, i: int
) -> Cause | None:
    """The cause of a wrong fan, which has to explain that of other sides where it is wrong too.

    Of small sides, many products are the same.
    """
    other = (*shape[:2], *(5, 7, 3, 2)[: len(shape) - 2])
    result = asked_fans(student, sampler, other)
    more = count_of(other, i, ("fan_in", "fan_out")[i], result)
    try:
        compare_counts([more], whole=True)
    except CheckFailed:
        try:
            compare_counts([count, more], whole=True)
        except CheckFailed as both:
            return both.cause
    return failure.cause


SLOPES = [0.2, 0.0, 0.01, 1.0, -0.5, math.sqrt(5)]
STEEPNESS = (0.3, 2, 1e-3, 0.05, 0.7, 1.3, 3, 8.0, 40.0, 1000.0)
DRAWN_SLOPES = Ranges(
    {
        "slope": choice(mark("a slope of {n}"), STEEPNESS),
        "falls": choice(mark("a slope that is {n}"), ("positive", "negative")),
    },
    lambda row: [(-1 if row["falls"] else 1) * STEEPNESS[row["slope"]]],
)


@one_by_one("slopes", [SLOPES], lambda slopes: [], lambda slopes: "slopes", [DRAWN_SLOPES])
@charged_once(GAIN)
def test_leaky_relu_gain(student: Student, sampler: Sampler, slopes: list[float]) -> None:
    """leaky_relu_gain is √(2 / (1 + a²)), and √2 without an argument.

    handouts/kaiming_init.md, "The idea".
    """
    counts = [
        Count(
            tr("The gain for a = {a:.4g}", a=a),
            student.leaky_relu_gain(a),
            gain(a),
            partial(misconceptions.of_gain, a),
        )
        for a in slopes
    ]
    student.asked = plural(
        "leaky_relu_gain(a) for {count} slope", "leaky_relu_gain(a) for {count} slopes", len(slopes)
    )
    compare_counts(counts)
    compare_number(tr("The gain without an argument"), student.leaky_relu_gain(), math.sqrt(2))


LAWS: dict[str, tuple[Callable[..., None], Scale]] = {
    "kaiming_uniform_": (statistics.uniform, lambda wide, _, gain: gain * math.sqrt(3 / wide)),
    "kaiming_normal_": (statistics.normal, lambda wide, _, gain: gain / math.sqrt(wide)),
    "xavier_uniform_": (
        statistics.uniform,
        lambda wide, high, gain: gain * math.sqrt(6 / (wide + high)),
    ),
    "bias_uniform_": (statistics.uniform, lambda wide, *_: 1 / math.sqrt(wide)),
}
"""The distribution of each function, and its scale."""


class Fill(NamedTuple):
    """How a function is to fill a tensor.

    Attributes:
        shape: of the weight.
        factor: the slope or the gain.
        given: the other arguments, where they are not the defaults.
        weight: given beside a bias, which is filled.
    """

    name: str
    shape: Shape
    factor: float = 0.0
    given: Mapping[str, float] = {}
    weight: Input | None = None

    @property
    def size(self) -> Shape:
        """The shape of what is filled."""
        return self.shape[:1] if self.weight else self.shape

    def ask(
        self, student: Student, seed: int, before: float = 7.0, dtype: torch.dtype = torch.float32
    ) -> Any:
        """Fill a tensor that held one number."""
        more = [self.weight] if self.weight else []
        target = torch.full(self.size, before, dtype=dtype)
        return student.call(self.name, target, *more, seed=seed, **self.given).value

    def scale(self, student: Student, slips: Collection[str] | None = None) -> float:
        """The right scale, but for slips: by default, those that are forgiven."""
        if slips is None:
            slips = [slip for slip in (FAN, GAIN) if is_forgiven(slip)]
        (wide, high), factor = fans(self.shape), self.factor
        weight = self.weight or torch.zeros(self.shape)
        own: Any
        with suppress(CheckFailed):
            own = student.calculate_fan(weight) if FAN in slips else ()
            if isinstance(own, tuple | list) and len(own) == 2 and all(map(usable, own)):
                wide, high = own
        if self.name.startswith("kaiming"):
            factor = gain(self.factor)
            with suppress(CheckFailed):
                own = student.leaky_relu_gain(self.factor) if GAIN in slips else None
                factor = own if usable(own) else factor
        return LAWS[self.name][1](wide, high, factor)


def usable(value: Any) -> bool:
    """Whether it can stand in a formula."""
    return isinstance(value, int | float) and 1e-9 < value < 1e9


def judge_filled(
    student: Student,
    sampler: Sampler,
    how: Fill,
    candidates: Callable[[], Iterable[statistics.Distribution]],
    others: statistics.Others,
) -> None:
    """Fill a tensor by one of the functions and judge it; a second draw has to be another one."""
    what = tr("the bias") if how.weight else tr("the tensor")
    first, second = (how.ask(student, sampler.seed()) for _ in range(2))
    first = alike(tr("the filled tensor"), first, torch.zeros(how.size))
    expect(
        not isinstance(second, torch.Tensor) or not torch.equal(first, second),
        tr("Two tensors were filled with the same numbers."),
        cause=lambda: (
            NOTHING_DRAWN
            if len(first.unique()) == 1
            else why(
                "drawing.fixed_seed",
                "A fixed seed is set, as a new torch.Generator() has one, or the draws are not random.",
            )
        ),
    )

    def look(scale: float) -> None:
        LAWS[how.name][0](what, first, scale, candidates(), others)

    def blame() -> Cause | None:
        own = how.scale(student, (FAN, GAIN))
        if own != how.scale(student, ()) and looks_right(own):
            return why(
                "kaiming_init.fan_or_gain",
                "The formula is right for what calculate_fan and leaky_relu_gain return here, but one of these "
                "two is wrong.",
            )
        full, empty = how.ask(student, 0, 1000.0), how.ask(student, 0, 0.0)
        if isinstance(full, torch.Tensor) and bool((full - empty).abs().mean() > 1):
            return why(
                "kaiming_init.old_values",
                "The tensor's old values are still in it: overwrite them.",
            )
        return PARTLY_FILLED if bool((first == 7).any()) else None

    def looks_right(scale: float) -> bool:
        try:
            look(scale)
        except CheckFailed:
            return False
        return True

    scale = how.scale(student)
    try:
        look(scale)
    except CheckFailed as failure:
        raise failure.because(blame) from None
    expect(
        not bool((first == 7).any()),
        tr("Some of the old values are still in the tensor."),
        cause=PARTLY_FILLED,
    )
    statistics.distinct(tr("the tensor"), first)


def judge_small(student: Student, sampler: Sampler, name: str, factor: float = 0.0) -> None:
    """Tensors of a few elements are drawn as large ones are: each value by itself, on the same scale."""
    values = []
    for low, high in ((1, 2), (1, 2), (2, 3), (3, 4), (4, 7), (7, 10), (10, 32), (64, 100)):
        n = int(sampler.integers(low, high))
        kind = int(sampler.integers(0, 3)) if n > 1 else 0
        if name == "bias_uniform_":
            shape: Shape = n, kind + 1
            how = Fill(name, shape, weight=Input(torch.ones(shape)))
        else:
            how = Fill(name, ((n, 1), (1, n), (1, 1, n))[kind], factor)
        # In float64, since two of a hundred float32 values agree in one tensor of some thousands.
        got = how.ask(student, sampler.seed(), dtype=torch.float64)
        got = alike(tr("the filled tensor"), got, torch.zeros(how.size, dtype=torch.float64))
        different = len(got.abs().unique())
        expect(
            n - different < (1 if n < 4 else 2),
            tr(
                "The {count} values of the tensor have only {different} different magnitudes.",
                count=n,
                different=different,
            ),
            cause=statistics.REPEATED,
        )
        values.append(got.flatten() / how.scale(student))
    expect(
        not torch.equal(*values[:2]),
        tr("Two tensors of one element hold the same number, over its bound or deviation."),
        cause=why(
            "kaiming_init.single_not_drawn",
            "A tensor of one element is given a fixed number; it is to be drawn as well.",
        ),
    )
    student.asked = tr("{name} on tensors of up to a hundred elements", name=name)
    LAWS[name][0](tr("what they hold, over its bound or deviation,"), torch.cat(values), 1.0)


NOTHING_DRAWN = why(
    "kaiming_init.nothing_drawn",
    "The tensor holds one number everywhere: nothing is drawn, it is drawn into a copy, which flatten() "
    "and reshape() may make, or the bound or deviation is 0.",
)
PARTLY_FILLED = why("kaiming_init.partly_filled", "Not all of the tensor is filled.")


class Filled(NamedTuple):
    """The shape of a weight, and the slope or gain that goes with it."""

    shape: Shape
    factor: float

    def __str__(self) -> str:
        return f"{self.factor:.3g}-{self.shape}"


FEW = 3001
"""Values that are enough to judge a distribution by; an odd number, for those who draw in pairs."""


def cases(*factors: float) -> list[Filled]:
    """The named ones."""
    plain = [Filled(shape, factor) for factor in factors for shape in SHAPES]
    return plain + [Filled(shape, factors[0]) for shape in ((1, FEW), (FEW, 1))]


def drawn_filled(factors: Sequence[float], row: Row) -> Filled:
    """The case of a row, with so many more outputs or inputs that the distribution can be judged."""
    shape = drawn_shape(row)
    sizes = {"outputs": shape[0], "inputs": shape[1]}
    sizes["inputs" if row["grows"] else "outputs"] *= math.ceil(FEW / math.prod(shape))
    return Filled(drawn_shape({**row, **sizes}), factors[row["factor"]])


def drawn_fills(*factors: float) -> Ranges[Filled]:
    """Shapes, with one of these slopes or gains."""
    spans = KERNEL | {
        "outputs": Span(mark("{n} outputs"), 1, 3, 512, one=mark("{n} output")),
        "inputs": Span(mark("{n} inputs"), 1, 3, 512, one=mark("{n} input")),
        "grows": choice(mark("more {n}"), ("outputs", "inputs")),
        "factor": choice(mark("an argument of {n}"), [f"{f:.3g}" for f in factors]),
    }
    return Ranges(spans, partial(drawn_filled, factors), lambda row: math.prod(drawn_shape(row)))


def narrow_fills(*factors: float) -> Ranges[Filled]:
    """Few inputs."""
    spans = {"inputs": Span(mark("{n} inputs"), 1, 3, one=mark("{n} input"))}
    return Ranges(
        spans,
        lambda row: Filled((FEW, row["inputs"]), factors[row["inputs"] % len(factors)]),
        name="narrow",
    )


def by_fill(*factors: float, drawn: Sequence[float]) -> Callable[[Callable[..., None]], Any]:
    """Over all shapes with all slopes or gains, and over drawn ones."""
    return one_by_one(
        "case", cases(*factors), lambda case: [], drawn=[drawn_fills(*drawn), narrow_fills(*drawn)]
    )


@by_fill(0.6, 0.0, math.sqrt(5), drawn=(0.01, 0.2, 1.0, 3.0, -0.4))
def test_kaiming_uniform(student: Student, sampler: Sampler, case: Filled) -> None:
    """kaiming_uniform_ draws from U(±gain·√(3 / fan_in)).

    handouts/kaiming_init.md, "The arithmetic, worked": a uniform variable on ±bound has the
    variance bound²/3.
    """
    shape, a = case

    def others() -> Iterator[tuple[Any, Iterable[statistics.Distribution]]]:
        for size, slope in cases(0.6, 0.0)[:5]:
            filled = student.kaiming_uniform_(torch.zeros(size), a=slope)
            yield filled, misconceptions.of_kaiming("uniform", size, slope)

    how = Fill("kaiming_uniform_", shape, a, {"a": a} if a else {})
    judge_filled(
        student, sampler, how, partial(misconceptions.of_kaiming, "uniform", shape, a), others
    )
    if case == cases(0.6)[-1]:
        judge_small(student, sampler, how.name)


MANY: list[Shape] = [(400, 1200), (1200, 400), (200, 300, 8), (60, 80, 10, 10)]


@by_fill(0.6, 0.0, drawn=(0.01, 0.2, 1.0, 3.0, -0.4))
def test_kaiming_normal(student: Student, sampler: Sampler, case: Filled) -> None:
    """kaiming_normal_ draws from N(0, gain² / fan_in).

    handouts/kaiming_init.md, "The arithmetic, worked".
    """
    shape, a = case

    def others() -> Iterator[tuple[Any, Iterable[statistics.Distribution]]]:
        for size, slope in cases(0.6, 0.0)[:5]:
            filled = student.kaiming_normal_(torch.zeros(size), slope)
            yield filled, misconceptions.of_kaiming("normal", size, slope)

    how = Fill("kaiming_normal_", shape, a, {"a": a} if a else {})
    judge_filled(
        student, sampler, how, partial(misconceptions.of_kaiming, "normal", shape, a), others
    )
    if case == cases(0.6)[-1]:
        judge_small(student, sampler, how.name)
        size = MANY[int(sampler.integers(0, len(MANY)))]
        many = how._replace(shape=size)
        got = alike(tr("the result"), many.ask(student, sampler.seed()), torch.zeros(size))
        statistics.tails(tr("the tensor"), got, many.scale(student))


@by_fill(1.0, 2.5, drawn=(1.5, 0.1, 0.5, 10.0))
def test_xavier_uniform(student: Student, sampler: Sampler, case: Filled) -> None:
    """xavier_uniform_ draws from U(±gain·√(6 / (fan_in + fan_out))).

    handouts/kaiming_init.md, "The idea".
    """
    shape, factor = case

    def others() -> Iterator[tuple[Any, Iterable[statistics.Distribution]]]:
        for size, gain in (*cases(1.0, 2.5)[:5], Filled(SHAPES[0], 0.5)):
            filled = student.xavier_uniform_(torch.zeros(size), gain=gain)
            yield filled, misconceptions.of_xavier(size, gain)

    how = Fill("xavier_uniform_", shape, factor, {"gain": factor} if factor != 1 else {})
    judge_filled(student, sampler, how, partial(misconceptions.of_xavier, shape, factor), others)
    if case == cases(1.0)[-1]:
        judge_small(student, sampler, how.name, 1.0)
        zeros = student.xavier_uniform_(torch.full(shape, 7.0), gain=0.0)
        zero = why(
            "kaiming_init.gain_of_zero", "A gain of 0 is one that was given: nothing is left."
        )
        compare(tr("the tensor, with a gain of 0,"), zeros, torch.zeros(shape), reading=zero)


WEIGHTS: list[Shape] = [(1500, 30), (400, 1600), (1200, 2, 3, 5)]
DRAWN_WEIGHTS = Ranges(
    KERNEL | {"inputs": Span(mark("{n} inputs"), 1, 3, 128, one=mark("{n} input"))},
    lambda row: drawn_shape({"outputs": 800, **row}),
    lambda row: math.prod(drawn_shape({"outputs": 800, **row})),
    max_work=1 << 18,
)


NARROW_WEIGHTS: Ranges[Shape] = Ranges(
    {"inputs": Span(mark("{n} inputs"), 1, 3, one=mark("{n} input"))},
    lambda row: (1001, row["inputs"]),
    name="narrow",
)


@one_by_one("shape", WEIGHTS, lambda shape: [], drawn=[DRAWN_WEIGHTS, NARROW_WEIGHTS])
def test_bias_uniform(student: Student, sampler: Sampler, shape: Shape) -> None:
    """bias_uniform_ draws from U(±1/√fan_in), with the fan_in of the weight.

    handouts/kaiming_init.md, "What is asked".
    """
    weight = sampler.normal(*shape, dtype=torch.float32)

    def others() -> Iterator[tuple[Any, Iterable[statistics.Distribution]]]:
        for size in WEIGHTS:
            filled = student.bias_uniform_(torch.zeros(size[0]), torch.ones(size))
            yield filled, misconceptions.of_layer(size, size[:1])

    candidates = partial(misconceptions.of_layer, shape, shape[:1])

    def by_layout() -> Cause | None:
        plain = student.call("bias_uniform_", torch.zeros(shape[0]), weight, seed=sampler.seed())
        try:
            statistics.uniform(tr("the bias"), plain.value, 1 / math.sqrt(fans(shape)[0]))
        except CheckFailed:
            return None
        return why(
            "kaiming_init.layout_of_weight",
            "The same weight in plain memory is answered rightly: stride() says nothing of a shape.",
        )

    given = Input(weight, "contiguous" if shape in WEIGHTS else layout(sampler))
    try:
        how = Fill("bias_uniform_", shape, weight=given)
        judge_filled(student, sampler, how, candidates, others)
    except CheckFailed as failure:
        raise failure.because(None if given.layout == "contiguous" else by_layout) from None
    if shape == WEIGHTS[-1]:
        judge_small(student, sampler, "bias_uniform_")


FILLERS: dict[str, tuple[Shape, ...]] = {
    "kaiming_uniform_": (),
    "kaiming_normal_": (),
    "xavier_uniform_": (),
    "bias_uniform_": ((50, 40),),
}
by_filler = pytest.mark.parametrize("name", FILLERS)


def arguments(name: str, *, requires_grad: bool = False) -> tuple[Input, *tuple[torch.Tensor, ...]]:
    """A tensor to fill, and what else the function takes."""
    shape = (50,) if name == "bias_uniform_" else (50, 40)
    target = Input(torch.full(shape, 7.0), requires_grad=requires_grad)
    return target, *map(torch.ones, FILLERS[name])


@by_filler
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_in_place(student: Student, sampler: Sampler, name: str, dtype: torch.dtype) -> None:
    """Each function fills the tensor it was given, outside autograd, and returns it.

    handouts/kaiming_init.md, "What trips people up".
    """
    target, *rest = arguments(name, requires_grad=True)
    target = Input(target.tensor.to(dtype), requires_grad=True)
    answer = student.call(name, target, *rest, seed=sampler.seed(), after=True)
    filled = alike(tr("the result"), answer.value, target.tensor)
    after = answer.after[0]
    expect(
        isinstance(after, torch.Tensor) and bool((after != 7).any()),
        tr("The tensor that was given still holds what it held."),
        cause=why(
            "kaiming_init.filled_elsewhere",
            "Nothing is drawn, or it is drawn into another tensor: a new one, or a copy, which flatten() and "
            "reshape() may make.",
        ),
    )
    expect(
        torch.equal(filled, after),
        tr("The tensor that was given is not filled; the result holds other values."),
        cause=why("kaiming_init.new_tensor", "A new tensor was made; fill the given one in place."),
    )
    traits = answer.traits[0]
    expect(
        traits.get("is_result") is True,
        tr("What is returned is not the tensor that was given."),
        cause=why(
            "kaiming_init.wrapped",
            "It was wrapped, by .data, .detach() or nn.Parameter: return the tensor itself that was given.",
        ),
    )
    expect(
        traits.get("moved") is False,
        tr(
            "The tensor was given other memory; what shares the old, such as a view, was not filled."
        ),
        cause=why(
            "kaiming_init.memory_exchanged",
            "Assigning to .data exchanges the memory; fill it with a method that ends in _.",
        ),
    )
    expect(
        traits.get("is_leaf") is True and traits.get("requires_grad") is True,
        tr("The tensor is no longer a leaf that requires a gradient."),
        cause=why(
            "kaiming_init.recorded",
            "Filling it was recorded by autograd, or requires_grad was switched off.",
        ),
    )
    plain = student.call(name, target.tensor, *rest, seed=sampler.seed(), grad=False, after=True)
    expect(
        plain.traits[0].get("requires_grad") is False,
        tr("A tensor that required no gradient requires one afterwards."),
        cause=why(
            "kaiming_init.gradient_switched_on",
            "requires_grad_() was called on it; filling a tensor leaves that as it was.",
        ),
    )
    layout = "transposed" if target.tensor.dim() > 1 else "strided"
    slanted = student.call(
        name, Input(target.tensor, layout), *rest, seed=sampler.seed(), after=True
    ).after[0]
    expect(
        isinstance(slanted, torch.Tensor) and bool((slanted != 7).float().mean() > 0.9),
        tr("A tensor whose memory layout is {layout} is not filled.", layout=layout),
        cause=why(
            "kaiming_init.filled_copy",
            "It is filled by way of a copy, which reshape(), flatten() and contiguous() make of such a tensor.",
        ),
    )
    for other, given in zip(answer.after[1:], rest, strict=True):
        expect(
            torch.equal(other, given),
            tr("The weight was changed; only the bias is to be filled."),
            cause=why("kaiming_init.weight_changed", "The weight is only read, for its fan_in."),
        )


@by_filler
def test_generator(student: Student, sampler: Sampler, name: str) -> None:
    """With a generator, the numbers come from it alone.

    handouts/kaiming_init.md, "What is asked": the same generator repeats the same numbers,
    whatever the global seed.
    """
    ours, another, seed = sampler.seed(), sampler.seed(), sampler.seed()

    def filled(
        generator: int, seed: int, skip: int = 0
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        given = Generator(generator, skip)
        answer = student.call(name, *arguments(name), generator=given, seed=seed, draws=3)
        result = alike(tr("the result"), answer.value, arguments(name)[0].tensor)
        expect(
            bool((result != 7).any()), tr("The tensor still holds what it held: nothing is drawn.")
        )
        return result, answer.draws

    first, drawn = filled(ours, seed)
    expect(
        torch.equal(first, filled(ours, sampler.seed())[0]),
        tr("The same generator gave other numbers under another global seed."),
        cause=why(
            "kaiming_init.generator.ignored",
            "The numbers are drawn from the global generator: pass `generator` on.",
        ),
    )
    expect(
        not torch.equal(first, filled(another, seed)[0]),
        tr("Another generator gave the same numbers."),
        cause=NOTHING_DRAWN
        if len(first.unique()) == 1
        else why("kaiming_init.generator.unused", "The generator is not used."),
    )
    expect(
        not torch.equal(first, filled(ours, seed, skip=5)[0]),
        tr("A generator that has been drawn from gave the same numbers as a fresh one."),
        cause=why(
            "kaiming_init.generator.restarted",
            "It is seeded again, or only its seed is used: pass it on, as generator=generator.",
        ),
    )
    untouched = torch.rand(3, generator=torch.Generator().manual_seed(seed))
    expect(
        drawn is not None and torch.equal(drawn, untouched),
        tr("The global generator was used up as well, although a generator was given."),
    )
    once, twice = (
        student.call(name, *arguments(name), seed=seed, draws=3, again=again).draws
        for again in (False, True)
    )
    expect(
        once is not None and twice is not None and not torch.equal(once, twice),
        tr(
            "Without a generator, the global one stands after two calls where it stood after the first: they "
            "draw the same."
        ),
        cause=why(
            "drawing.random_state", "The random state is set, or set back, beside the draws."
        ),
    )


@by_filler
def test_by_hand(student: Student, sampler: Sampler, name: str) -> None:
    """The distributions are made without torch.nn.init.

    handouts/kaiming_init.md, "How it is graded": calls into torch.nn.init are recorded.
    """
    seed, generator = sampler.seed(), Generator(sampler.seed())
    answer = properties.watched(
        lambda record: student.call(
            name, *arguments(name), generator=generator, seed=seed, watch=record
        ),
        sampler,
    )
    filled = alike(tr("the result"), answer.value, arguments(name)[0].tensor)
    expect(float(filled.std()) > 0, tr("The tensor is not filled."))
    properties.by_hand(student, answer.seen)
    assert answer.seen is not None
    used = [name for name in answer.seen.functions if name.startswith("torch.nn.init.")]
    if used:
        raise CheckFailed(
            tr("Ready-made work was recorded: {used}.", used=words(used)),
            cause=why(
                "kaiming_init.ready_made", "torch.nn.init does the work that is asked of you here."
            ),
        )
