"""The hidden suite for conv2d.py. Cases are a table, properties are functions; each runs over its cases."""

import functools
import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple, TypeVar

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autograder.report import Cause
from autograder.suite import properties, registry
from autograder.suite.candidates import Answered, Candidate, diagnose, diagnose_all, same
from autograder.suite.cases import one_by_one
from autograder.suite.failures import CheckFailed, Why, expect, partly, why
from autograder.suite.parity import Count, compare, compare_counts, compare_number
from autograder.suite.ranges import MAX_WORK, Ranges, Row, Span, choice
from autograder.suite.sampler import VALUES, Sampler
from autograder.suite.student import Input, Layer, Meta, Student
from autograder.suite.tolerances import FLOAT32, GPU_FLOAT32, HALF
from tower_student.language import mark, plural, tr

import misconceptions
from misconceptions import Geometry, pair
from operators import CONVOLUTION, UNFOLD

Pair = int | tuple[int, int]
Axis = tuple[int, int, int, int, int]
"""Size, kernel_size, stride, padding and dilation, along one axis."""
MadeT = TypeVar("MadeT")
METHODS = ("forward_im2col", "forward")
REMEMBERED = why(
    "conv2d.im2col.remembered",
    "The same was asked before, of another geometry: something is remembered that does not fit it.",
)
ONE_OF_TWO = why(
    "conv2d.forward.differs", "forward_im2col is right; forward() does something else with it."
)


class Case(NamedTuple):
    """A layer, and the shape and memory layout of what goes in. Asymmetric on purpose."""

    name: str
    channels: tuple[int, int]
    kernel: Pair
    shape: tuple[int, int, int]  # N, H, W
    stride: Pair = 1
    padding: Pair = 0
    dilation: Pair = 1
    bias: bool = True
    layout: str = "contiguous"
    values: str = VALUES[0]

    def layer(
        self, factory: Callable[..., MadeT], *, by_name: bool = False, **kwargs: object
    ) -> MadeT:
        """The layer, made by nn.Conv2d or by the student's class; what has its default is left out."""
        given = {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}
        named = {
            name: value for name, value in given.items() if value != self._field_defaults[name]
        }
        if not self.bias:
            kwargs["bias"] = False
        if by_name:
            return factory(*self.channels, self.kernel, **named, **kwargs)
        count = max((list(given).index(name) + 1 for name in named), default=0)
        return factory(*self.channels, self.kernel, *list(given.values())[:count], **kwargs)

    def geometry(self) -> Geometry:
        """As pairs."""
        return Geometry(*map(pair, (self.kernel, self.stride, self.padding, self.dilation)))

    def input_shape(self) -> tuple[int, int, int, int]:
        """(N, C, H, W)."""
        n, h, w = self.shape
        return n, self.channels[0], h, w

    def input(self, sampler: Sampler) -> Input:
        """Random values of the kind, in the layout."""
        return Input(sampler.values(self.values, *self.input_shape()), self.layout)


SQUARE, PAIRS, LAID_OUT = (
    mark("one number for height and width"),
    mark("pairs of numbers"),
    mark("other memory layouts"),
)
"""Groups of cases."""


def group(case: Case) -> str:
    """What a case has in common with others that earn a share of a check's points."""
    if case.layout != "contiguous":
        return LAID_OUT
    geometry = (case.kernel, case.stride, case.padding, case.dilation)
    return SQUARE if all(isinstance(of_both, int) for of_both in geometry) else PAIRS


