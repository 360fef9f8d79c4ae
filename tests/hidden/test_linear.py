"""The hidden suite for linear.py. Cases are a table, properties are functions; each runs over its cases."""

import math
from typing import NamedTuple

import pytest
import torch
from torch import nn

from autograder.suite import properties
from autograder.suite.cases import one_by_one
from autograder.suite.failures import expect
from autograder.suite.ranges import Ranges, Row, Span, choice
from autograder.suite.sampler import VALUES, Sampler
from autograder.suite.student import Input, Layer, Meta, Student
from autograder.suite.tolerances import FLOAT32, GPU_FLOAT32, HALF
from tower_student.language import mark, plural, tr

from misconceptions.linear import INHERITED
from operators import CONVOLUTION, LINEAR


class Case(NamedTuple):
    """A layer and the shape and memory layout of what goes in."""

    name: str
    in_features: int
    out_features: int
    shape: tuple[int, ...]
    bias: bool = True
    layout: str = "contiguous"
    values: str = VALUES[0]

    def input(self, sampler: Sampler) -> Input:
        """Random values of the kind, in the layout."""
        return Input(sampler.values(self.values, *self.shape), self.layout)


def traits(case: Case) -> list[str]:
    """What there is to a case, in words."""
    possible = {
        tr("a batch of another size"): case.shape[0] != CASES[0].shape[0],
        tr("no bias"): not case.bias,
        tr("one input feature"): case.in_features == 1,
        tr("one output feature"): case.out_features == 1,
        tr("as many outputs as inputs"): case.in_features == case.out_features,
        tr("a batch of one"): case.shape[0] == 1,
        tr("one sample without a batch"): len(case.shape) == 1,
        plural(
            "an input with {count} dimension", "an input with {count} dimensions", len(case.shape)
        ): len(case.shape) > 2,
        tr("an empty batch"): case.shape[0] == 0,
        tr("an input whose memory layout is {layout}", layout=case.layout): (
            case.layout != "contiguous"
        ),
    }
    return [trait for trait, holds in possible.items() if holds]


def group(case: Case) -> str:
    """What a case has in common with others that earn a share of a check's points."""
    if case.layout != "contiguous":
        return mark("other memory layouts")
    if len(case.shape) == 2:
        return mark("a batch of vectors")
    return mark("other numbers of dimensions")


CASES = [
    Case("batch", 5, 3, (4, 5)),
    Case("more_samples", 5, 3, (7, 5)),
    Case("no_bias", 7, 4, (6, 7), bias=False),
    Case("wide", 3, 11, (2, 3)),
    Case("one_sample", 6, 5, (1, 6)),
    Case("one_feature", 1, 4, (5, 1)),
    Case("one_output", 4, 1, (3, 4)),
    Case("square", 4, 4, (4, 4)),
    Case("vector", 5, 3, (5,)),
    Case("vector_no_bias", 5, 3, (5,), bias=False),
    Case("three_dimensions", 6, 2, (3, 4, 6)),
    Case("four_dimensions", 3, 5, (2, 3, 2, 3), bias=False),
    Case("empty_batch", 4, 3, (0, 4)),
    Case("transposed", 5, 3, (4, 5), layout="transposed"),
    Case("transposed_three_dimensions", 5, 3, (2, 4, 5), layout="transposed"),
    Case("offset", 5, 3, (4, 5), layout="offset"),
    Case("strided", 5, 3, (2, 4, 5), layout="strided"),
]
LAYOUTS = ("contiguous", "transposed", "offset", "strided")
SPANS = {
    "in_features": Span(
        mark("{n} input features"), 1, 3, 2048, one=mark("{n} input feature"), both=True
    ),
    "out_features": Span(
        mark("{n} output features"), 1, 3, 2048, one=mark("{n} output feature"), both=True
    ),
    "batch": Span(mark("a batch of {n}"), 1, 3, 4096, least=2),
    "dimensions": Span(
        mark("an input with {n} dimensions"), 1, 7, least=2, one=mark("an input with {n} dimension")
    ),
    "rows": Span(mark("{n} rows in each sample"), 1, 3, 1024, one=mark("{n} row in each sample")),
    "plain": choice(mark("a bias that is {n}"), ("there", "left out")),
    "layout": choice(mark("a memory layout that is {n}"), LAYOUTS),
    "values": choice(mark("input values that are {n}"), VALUES),
}


