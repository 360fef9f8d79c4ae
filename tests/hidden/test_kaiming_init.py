"""The hidden suite for kaiming_init.py. Cases are a table, properties are functions."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
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
from autograder.suite.student import Generator, Input, Student
from tower_student.language import mark, plural, tr
from tower_student.text import words

import misconceptions

Shape = tuple[int, ...]
Look = Callable[[torch.Tensor, float, float, float], None]
"""Judges a filled tensor, given fan_in, fan_out and the gain."""

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
def test_calculate_fan(student: Student, sampler: Sampler, shapes: list[Shape]) -> None:
    """calculate_fan counts inputs and outputs, times the taps of the kernel.

    handouts/kaiming_init.md, "The arithmetic, worked".
    """
    results = {
        shape: student.calculate_fan(Input(sampler.normal(*shape), layout(sampler)))
        for shape in shapes
    }
    for shape, result in results.items():
        student.asked = f"calculate_fan(tensor{shape})"
        expect(
            isinstance(result, tuple | list) and len(result) == 2,
            tr("The result is {got}; expected the pair (fan_in, fan_out).", got=describe(result)),
        )
    student.asked = plural(
        "calculate_fan on tensors of {count} shape",
        "calculate_fan on tensors of {count} shapes",
        len(shapes),
    )
    for i, name in enumerate(("fan_in", "fan_out")):
        counts = [
            Count(
                tr("{name} of a tensor of shape {shape}", name=name, shape=shape),
                results[shape][i],
                fans(shape)[i],
                partial(misconceptions.of_fans, shape, name),
            )
            for shape in shapes
        ]
        compare_counts(counts, whole=True)


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


def judge_filled(
    student: Student,
    sampler: Sampler,
    name: str,
    shape: Shape,
    look: Look,
    *extra: object,
    size: Shape | None = None,
    slope: float = 0.0,
    **kwargs: Any,
) -> None:
    """Fill a tensor by one of the functions and judge it; a second draw has to be another one.

    Args:
        shape: of the weight.
        look: judges the filled tensor, given fan_in, fan_out and the gain.
        size: of the tensor, where it is not the weight.
    """
    size = size or shape

    def fill(before: float, seed: int) -> Any:
        return student.call(name, torch.full(size, before), *extra, seed=seed, **kwargs).value

    first, second = fill(7.0, sampler.seed()), fill(7.0, sampler.seed())
    first = alike(tr("the filled tensor"), first, torch.zeros(size))
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

    def blame() -> Cause | None:
        own = own_counts(student, shape, slope)
        if own is not None and own != (*fans(shape), gain(slope)) and looks_right(*own):
            return why(
                "kaiming_init.fan_or_gain",
                "The formula is right for what calculate_fan and leaky_relu_gain return here, but one of these "
                "two is wrong.",
            )
        full, empty = fill(1000.0, 0), fill(0.0, 0)
        if isinstance(full, torch.Tensor) and bool((full - empty).abs().mean() > 1):
            return why(
                "kaiming_init.old_values",
                "The tensor's old values are still in it: overwrite them.",
            )
        return PARTLY_FILLED if bool((first == 7).any()) else None

    def looks_right(*counts: float) -> bool:
        try:
            look(first, *counts)
        except (CheckFailed, ZeroDivisionError):
            return False
        return True

    try:
        look(first, *fans(shape), gain(slope))
    except CheckFailed as failure:
        raise failure.because(blame) from None
    expect(
        not bool((first == 7).any()),
        tr("Some of the old values are still in the tensor."),
        cause=PARTLY_FILLED,
    )
    statistics.distinct(tr("the tensor"), first)


NOTHING_DRAWN = why(
    "kaiming_init.nothing_drawn",
    "The tensor holds one number everywhere: nothing is drawn, or it is drawn into a copy, "
    "which flatten() and reshape() may make.",
)
PARTLY_FILLED = why("kaiming_init.partly_filled", "Not all of the tensor is filled.")


def own_counts(student: Student, shape: Shape, slope: float) -> tuple[float, ...] | None:
    """What the student's own functions say of the fans and the gain; None where they say nothing usable."""
    try:
        counts, factor = student.calculate_fan(torch.zeros(shape)), student.leaky_relu_gain(slope)
    except CheckFailed:
        return None
    if not isinstance(counts, tuple | list) or len(counts) != 2:
        return None
    own = (*counts, factor)
    usable = all(isinstance(value, int | float) and 0 <= value < 1e9 for value in own)
    return own if usable else None


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