def traits(case: Case) -> list[str]:
    """What there is to a case, in words."""
    kernel, stride, padding, dilation = case.geometry()
    (n, h, w), reach = case.shape, [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    over = [
        (size + 2 * p - r) % s for size, p, r, s in zip((h, w), padding, reach, stride, strict=True)
    ]
    possible = {
        tr("several channels"): case.channels != (1, 1),
        tr("a batch of more than one sample"): n > 1,
        tr("a large batch"): n > 9,
        tr("an image that is not square"): h != w,
        tr("a kernel of one pixel"): kernel == (1, 1),
        tr("a kernel of one pixel with a stride or padding"): (
            kernel == (1, 1) and (max(stride) > 1 or max(padding) > 0)
        ),
        tr("a kernel of three pixels"): 3 in kernel,
        tr("a kernel that is not square"): kernel[0] != kernel[1],
        tr("a stride of more than 1"): max(stride) > 1,
        tr("a stride that differs between height and width"): stride[0] != stride[1],
        tr("a stride that does not use up the image"): any(over),
        tr("a stride beyond the kernel"): any(s > k for s, k in zip(stride, kernel, strict=True)),
        tr("padding"): max(padding) > 0,
        tr("padding that differs between height and width"): padding[0] != padding[1],
        tr("padding of more than half the kernel"): any(
            p > k // 2 for p, k in zip(padding, kernel, strict=True)
        ),
        tr("padding beyond the kernel"): any(p > k for p, k in zip(padding, kernel, strict=True)),
        tr("a dilation of more than 1"): max(dilation) > 1,
        tr("a dilation that differs between height and width"): dilation[0] != dilation[1],
        tr("one window only"): (h + 2 * padding[0], w + 2 * padding[1]) == tuple(reach),
        tr("no bias"): not case.bias,
        tr("an input whose memory layout is {layout}", layout=case.layout): (
            case.layout != "contiguous"
        ),
    }
    return [trait for trait, holds in possible.items() if holds]


CASES = [
    Case("plain", (1, 1), 2, (1, 4, 4)),
    Case("channels", (3, 2), 2, (1, 4, 4)),
    Case("batch", (2, 3), 2, (2, 4, 4)),
    Case("wide_image", (2, 2), 2, (2, 4, 5)),
    Case("one_by_one", (3, 2), 1, (2, 4, 5)),
    Case("three_by_three", (2, 3), 3, (2, 5, 4)),
    Case("single_channels", (1, 1), (2, 3), (1, 5, 6)),
    Case("padding", (2, 1), 2, (2, 3, 4), padding=1),
    Case("square_kernel", (2, 3), 3, (2, 5, 7), padding=1),
    Case("tall_kernel", (2, 3), (3, 2), (2, 6, 5)),
    Case("wide_kernel", (3, 2), (1, 4), (3, 4, 7), bias=False),
    Case("one_by_one_padded", (2, 1), 1, (1, 3, 4), padding=1),
    Case("one_by_one_moved", (2, 3), 1, (2, 5, 6), stride=2, padding=1),
    Case("many_samples", (1, 2), 2, (67, 3, 4)),
    Case("equal_channels", (3, 3), 3, (3, 5, 5), padding=1),
    Case("stride", (2, 4), 3, (2, 8, 9), stride=2),
    Case("stride_pair", (2, 3), (3, 2), (2, 9, 8), stride=(2, 3)),
    Case("stride_not_dividing", (2, 3), (2, 3), (2, 8, 10), stride=(3, 2)),
    Case("patches", (2, 3), 2, (2, 6, 8), stride=2),
    Case("one_by_one_stride_pair", (2, 3), 1, (2, 5, 6), stride=(1, 2)),
    Case("stride_beyond_kernel", (1, 2), 2, (2, 9, 10), stride=3, bias=False),
    Case("padding_pair_one_window", (2, 3), 3, (2, 4, 4), stride=9, padding=(1, 2)),
    Case("padding_pair", (2, 3), 3, (2, 5, 6), padding=(2, 1)),
    Case("padding_one_axis", (2, 2), (2, 3), (1, 4, 6), padding=(0, 2)),
    Case("padding_beyond_kernel", (1, 3), (2, 1), (2, 3, 4), padding=(3, 2)),
    Case("dilation", (2, 3), 2, (2, 7, 6), dilation=2),
    Case("patches_dilated", (2, 3), (2, 3), (2, 7, 9), stride=(2, 3), dilation=2),
    Case("dilation_pair", (2, 2), (2, 3), (2, 8, 9), dilation=(3, 2), bias=False),
    Case("everything", (3, 4), (3, 2), (2, 11, 10), stride=(2, 3), padding=(1, 2), dilation=(2, 3)),
    Case("whole_input", (2, 5), (4, 6), (3, 4, 6)),
    Case("one_window_with_padding", (2, 2), (5, 4), (2, 3, 4), padding=(1, 0)),
    Case("transposed", (2, 3), 2, (2, 6, 5), layout="transposed"),
    Case("offset", (2, 3), 3, (2, 5, 4), layout="offset"),
    Case("strided", (2, 3), 3, (2, 6, 7), stride=2, layout="strided"),
    Case("channels_last", (3, 2), 2, (2, 5, 6), padding=1, layout="channels_last"),
]


LAYOUTS = ("contiguous", "transposed", "offset", "strided", "channels_last")
SPANS = {
    "batch": Span(mark("a batch of {n}"), 1, 3, 1024),
    "in_channels": Span(mark("{n} input channels"), 1, 3, 512, one=mark("{n} input channel")),
    "out_channels": Span(mark("{n} output channels"), 1, 3, 512, one=mark("{n} output channel")),
    "plain": choice(mark("a bias that is {n}"), ("there", "left out")),
    "layout": choice(mark("a memory layout that is {n}"), LAYOUTS),
    "values": choice(mark("input values that are {n}"), VALUES),
}
OF_AN_AXIS = {
    "windows_h": Span(
        mark("{n} windows vertically"), 1, 4, 200, least=2, one=mark("{n} window vertically")
    ),
    "windows_w": Span(
        mark("{n} windows horizontally"), 1, 4, 200, least=2, one=mark("{n} window horizontally")
    ),
    "kernel_h": Span(mark("a kernel height of {n}"), 1, 4, 24, least=2),
    "kernel_w": Span(mark("a kernel width of {n}"), 1, 4, 24, least=2),
    "stride_h": Span(mark("a vertical stride of {n}"), 1, 4, 24),
    "stride_w": Span(mark("a horizontal stride of {n}"), 1, 4, 24),
    "padding_h": Span(mark("a vertical padding of {n}"), 0, 4, 24),
    "padding_w": Span(mark("a horizontal padding of {n}"), 0, 4, 24),
    "dilation_h": Span(mark("a vertical dilation of {n}"), 1, 4, 16),
    "dilation_w": Span(mark("a horizontal dilation of {n}"), 1, 4, 16),
    "rest_h": Span(mark("{n} rows left over"), 0, 3, one=mark("{n} row left over")),
    "rest_w": Span(mark("{n} columns left over"), 0, 3, one=mark("{n} column left over")),
}
OF_BOTH = {
    "batch": Span(mark("a batch of {n}"), 1, 3),
    "in_channels": Span(mark("{n} input channels"), 1, 3, one=mark("{n} input channel")),
    "out_channels": Span(mark("{n} output channels"), 1, 3, one=mark("{n} output channel")),
    "windows": Span(
        mark("{n} windows along either axis"),
        1,
        4,
        64,
        least=2,
        one=mark("{n} window along either axis"),
    ),
    "kernel": Span(mark("a kernel size of {n}"), 1, 4, 16, least=2),
    "stride": Span(mark("a stride of {n}"), 1, 4, 16),
    "padding": Span(mark("a padding of {n}"), 0, 4, 16),
    "dilation": Span(mark("a dilation of {n}"), 1, 4, 12),
    "rest": Span(
        mark("{n} rows and columns left over"), 0, 3, one=mark("{n} row and column left over")
    ),
}
NUMBERS = ("windows", "kernel", "stride", "padding", "dilation", "rest")


def axis_of(row: Row, axis: str) -> Axis:
    """Of one axis, what output_size takes: the size follows from the number of windows."""
    of_it = "" if "kernel" in row else f"_{axis}"
    windows, k, s, p, d, rest = [row[name + of_it] for name in NUMBERS]
    size = (windows - 1) * s + d * (k - 1) + 1 - 2 * p + rest % s
    return max(1, size), k, s, p, d


def drawn_case(row: Row) -> Case:
    """The case of a row; where it has one number for both axes, so does the case."""
    (h, *tall), (w, *wide) = axis_of(row, "h"), axis_of(row, "w")
    numbers: list[Pair] = [*tall] if "kernel" in row else [*zip(tall, wide, strict=True)]
    kernel, stride, padding, dilation = numbers
    return Case(
        "drawn",
        (row["in_channels"], row["out_channels"]),
        kernel,
        (row["batch"], h, w),
        stride,
        padding,
        dilation,
        not row.get("plain"),
        LAYOUTS[row.get("layout", 0)],
        VALUES[row.get("values", 0)],
    )


def work(row: Row) -> int:
    """Multiply-adds of a forward pass, or a quarter of the pixels."""
    (h, *tall), (w, *wide) = axis_of(row, "h"), axis_of(row, "w")
    pixels = row["batch"] * row["in_channels"] * h * w
    windows = windows_along(h, *tall) * windows_along(w, *wide)
    samples = row["batch"] * row["in_channels"] * row["out_channels"]
    return max(pixels // 4, samples * tall[0] * wide[0] * windows)


def of_any_number(high: int) -> dict[str, Span]:
    """Of windows and samples, one of them up to `high`, by plain layers with a bias."""
    return {
        "windows": Span(mark("about {n} windows"), 1, 1, high, one=mark("{n} window")),
        "batch": Span(mark("a batch of {n}"), 1, 1, high),
        "kernel": OF_BOTH["kernel"]._replace(common=3, high=0, least=1),
        "out_channels": OF_BOTH["out_channels"],
    }


def large_case(row: Row) -> Case:
    """The case of a row of windows that fill an image as high as wide, or nearly so."""
    h, k = math.isqrt(row["windows"]), row["kernel"]
    return Case(
        "drawn",
        (1, row["out_channels"]),
        k,
        (row["batch"], h + k - 1, row["windows"] // h + k - 1),
    )


@functools.cache  # checks share them
def drawn(max_work: int) -> list[Ranges[Case]]:
    """Geometries of pairs, many windows and, where there is time for more, one number for both axes."""
    pairs = Ranges(SPANS | OF_AN_AXIS, drawn_case, work, max_work)
    large = Ranges(
        of_any_number(5000 if max_work < MAX_WORK else 9000),
        large_case,
        lambda row: math.prod(row.values()) * row["kernel"],
        max(max_work, 5000),
        "drawn_large",
    )
    if max_work < MAX_WORK:
        return [pairs, large]
    return [pairs, Ranges(OF_BOTH, drawn_case, work, max_work, "drawn_square"), large]


Test = Callable[[Student, Sampler, Case], None]


def confirmed(
    failure: CheckFailed,
    again: Callable[[Student, Sampler, Case], Answered],
    student: Student,
    sampler: Sampler,
    case: Case,
) -> CheckFailed:
    """The same failure; its cause has to explain what all cases are answered, if it can be one of them."""
    one = partial(again, student, sampler)

    def found() -> Cause | None:
        own, answer = failure.cause, one(case)
        if is_right(answer) or own not in {cause for cause, _ in answer[2]}:
            return own
        if cause := diagnose_all(asked(one, case)):
            return cause
        wrong = [answer for answer in asked(one, case) if not is_right(answer)]
        # Of one geometry alone, a wrong order may look like another.
        told = len(wrong) == 1 or sum(is_explained(answer, own) for answer in wrong) > 1
        return partly(own) if told else None

    return failure.instead(found)


def is_right(answer: Answered) -> bool:
    """Whether an answer is right."""
    got, expected, _ = answer
    return isinstance(got, torch.Tensor) and same(got, expected)


def is_explained(answer: Answered, cause: Cause | None) -> bool:
    """Whether a cause explains an answer."""
    got, expected, candidates = answer
    own = (candidate for candidate in candidates if candidate.cause == cause)
    return isinstance(got, torch.Tensor) and diagnose(got, expected, own) is not None


def asked(again: Callable[[Case], Answered], case: Case) -> Iterator[Answered]:
    """This case and all others, one after the other; those at which the submission raises tell nothing."""
    for one in (case, *CASES):
        with suppress(CheckFailed):
            yield again(one)


def explained(
    test: Test, explain: Callable[[CheckFailed, Student, Sampler, Case], CheckFailed]
) -> Test:
    """The same test, whose failures are those that `explain` makes of its own."""

    @functools.wraps(test)
    def judged(student: Student, sampler: Sampler, case: Case) -> None:
        try:
            test(student, sampler, case)
        except CheckFailed as failure:
            raise explain(failure, student, sampler, case) from None

    return judged


def by_case(
    max_work: int = MAX_WORK, again: Callable[[Student, Sampler, Case], Answered] | None = None
) -> Callable[[Test], Test]:
    """Over all cases, and drawn ones; where one fails although another function is to blame, say so.

    `again` asks the question of a case once more: where several causes explain a wrong answer, those of other
    cases tell.
    """

    def explain(
        failure: CheckFailed, student: Student, sampler: Sampler, case: Case
    ) -> CheckFailed:
        own = confirmed(failure, again, student, sampler, case) if again else failure
        part = own.because(wrong_part(student, sampler, case))
        return part.beside(partial(too_short, student, failure.quoted, case))

    over_all = over_geometries(*CASES, drawn=drawn(max_work))
    return lambda test: over_all(explained(test, explain))


def over_geometries(
    *cases: Case, drawn: Sequence[Ranges[Case]] = (), forward: bool = False
) -> Callable[[Test], Test]:
    """Over these cases, and drawn ones; where one fails for its pairs of numbers, say so.

    Args:
        forward: whether a forward pass is judged; where that fails for another function, say so.
    """

    def explain(
        failure: CheckFailed, student: Student, sampler: Sampler, case: Case
    ) -> CheckFailed:
        part = failure.because(wrong_part(student, sampler, case) if forward else None)
        return part.because(partial(pairs_refused, student, case, failure))

    over_cases = one_by_one("case", cases, traits, lambda case: case.name, drawn, group)
    return lambda test: over_cases(explained(test, explain))


def pairs_refused(student: Student, case: Case, failure: CheckFailed) -> Cause | None:
    """What it means if the layer or function raises for (2, 2) where it takes 2."""
    if group(case) != PAIRS or not failure.quoted:
        return None
    of_layer = student.asked.startswith("Custom")
    both = [
        Case("", (1, 1), 2, (1, 4, 4)),
        Case("", (1, 1), (2, 2), (1, 4, 4), (1, 1), (0, 0), (1, 1)),
    ]
    for asked in both:
        x = torch.ones(asked.input_shape(), dtype=torch.float64)
        try:
            if of_layer:
                asked.layer(student.CustomConv2d).settle()
            else:
                student.im2col(x, *im2col_arguments(asked))
        except CheckFailed as refused:
            pair = asked is both[1] and refused.quoted
            return PAIR if pair else None
    return None


def axes(case: Case) -> list[tuple[int, ...]]:
    """Of either axis, what output_size takes."""
    return list(zip(case.shape[1:], *case.geometry(), strict=True))


def windows_along(n: int, k: int, s: int, p: int, d: int) -> int:
    """How many windows there are along an axis."""
    return (n + 2 * p - d * (k - 1) - 1) // s + 1


def wrong_part(student: Student, sampler: Sampler, case: Case) -> Why:
    """What is wrong with output_size or im2col for the case of a layer that was asked for its output."""
    if ".load_state_dict(" in student.asked:
        return None
    of_layer = student.asked.startswith("Custom")

    def found() -> Cause | None:
        size = wrong_size(student, case)
        return size or (wrong_columns(student, sampler, case) if of_layer else None)

    return found


def wrong_columns(student: Student, sampler: Sampler, case: Case) -> Cause | None:
    """What is wrong with the student's own im2col for this case, if anything."""
    again = partial(matrix, student, sampler)
    try:
        got, expected, _ = again(case)
    except CheckFailed:
        return None
    if not isinstance(got, torch.Tensor) or same(got, expected):
        return None
    return diagnose_all(asked(again, case)) or why(
        "conv2d.im2col.wrong",
        "im2col returns another matrix than it should here: see its check. Put that right first.",
    )


def wrong_size(student: Student, case: Case) -> Cause | None:
    """What is wrong with the student's own output_size for this case, if anything."""
    for n, *geometry in axes(case):
        try:
            got = student.output_size(n, *geometry)
        except CheckFailed:
            return None
        if type(got) is int and got != (right := windows_along(n, *geometry)):
            return why(
                "conv2d.size.wrong",
                "output_size counts {got} windows here along {n} pixels; there are {right}. Put that right first.",
                got=got,
                n=n,
                right=right,
            )
    return None


def too_short(student: Student, quoted: Sequence[str], case: Case) -> Cause | None:
    """What it means if im2col raises, as every tap sees one window too few along an axis, or along both."""
    try:
        student.im2col(torch.zeros(case.input_shape()), *im2col_arguments(case))
    except CheckFailed as failure:
        if not failure.quoted:
            return None
    else:
        return None
    failed = re.search(r"invalid for input of size (\d{1,15})", "\n".join(quoted))
    rows, columns = (windows_along(*axis) for axis in axes(case))
    values = math.prod((case.shape[0], case.channels[0], *case.geometry().kernel))
    for seen in ((rows - 1, columns - 1), (rows - 1, columns), (rows, columns - 1)):
        if failed and int(failed[1]) == values * math.prod(seen):
            return why(
                "conv2d.im2col.slice_too_short",
                "Every tap of the kernel sees {seen} windows; there are {right}. The stop of a slice is not "
                "part of it.",
                seen=f"{seen[0]}x{seen[1]}",
                right=f"{rows}x{columns}",
            )
    return None


both_biases = pytest.mark.parametrize("bias", [True, False], ids=["bias", "no_bias"])
PAIR = why(
    "conv2d.geometry.pair",
    "kernel_size, stride, padding and dilation may each be one number, or a pair (vertical, horizontal).",
)
CPU_PATH = why(
    "conv2d.convolution_on_cpu",
    "On the CPU the work is im2col and a product; F.conv2d is for CUDA tensors alone.",
)
PLAIN = Case("plain", (2, 3), 3, (2, 5, 4))
WATCHED = [
    case for case in CASES if case.name in ("one_by_one", "square_kernel", "everything", "offset")
]


def make(student: Student, sampler: Sampler, case: Case, **kwargs: bool) -> tuple[Layer, nn.Conv2d]:
    """A layer of the student's with the oracle's random weights."""
    oracle = sampler.fill(case.layer(nn.Conv2d))
    layer: Layer = case.layer(student.CustomConv2d, **kwargs)
    layer.load(oracle)
    return layer, oracle


def methods(sampler: Sampler, case: Case) -> Sequence[str]:
    """Those that a case asks about: either of them, or one by chance where there are many cases."""
    return METHODS if case in CASES else METHODS[sampler.seed() % 2 :][:1]


SIZES: list[Axis] = [  # size, kernel_size, stride, padding, dilation
    (28, 3, 1, 1, 1),
    (5, 5, 1, 0, 1),
    (7, 2, 3, 0, 1),
    (10, 3, 2, 0, 1),
    (9, 3, 2, 2, 1),
    (12, 2, 1, 0, 3),
    (11, 3, 2, 1, 4),
    (4, 1, 5, 0, 1),
    (6, 4, 3, 3, 2),
    (224, 7, 2, 3, 1),
    (2, 3, 2, 0, 1),
]


def drawn_axis(row: Row) -> list[Axis]:
    """The axis of a row, alone."""
    return [axis_of(row, "h")]


DRAWN_SIZES = Ranges(
    {
        "windows": Span(mark("{n} windows"), 1, 4, 4096, one=mark("{n} window")),
        "kernel": Span(mark("a kernel size of {n}"), 1, 4, 128),
        "stride": Span(mark("a stride of {n}"), 1, 4, 64),
        "padding": Span(mark("a padding of {n}"), 0, 4, 64),
        "dilation": Span(mark("a dilation of {n}"), 1, 4, 64),
        "rest": Span(mark("{n} pixels left over"), 0, 4, one=mark("{n} pixel left over")),
    },
    drawn_axis,
)


@one_by_one("sizes", [SIZES], lambda sizes: [], lambda sizes: "sizes", [DRAWN_SIZES])
def test_output_size(student: Student, sampler: Sampler, sizes: Sequence[Axis]) -> None:
    """output_size counts the windows along one axis, rounding down.

    handouts/conv2d.md, "The arithmetic, worked".
    """
    counts = []
    for n, k, s, p, d in sizes:
        expected = windows_along(n, k, s, p, d)
        rule = f"⌊({n} + 2·{p} - {d}·({k} - 1) - 1) / {s}⌋ + 1"
        what = tr("The number of windows, {rule},", rule=rule)
        for got in (
            student.output_size(n, k, s, p, d),
            student.output_size(n, k, stride=s, padding=p, dilation=d),
        ):
            candidates = partial(misconceptions.of_size, n, k, s, p, d)
            counts.append(Count(what, got, expected, candidates))
    student.asked = plural(
        "output_size by position and by keyword, for {count} geometry",
        "output_size by position and by keyword, for {count} geometries",
        len(sizes),
    )
    compare_counts(counts, whole=True)
    for n, k in ((n, k) for n, k, *_ in sizes if n >= k):
        plain = student.output_size(n, k)
        compare_number(f"output_size({n}, {k})", plain, n - k + 1, whole=True)


TWINS = [  # size, kernel, stride, padding, dilation: pairs that agree in all but one or two of these
    (7, 2, 1, 0, 2),
    (6, 2, 1, 0, 1),
    (7, 2, 1, 0, 1),
    (7, 2, 2, 1, 2),
    (7, 2, 2, 1, 1),
    (7, 3, 1, 1, 2),
    (7, 3, 1, 0, 1),
    (8, 3, 1, 1, 1),
    (6, 3, 1, 2, 1),
    (10, 3, 1, 0, 1),
]


def unfolded(x: Tensor, case: Case) -> Tensor:
    """What im2col has to return."""
    return F.unfold(x, case.kernel, case.dilation, case.padding, case.stride)


def candidates(x: Tensor, case: Case) -> Iterator[Candidate]:
    """What else im2col could have returned."""
    laid_out = Input(x.detach(), case.layout).laid_out()
    return misconceptions.of_columns(laid_out, case.geometry())


def im2col_arguments(case: Case) -> tuple[Pair, Pair, Pair, Pair]:
    """The geometry, as im2col takes it."""
    return case.kernel, case.stride, case.padding, case.dilation


def matrix(student: Student, sampler: Sampler, case: Case) -> Answered:
    """What im2col makes of a case, for by_case."""
    given = case.input(sampler)
    x = given.tensor
    got = student.im2col(given, *im2col_arguments(case))
    return got, unfolded(x, case), candidates(x, case)


@by_case(again=matrix)
def test_im2col(student: Student, sampler: Sampler, case: Case) -> None:
    """im2col returns every window as a column, in F.unfold's order.

    handouts/conv2d.md, "The arithmetic, worked": rows run over channel, kernel row, kernel column.
    """
    given = case.input(sampler)
    x = given.tensor
    answered = student.calling("im2col", given, *im2col_arguments(case), after=True)
    expected = unfolded(x, case)
    answer = answered()
    compare(tr("the matrix of windows"), answer.value, expected, candidates=candidates(x, case))
    expect(torch.equal(answer.after[0], x), tr("The input was changed by the call."))
    if case is CASES[-1]:
        plain = misconceptions.of_columns(x, Geometry((2, 2), (1, 1), (0, 0), (1, 1)))
        compare(
            tr("the matrix of windows, by default,"),
            student.im2col(x, 2),
            F.unfold(x, 2),
            candidates=plain,
        )
        asked = Geometry((2, 2), (3, 2), (2, 2), (3, 3))
        compare(
            tr("the matrix of windows, by keywords,"),
            student.im2col(x, 2, dilation=3, padding=2, stride=(3, 2)),
            F.unfold(x, 2, 3, 2, (3, 2)),
            candidates=misconceptions.of_columns(x, asked),
        )
        for n, k, s, p, d in (*TWINS, *reversed(TWINS)):
            x = sampler.normal(1, 1, n, n)
            what = tr("the matrix of windows")
            try:
                compare(what, student.im2col(x, k, s, p, d), F.unfold(x, k, d, p, s))
            except CheckFailed as failure:
                known = failure.because(REMEMBERED)
                raise known.knowing(tr("All cases before, asked once each.")) from None


@by_case(max_work=4096, again=matrix)
def test_im2col_gradient(student: Student, sampler: Sampler, case: Case) -> None:
    """The gradient of im2col adds up where windows overlap.

    handouts/conv2d.md, "What trips people up": a pixel is in several windows, and each sends its
    share of the gradient back.
    """
    x = case.input(sampler).tensor.requires_grad_()
    columns = unfolded(x, case)
    upstream = sampler.normal(*columns.shape)
    given = Input(x.detach(), case.layout, requires_grad=True)
    answered = student.calling("im2col", given, *im2col_arguments(case), upstream=upstream)
    properties.backward(columns, upstream)
    assert x.grad is not None
    answer = answered()
    compare(
        tr("the matrix of windows"), answer.value, columns.detach(), candidates=candidates(x, case)
    )
    expect("input" in answer.gradients, tr("No gradient reaches the input: its .grad is None."))
    compare(
        tr("the gradient of the input"),
        answer.gradients["input"],
        x.grad,
        candidates=misconceptions.of_columns_gradient(x.detach(), case.geometry(), upstream),
    )


def test_im2col_by_hand(student: Student, sampler: Sampler) -> None:
    """im2col gathers the windows itself, without F.unfold, nn.Unfold or a convolution.

    handouts/conv2d.md, "How it is graded": the operators that run are recorded.
    """
    plain = sampler.normal(*PLAIN.input_shape())
    properties.responds(
        lambda x: student.im2col(x, *im2col_arguments(PLAIN)),
        plain,
        tuple(unfolded(plain, PLAIN).shape),
    )

    def watch(case: Case) -> None:
        x = Input(sampler.normal(*case.input_shape()), requires_grad=True)
        upstream = sampler.normal(*unfolded(x.tensor, case).shape)
        answer = properties.watched(
            lambda record: student.call(
                "im2col", x, *im2col_arguments(case), upstream=upstream, watch=record
            ),
            sampler,
        )
        properties.by_hand(student, answer.seen, UNFOLD, CONVOLUTION)

    watch(PLAIN)
    for case in WATCHED:
        with properties.judged_elsewhere():
            watch(case)


@over_geometries(
    Case("bias", (2, 7), 3, (1, 4, 4)),
    Case("no_bias", (2, 7), 3, (1, 4, 4), bias=False),
    Case("pair", (3, 5), (2, 4), (1, 4, 4)),
    Case("pair_no_bias", (3, 5), (2, 4), (1, 4, 4), bias=False),
)
def test_registration(student: Student, sampler: Sampler, case: Case) -> None:
    """weight and bias are registered as nn.Conv2d registers them.

    handouts/conv2d.md, "What is asked": the weight is (out_channels, in_channels, KH, KW).
    """
    bias = case.bias
    properties.registered_like(
        nn.Conv2d(*case.channels, case.kernel, bias=bias),
        student.CustomConv2d(*case.channels, case.kernel, bias=bias),
        optional=("bias",),
    )
    if group(case) == PAIRS:
        return
    properties.registered_like(
        nn.Conv2d(2, 3, 1, dtype=torch.float64, bias=bias),
        student.CustomConv2d(2, 3, 1, dtype=torch.float64, bias=bias),
        optional=("bias",),
    )
    for make in (
        lambda: student.CustomConv2d(2, 3, 1, 1, 0, 1, bias, None, torch.float64),
        lambda: student.create("CustomConv2d", (2, 3, 1), {"bias": bias}, 0, torch.float64),
    ):
        properties.registered_like(
            nn.Conv2d(2, 3, 1, dtype=torch.float64, bias=bias), make(), optional=("bias",)
        )
    if bias:  # as it is by default
        properties.has_bias_by_default(nn.Conv2d(2, 3, 1), student.CustomConv2d(2, 3, 1))


def output(student: Student, sampler: Sampler, case: Case) -> Answered:
    """What forward_im2col makes of a case, for by_case."""
    layer, oracle = make(student, sampler, case)
    given = case.input(sampler)
    got = layer.run(given, method="forward_im2col", grad=False).value
    return got, oracle(given.tensor), registry.of_output(oracle, given.laid_out())


@by_case(again=output)
def test_forward(student: Student, sampler: Sampler, case: Case) -> None:
    """forward_im2col and forward both equal nn.Conv2d's output.

    handouts/conv2d.md, "The arithmetic, worked".
    """
    layer, oracle = make(student, sampler, case)
    for method in methods(sampler, case):
        x = case.input(sampler)

        def other_is_right(x: Input = x) -> Cause | None:
            """What it means if the other method is right for the same input."""
            with torch.no_grad():
                right = same(layer(x, "forward_im2col"), oracle(x.tensor))
            return ONE_OF_TWO if right else None

        try:
            properties.forward(layer, oracle, x, method=method)
        except CheckFailed as failure:
            raise failure.beside(other_is_right if method == "forward" else None) from None


def test_forward_float32(student: Student, sampler: Sampler) -> None:
    """The output equals nn.Conv2d's in float32, the dtype it is used in.

    handouts/conv2d.md, "What trips people up".
    """
    case = Case("float32", (8, 6), 3, (2, 5, 4), padding=1)  # small: slow loops ask it ten times
    oracle = sampler.fill(nn.Conv2d(8, 6, 3, padding=1)).float()
    layer: Layer = student.CustomConv2d(8, 6, 3, padding=1)
    layer.load(oracle)
    for method in METHODS:
        x = sampler.normal(*case.input_shape(), dtype=torch.float32)
        try:
            properties.forward(layer, oracle, Input(x), tolerance=FLOAT32, method=method)
        except CheckFailed as failure:
            raise failure.because(wrong_part(student, sampler, case)) from None
        x = x[..., :3, :3].contiguous()
        properties.passes_large_on(layer, oracle, x, method=method)
        properties.passes_nan_on(layer, oracle, x, method=method)


@by_case(max_work=4096, again=output)  # what is recorded for a backward pass is work, too
def test_gradient_parity(student: Student, sampler: Sampler, case: Case) -> None:
    """The gradients of input, weight and bias equal nn.Conv2d's under a random upstream gradient.

    handouts/conv2d.md, "The idea": the weight meets every window of every sample, so its gradient
    sums over both.
    """
    layer, oracle = make(student, sampler, case, by_name=True)
    for method in methods(sampler, case):
        properties.gradients(layer, oracle, case.input(sampler), sampler, method=method)


@over_geometries(
    Case("bias", (1, 2), 2, (1, 3, 3), padding=1),
    Case("pair", (1, 2), (2, 1), (1, 3, 3), stride=(1, 2), padding=(0, 1)),
    Case("pair_no_bias", (1, 2), (2, 1), (1, 3, 3), stride=(1, 2), padding=(0, 1), bias=False),
    forward=True,
)
def test_gradcheck(student: Student, sampler: Sampler, case: Case) -> None:
    """The backward pass is the derivative of the layer's own forward pass.

    handouts/conv2d.md, "The idea".
    """
    layer, _ = make(student, sampler, case)
    properties.gradcheck(
        layer, sampler.normal(*case.input_shape()), sampler, method="forward_im2col"
    )


def test_by_hand(student: Student, sampler: Sampler) -> None:
    """On the CPU neither a convolution operator nor F.unfold does the work, forward or backward.

    handouts/conv2d.md, "How it is graded": the operators that run are recorded. The fused backend
    is for CUDA tensors.
    """
    layer, oracle = make(student, sampler, PLAIN)
    for method in METHODS:
        x = sampler.normal(*PLAIN.input_shape())
        properties.responds(partial(layer, method=method), x, tuple(oracle(x).shape))

    def watch(case: Case, mode: str = "train") -> None:
        layer, oracle = make(student, sampler, case)
        layer.do(mode)
        x = sampler.normal(*case.input_shape())
        upstream = sampler.normal(*oracle(x).shape)
        for method in METHODS:
            both = (upstream, None)
            for given in both if case is PLAIN else both[sampler.seed() % 2 :][:1]:
                grad = given is not None
                asked = partial(layer.run, x, given, method=method, grad=grad)
                answer = properties.watched(lambda record: asked(watch=record), sampler)  # noqa: B023
                properties.by_hand(student, answer.seen, CONVOLUTION, cause=CPU_PATH)
                properties.by_hand(student, answer.seen, UNFOLD)

    watch(PLAIN)
    watch(PLAIN, "eval")
    for case in WATCHED:
        with properties.judged_elsewhere():
            watch(case)
    expect(
        not any(base.startswith("torch.nn.modules.conv") for base in layer.made.bases),
        tr("CustomConv2d inherits from a ready-made layer of torch.nn."),
        cause=misconceptions.INHERITED,
    )


NEW = [
    Case("bias", (5, 300), 5, (1, 4, 4)),
    Case("pair", (5, 1000), (4, 7), (1, 4, 4)),
    Case("pair_no_bias", (60, 20), (4, 7), (1, 4, 4), bias=False),
]
MANY = 500
"""Values of a weight that show how it was drawn."""


def drawn_layer(row: Row) -> Case:
    """The layer of a row, which has the fan_in or the number of outputs, with many values."""
    kernel = row.get("kernel_h", 2), row.get("kernel_w", 1)
    channels = row.get("in_channels") or math.ceil(MANY / row["out_channels"])
    outputs = row.get("out_channels") or math.ceil(MANY / (channels * math.prod(kernel)))
    return Case("drawn", (channels, outputs), kernel, (1, 1, 1), bias=not row["plain"])


@over_geometries(
    *NEW,
    drawn=[
        Ranges(
            {name: (SPANS | OF_AN_AXIS)[name] for name in names},
            drawn_layer,
            lambda row: (
                math.prod(drawn_layer(row).channels) * math.prod(drawn_layer(row).geometry().kernel)
            ),
            name=f"drawn_{names[0]}",
        )
        for names in (("in_channels", "kernel_h", "kernel_w", "plain"), ("out_channels", "plain"))
    ],
)
def test_initialisation(student: Student, sampler: Sampler, case: Case) -> None:
    """Weight and bias of each new layer are drawn from U(±1/√fan_in).

    handouts/conv2d.md, "What trips people up": fan_in counts the taps of the kernel too.
    """
    oracle = case.layer(partial(nn.Conv2d, device="meta"))
    bound = oracle.weight[0].numel() ** -0.5
    if case in NEW:
        properties.initialised_uniformly(
            lambda seed: case.layer(partial(student.CustomConv2d, seed=seed)),
            oracle,
            bound,
            sampler,
        )
    else:
        layer: Layer = case.layer(partial(student.CustomConv2d, seed=sampler.seed()))
        properties.begins_uniform(layer, oracle, bound)


@over_geometries(
    Case("bias", (2, 3), 3, (2, 5, 6), stride=2, padding=1),
    Case("pair_no_bias", (2, 3), (2, 3), (2, 5, 6), (2, 1), (1, 0), bias=False),
    forward=True,
)
def test_trains(student: Student, sampler: Sampler, case: Case) -> None:
    """The layer holds no state besides its parameters, and an optimizer can train it.

    handouts/conv2d.md, "What trips people up".
    """
    layer, oracle = make(student, sampler, case)
    properties.follows_its_parameters(layer, oracle, sampler.normal(*case.input_shape()), sampler)
    inputs = [
        sampler.normal(*case.input_shape()),
        sampler.normal(3, 2, 7, 4),
        sampler.normal(1, 2, 4, 5),
    ]
    properties.trains_like(student, layer, oracle, inputs, sampler)
    properties.can_be_copied(layer, oracle, inputs[0], sampler)
    properties.gradients(layer, oracle, Input(inputs[0][:0]), sampler)  # an empty batch
    for name in list(oracle.state_dict()):
        layer, oracle = make(student, sampler, case)
        properties.gradients_with_frozen(layer, oracle, name, inputs[0], sampler)
    for method in METHODS:
        layer, oracle = make(student, sampler, case)
        properties.gradients_with_zeros(layer, oracle, inputs[0], sampler, method)


ON_GPU = [
    case for case in CASES if case.name in ("channels", "wide_kernel", "everything", "strided")
]


@over_geometries(*ON_GPU, forward=True)
def test_simulated_gpu(student: Student, sampler: Sampler, case: Case) -> None:
    """On a GPU, a simulated one, the layer stays there, and output and gradients are nn.Conv2d's.

    handouts/conv2d.md, "What is asked": forward may take the fused backend there, F.conv2d; the result
    is the same.
    """
    for method in METHODS:
        layer, oracle = make(student, sampler, case)
        x = Input(sampler.normal(*case.input_shape()), case.layout)
        try:
            properties.gradients(layer, oracle, x, sampler, method, on_gpu=True)
        except CheckFailed as failure:
            raise confirmed(failure, output, student, sampler, case) from None


@over_geometries(
    Case("bias", (2, 3), 3, (2, 7, 8), 2, 1, 2),
    Case("pair_no_bias", (2, 3), (3, 2), (2, 7, 8), (2, 1), (1, 2), (1, 2), bias=False),
    forward=True,
)
def test_meta_device(student: Student, sampler: Sampler, case: Case) -> None:
    """The layer makes no tensor of its own on the CPU, so it would run on a GPU.

    handouts/conv2d.md, "How it is graded": the meta device has shapes but no memory, and refuses
    to mix with CPU tensors.
    """
    shape = tuple(case.layer(nn.Conv2d)(torch.zeros(case.input_shape())).shape)
    made: Layer = case.layer(student.CustomConv2d, device="meta")
    properties.lies_on(made.made, "meta")
    moved: Layer = case.layer(student.CustomConv2d)
    properties.lies_on(moved.to("meta"), "meta")
    for layer in (made, moved):
        for method in METHODS:
            properties.meta_output(layer, Meta(case.input_shape()), shape, method=method)


@pytest.mark.parametrize("case", ON_GPU, ids=lambda case: case.name)
def test_gpu_parity(student: Student, sampler: Sampler, case: Case) -> None:
    """On the GPU, in float64 and in float32, nothing is carried away; output and gradients are nn.Conv2d's.

    handouts/conv2d.md, "What is asked": forward may take the fused backend there, F.conv2d; the result
    is the same.
    """
    for method in METHODS:
        layer, oracle = make(student, sampler, case)
        shape = case.input_shape()
        properties.gradients(
            layer, oracle, Input(sampler.normal(*shape), case.layout), sampler, method, on_gpu=True
        )
        single = Input(sampler.normal(*shape, dtype=torch.float32), case.layout)
        layer.load(oracle.float())
        properties.gradients(
            layer, oracle, single, sampler, method, on_gpu=True, tolerance=GPU_FLOAT32
        )


@both_biases
def test_gpu_state(student: Student, sampler: Sampler, bias: bool) -> None:
    """The state dict goes from the CPU to the GPU and back, and the layer works on either device.

    handouts/conv2d.md, "What trips people up": whatever is kept beside the parameters stays behind.
    """
    case = Case("gpu", (2, 3), (3, 2), (2, 6, 5), padding=(1, 0), bias=bias)
    for method in METHODS:
        layer, oracle = make(student, sampler, case)
        properties.survives_transfers(
            layer, oracle, sampler.normal(*case.input_shape()), sampler, method
        )


def test_gpu_streams(student: Student, sampler: Sampler) -> None:
    """On another CUDA stream than the default one the layer works there, too.

    handouts/conv2d.md, "The idea": the layer is arithmetic, and leaves the order of work to torch.
    """
    for method in METHODS:
        layer, oracle = make(student, sampler, PLAIN)
        properties.keeps_to_the_stream(layer, oracle, sampler.normal(*PLAIN.input_shape()), method)


@pytest.mark.parametrize("dtype", HALF, ids=lambda dtype: str(dtype).removeprefix("torch."))
def test_gpu_half(student: Student, sampler: Sampler, dtype: torch.dtype) -> None:
    """On the GPU the layer computes in float16 and bfloat16, too.

    handouts/conv2d.md, "What trips people up": the dtype is the input's, never one of forward's own.
    """
    case = Case("gpu", (8, 6), 3, (4, 9, 8), padding=1)
    for method in METHODS:
        layer, oracle = make(student, sampler, case)
        properties.half_forward(layer, oracle, sampler.normal(*case.input_shape()), dtype, method)