def drawn_case(row: Row) -> Case:
    """The case of a row."""
    features = row["in_features"]
    needed = 3 if row["rows"] > 3 else 2 if row["batch"] > 3 else 1
    dimensions = max(row["dimensions"], needed)
    leading = (row["batch"], *(2 if i else row["rows"] for i in range(dimensions - 2)))
    shape = (*leading, features) if dimensions > 1 else (features,)
    layout = LAYOUTS[row["layout"]] if dimensions > 1 else LAYOUTS[0]
    bias = not row["plain"]
    return Case("drawn", features, row["out_features"], shape, bias, layout, VALUES[row["values"]])


def work(row: Row) -> int:
    """Multiply-adds of a forward pass."""
    return math.prod(drawn_case(row).shape) * row["out_features"]


DRAWN = Ranges(SPANS, drawn_case, work)
VECTORS = {name: span.low for name, span in SPANS.items()} | {"dimensions": 2}
"""The row of a batch of vectors, with a bias."""
FEW = {name: SPANS[name]._replace(high=0) for name in ("in_features", "out_features")}
BATCHES = Ranges(
    FEW | {"batch": SPANS["batch"]},
    lambda row: drawn_case(VECTORS | row),
    lambda row: work(VECTORS | row),
    name="drawn_batch",
)
by_name = one_by_one("case", CASES, traits, lambda case: case.name, [DRAWN, BATCHES], group)
both_biases = pytest.mark.parametrize("bias", [True, False], ids=["bias", "no_bias"])


def make(student: Student, sampler: Sampler, case: Case) -> tuple[Layer, nn.Linear]:
    """A layer of the student's with the oracle's random weights."""
    oracle = sampler.fill(nn.Linear(case.in_features, case.out_features, bias=case.bias))
    layer: Layer = student.CustomLinear(case.in_features, case.out_features, bias=case.bias)
    layer.load(oracle)
    return layer, oracle


@both_biases
def test_registration(student: Student, bias: bool) -> None:
    """weight and bias are registered as nn.Linear registers them.

    handouts/linear.md, "What is asked": only an nn.Parameter that is assigned to self is seen by
    optimizers and by the state dict.
    """
    properties.registered_like(
        nn.Linear(20, 30, bias=bias),
        student.CustomLinear(20, 30, bias=bias),
        optional=("bias",),
    )
    by_default = {"bias": bias}, 0, torch.float64
    for make in (
        lambda: student.CustomLinear(3, 2, bias=bias, dtype=torch.float64),
        lambda: student.CustomLinear(3, 2, bias, None, torch.float64),
        lambda: student.create("CustomLinear", (3, 2), *by_default),
    ):
        properties.registered_like(
            nn.Linear(3, 2, bias=bias, dtype=torch.float64), make(), optional=("bias",)
        )
    if bias:  # as it is by default
        properties.has_bias_by_default(nn.Linear(3, 2), student.CustomLinear(3, 2))


@by_name
def test_forward(student: Student, sampler: Sampler, case: Case) -> None:
    """The output equals nn.Linear's for every leading shape.

    handouts/linear.md, "The arithmetic, worked".
    """
    layer, oracle = make(student, sampler, case)
    properties.forward(layer, oracle, case.input(sampler))


def test_forward_float32(student: Student, sampler: Sampler) -> None:
    """The output equals nn.Linear's in float32, the dtype it is used in.

    handouts/linear.md, "What trips people up".
    """
    oracle = sampler.fill(nn.Linear(64, 48)).float()
    layer: Layer = student.CustomLinear(64, 48)
    layer.load(oracle)
    x = sampler.normal(32, 64, dtype=torch.float32)
    properties.forward(layer, oracle, Input(x), tolerance=FLOAT32)
    properties.passes_large_on(layer, oracle, x)
    properties.passes_nan_on(layer, oracle, x)