def by_fill(*factors: float, drawn: Sequence[float]) -> Callable[[Callable[..., None]], Any]:
    """Over all shapes with all slopes or gains, and over drawn ones."""
    return one_by_one("case", cases(*factors), lambda case: [], drawn=[drawn_fills(*drawn)])


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

    def look(got: torch.Tensor, fan_in: float, _: float, gain: float) -> None:
        candidates = misconceptions.of_kaiming("uniform", shape, a)
        bound = gain * math.sqrt(3 / fan_in)
        statistics.uniform(tr("the tensor"), got, bound, candidates, others)

    given: dict[str, Any] = {"a": a} if a else {}
    judge_filled(student, sampler, "kaiming_uniform_", shape, look, slope=a, **given)


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

    def look(got: torch.Tensor, fan_in: float, _: float, gain: float) -> None:
        candidates = misconceptions.of_kaiming("normal", shape, a)
        statistics.normal(tr("the tensor"), got, gain / math.sqrt(fan_in), candidates, others)

    given = (a,) if a else ()
    judge_filled(student, sampler, "kaiming_normal_", shape, look, *given, slope=a)
    if shape == SHAPES[0] and not a:
        many = student.call("kaiming_normal_", torch.zeros(400, 600), seed=sampler.seed()).value
        statistics.tails(
            tr("the tensor"),
            alike(tr("the result"), many, torch.zeros(400, 600)),
            math.sqrt(2 / 600),
        )


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

    def look(got: torch.Tensor, fan_in: float, fan_out: float, _: float) -> None:
        bound = factor * math.sqrt(6 / (fan_in + fan_out))
        candidates = misconceptions.of_xavier(shape, factor)
        statistics.uniform(tr("the tensor"), got, bound, candidates, others)

    given: dict[str, Any] = {"gain": factor} if factor != 1 else {}
    judge_filled(student, sampler, "xavier_uniform_", shape, look, **given)
    if case == cases(1.0)[-1]:
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


@one_by_one("shape", WEIGHTS, lambda shape: [], drawn=[DRAWN_WEIGHTS])
def test_bias_uniform(student: Student, sampler: Sampler, shape: Shape) -> None:
    """bias_uniform_ draws from U(±1/√fan_in), with the fan_in of the weight.

    handouts/kaiming_init.md, "What is asked".
    """
    weight = sampler.normal(*shape, dtype=torch.float32)

    def others() -> Iterator[tuple[Any, Iterable[statistics.Distribution]]]:
        for size in WEIGHTS:
            filled = student.bias_uniform_(torch.zeros(size[0]), torch.ones(size))
            yield filled, misconceptions.of_layer(size, size[:1])

    def look(got: torch.Tensor, fan_in: float, *_: float) -> None:
        candidates = misconceptions.of_layer(shape, (shape[0],))
        statistics.uniform(tr("the bias"), got, 1 / math.sqrt(fan_in), candidates, others)

    def by_layout() -> Cause | None:
        plain = student.call("bias_uniform_", torch.zeros(shape[0]), weight, seed=sampler.seed())
        try:
            look(plain.value, fans(shape)[0])
        except CheckFailed:
            return None
        return why(
            "kaiming_init.layout_of_weight",
            "The same weight in plain memory is answered rightly: stride() says nothing of a shape.",
        )

    given = Input(weight, "contiguous" if shape in WEIGHTS else layout(sampler))
    try:
        judge_filled(student, sampler, "bias_uniform_", shape, look, given, size=(shape[0],))
    except CheckFailed as failure:
        raise failure.because(None if given.layout == "contiguous" else by_layout) from None


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