@by_name
def test_gradient_parity(student: Student, sampler: Sampler, case: Case) -> None:
    """The gradients of input, weight and bias equal nn.Linear's under a random upstream gradient.

    handouts/linear.md, "The arithmetic, worked": the gradient of the weight sums over the batch.
    """
    layer, oracle = make(student, sampler, case)
    properties.gradients(layer, oracle, case.input(sampler), sampler)


@both_biases
def test_gradcheck(student: Student, sampler: Sampler, bias: bool) -> None:
    """The backward pass is the derivative of the layer's own forward pass.

    handouts/linear.md, "The idea": autograd follows every operation from the parameters to the
    output; a detach, a copy or a trip through numpy cuts the way.
    """
    layer, _ = make(student, sampler, Case("tiny", 3, 2, (2, 3), bias=bias))
    properties.gradcheck(layer, sampler.normal(2, 3), sampler)


def test_by_hand(student: Student, sampler: Sampler) -> None:
    """The product is computed by matrix arithmetic, not by nn.Linear, nn.Bilinear or F.linear.

    handouts/linear.md, "How it is graded": the operators that run are recorded.
    """
    layer, _ = make(student, sampler, Case("seen", 8, 5, (6, 8)))
    properties.responds(layer, sampler.normal(6, 8), (6, 5))

    def watch(*shape: int, grad: bool = True) -> None:
        x, upstream = sampler.normal(*shape), sampler.normal(*shape[:-1], 5) if grad else None
        answer = properties.watched(
            lambda record: layer.run(x, upstream, grad=grad, watch=record), sampler
        )
        properties.by_hand(student, answer.seen, LINEAR, CONVOLUTION)

    for mode in ("train", "eval"):
        layer.do(mode)
        watch(6, 8)
    watch(6, 8, grad=False)
    for shape in ((8,), (2, 3, 8)):
        with properties.judged_elsewhere():
            watch(*shape)
    inherited = {"torch.nn.modules.linear.Linear", "torch.nn.modules.linear.Bilinear"}
    expect(
        not inherited & set(layer.made.bases),
        tr("CustomLinear inherits from a ready-made layer of torch.nn."),
        cause=INHERITED,
    )


class New(NamedTuple):
    """The arguments of a new layer."""

    in_features: int
    out_features: int
    bias: bool = True


MANY = 500
"""Values of a weight that show how it was drawn."""
NEW = [New(30, 1500), New(300, 80, bias=False)]


def drawn_layer(row: Row) -> New:
    """The layer of a row, which has the number of inputs or of outputs, with many values."""
    inputs = row.get("in_features") or math.ceil(MANY / row["out_features"])
    return New(inputs, row.get("out_features") or math.ceil(MANY / inputs), not row["plain"])


@one_by_one(
    "new",
    NEW,
    lambda new: [tr("no bias")] * (not new.bias),
    lambda new: "bias" if new.bias else "no_bias",
    [
        Ranges(
            {name: SPANS[name] for name in (features, "plain")},
            drawn_layer,
            name=f"drawn_{features}",
        )
        for features in ("in_features", "out_features")
    ],
)
def test_initialisation(student: Student, sampler: Sampler, new: New) -> None:
    """Weight and bias of each new layer are drawn from U(±1/√in_features).

    handouts/linear.md, "What trips people up": the bound comes from in_features, for the bias too.
    """

    def make(seed: int) -> Layer:
        layer: Layer = student.CustomLinear(*new[:2], bias=new.bias, seed=seed)
        return layer

    oracle, bound = nn.Linear(*new, device="meta"), new.in_features**-0.5
    if new in NEW:
        properties.initialised_uniformly(make, oracle, bound, sampler)
    else:
        properties.begins_uniform(make(sampler.seed()), oracle, bound)


@both_biases
def test_trains(student: Student, sampler: Sampler, bias: bool) -> None:
    """The layer holds no state besides its parameters, and an optimizer can train it.

    handouts/linear.md, "What trips people up": whatever is computed once in the constructor goes
    stale as soon as the weights change.
    """
    case = Case("trained", 6, 4, (5, 6), bias=bias)
    layer, oracle = make(student, sampler, case)
    properties.follows_its_parameters(layer, oracle, sampler.normal(5, 6), sampler)
    properties.trains_like(
        student, layer, oracle, [sampler.normal(5, 6) for _ in range(3)], sampler
    )
    properties.can_be_copied(layer, oracle, sampler.normal(5, 6), sampler)
    for name in list(oracle.state_dict()):
        layer, oracle = make(student, sampler, case)
        properties.gradients_with_frozen(layer, oracle, name, sampler.normal(5, 6), sampler)
    layer, oracle = make(student, sampler, case)
    properties.gradients_with_zeros(layer, oracle, sampler.normal(5, 6), sampler)


@both_biases
def test_simulated_gpu(student: Student, sampler: Sampler, bias: bool) -> None:
    """On a GPU, a simulated one, the layer stays there, and output and gradients are nn.Linear's.

    handouts/linear.md, "What trips people up": what forward makes without a device lies on the CPU.
    """
    layer, oracle = make(student, sampler, Case("gpu", 5, 3, (4, 5), bias=bias))
    for shape in ((4, 5), (2, 3, 5)):
        properties.gradients(layer, oracle, Input(sampler.normal(*shape)), sampler, on_gpu=True)


@both_biases
def test_meta_device(student: Student, bias: bool) -> None:
    """The layer makes no tensor of its own on the CPU, so it would run on a GPU.

    handouts/linear.md, "How it is graded": the meta device has shapes but no memory, and refuses
    to mix with CPU tensors.
    """
    made: Layer = student.CustomLinear(5, 3, bias=bias, device="meta")
    properties.lies_on(made.made, "meta")
    properties.meta_output(made, Meta((4, 5)), (4, 3))
    moved: Layer = student.CustomLinear(5, 3, bias=bias)
    properties.lies_on(moved.to("meta"), "meta")
    properties.meta_output(moved, Meta((2, 5)), (2, 3))


@both_biases
def test_gpu_parity(student: Student, sampler: Sampler, bias: bool) -> None:
    """On the GPU, in float64 and in float32, nothing is carried away; output and gradients are nn.Linear's.

    handouts/linear.md, "What trips people up": what forward makes without a device lies on the CPU.
    """
    layer, oracle = make(student, sampler, Case("gpu", 50, 30, (16, 50), bias=bias))
    properties.gradients(layer, oracle, Input(sampler.normal(16, 50)), sampler, on_gpu=True)
    single = Input(sampler.normal(16, 50, dtype=torch.float32))
    layer.load(oracle.float())
    properties.gradients(layer, oracle, single, sampler, on_gpu=True, tolerance=GPU_FLOAT32)


@both_biases
def test_gpu_state(student: Student, sampler: Sampler, bias: bool) -> None:
    """The state dict goes from the CPU to the GPU and back, and the layer works on either device.

    handouts/linear.md, "What trips people up": whatever is kept beside the parameters stays behind.
    """
    layer, oracle = make(student, sampler, Case("gpu", 6, 5, (4, 6), bias=bias))
    properties.survives_transfers(layer, oracle, sampler.normal(4, 6), sampler)


def test_gpu_streams(student: Student, sampler: Sampler) -> None:
    """On another CUDA stream than the default one the layer works there, too.

    handouts/linear.md, "The idea": the layer is arithmetic, and leaves the order of work to torch.
    """
    layer, oracle = make(student, sampler, Case("gpu", 6, 5, (4, 6)))
    properties.keeps_to_the_stream(layer, oracle, sampler.normal(4, 6))


@pytest.mark.parametrize("dtype", HALF, ids=lambda dtype: str(dtype).removeprefix("torch."))
def test_gpu_half(student: Student, sampler: Sampler, dtype: torch.dtype) -> None:
    """On the GPU the layer computes in float16 and bfloat16, too.

    handouts/linear.md, "What trips people up": the dtype is the input's, never one of forward's own.
    """
    layer, oracle = make(student, sampler, Case("gpu", 64, 48, (32, 64)))
    properties.half_forward(layer, oracle, sampler.normal(32, 64), dtype)
