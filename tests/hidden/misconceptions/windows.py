"""What can go wrong with sliding windows: im2col and the convolution."""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autograder.report import Cause
from autograder.suite.candidates import Candidate, candidates_of, table, then
from autograder.suite.failures import why
from autograder.suite.outputs import (
    gradient,
    misread,
    of_any_gradient,
    of_any_output,
    of_bias,
)
from autograder.suite.registry import as_function_of, candidates_for_gradient, candidates_for_output
from tower_student.language import mark, tr

from misconceptions.linear import BIAS_ALONG_THE_WRONG_DIMENSION

Pair = tuple[int, int]


class Geometry(NamedTuple):
    """Of a window: each a (vertical, horizontal) pair."""

    kernel: Pair
    stride: Pair
    padding: Pair
    dilation: Pair


def pair(value: int | Pair) -> Pair:
    """One number stands for both axes."""
    return (value, value) if isinstance(value, int) else value


Windows = Callable[[], Tensor]
"""Computes (N, C, KH, KW, OH, OW)."""
STRIDE_AND_DILATION = why(
    "conv2d.stride.exchanged_with_dilation", "Stride and dilation are exchanged."
)
MERGED = why("conv2d.im2col.samples_merged", "The samples of the batch are merged into one.")
SIDES_OF_INPUT_EXCHANGED = why(
    "conv2d.input.sides_exchanged", "Height and width of the input are exchanged."
)
ORDER_OF_SIDES = why(
    "conv2d.padding.order_of_sides",
    "F.pad takes (left, right, top, bottom), beginning with the last dimension.",
)


def ignored(name: str) -> Cause:
    """The stride, padding or dilation."""
    return why(f"conv2d.{name}.ignored", "The {name} is ignored.", name=name)


def windows(x: Tensor, geometry: Geometry) -> Tensor:
    """Every window: (N, C, H, W) → (N, C, KH, KW, OH, OW)."""
    kernel, stride, padding, dilation = geometry
    columns = F.unfold(x, kernel, dilation, padding, stride)
    sizes = [
        (size + 2 * p - d * (k - 1) - 1) // s + 1
        for size, k, s, p, d in zip(x.shape[-2:], kernel, stride, padding, dilation, strict=True)
    ]
    return columns.reshape(*x.shape[:2], *kernel, *sizes)


def _wrong_windows(x: Tensor, geometry: Geometry) -> Iterator[tuple[Cause, Windows]]:
    """Pairs of a cause and the windows it leads to."""
    rows, columns = windows(x, geometry).shape[-2:]

    def cropped(these: Tensor) -> Tensor:
        return these[..., :rows, :columns]

    for name in ("stride", "padding", "dilation"):
        for cause, other in _wrong_pairs(name, getattr(geometry, name)):
            wrong = partial(windows, x, geometry._replace(**{name: other}))
            yield cause, wrong
            if name != "padding":  # the right number of windows, counted elsewhere
                yield cause, then(cropped, wrong)
    kh, kw = geometry.kernel
    for cause, kernel in table(
        "conv2d.kernel",
        sides_exchanged=("Height and width of the kernel are exchanged.", (kw, kh)),
        height_for_both=("The height of the kernel is used for both sides.", (kh, kh)),
        width_for_both=("The width of the kernel is used for both sides.", (kw, kw)),
    ):
        yield cause, partial(windows, x, geometry._replace(kernel=kernel))
    exchanged = geometry._replace(stride=geometry.dilation, dilation=geometry.stride)
    yield STRIDE_AND_DILATION, partial(windows, x, exchanged)
    yield STRIDE_AND_DILATION, then(cropped, partial(windows, x, exchanged))
    kernel_strides = geometry._replace(stride=geometry.kernel)
    yield from table(
        "conv2d.stride",
        kernel_size=("The stride is taken from the kernel's size.",
            partial(windows, x, kernel_strides)),
    )  # fmt: skip
    yield SIDES_OF_INPUT_EXCHANGED, partial(windows, x.transpose(-1, -2), geometry)
    yield from _wrongly_padded(x, geometry)
    yield from _wrongly_sliced(x, geometry)
    for cause, read in misread(x).items():
        yield cause, then(partial(windows, geometry=geometry), read)
    for cause, given in table(
        "conv2d",
        channels__reversed=("The channels run in reverse order.", x.flip(1)),
        channels__first_for_all=("The first channel stands for all.", x[:, :1].expand_as(x)),
        channels__mean_for_all=("The mean of the channels stands for each of them.",
            x.mean(1, keepdim=True).expand_as(x)),
        batch__first_for_all=("The first sample of the batch stands for all.", x[:1].expand_as(x)),
        batch__reversed=("The samples of the batch run in reverse order.", x.flip(0)),
    ):  # fmt: skip
        yield cause, partial(windows, given, geometry)


def _wrong_pairs(name: str, value: Pair) -> Iterator[tuple[Cause, Pair]]:
    """Instead of a stride, padding or dilation."""
    none = 0 if name == "padding" else 1
    vertical, horizontal = value
    yield ignored(name), (none, none)
    yield from table(
        f"conv2d.{name}",
        {"name": name},
        axes_exchanged=("The {name} is exchanged between height and width.",
            (horizontal, vertical)),
        vertical_for_both=("The vertical {name} is used for both axes.", (vertical, vertical)),
        horizontal_for_both=("The horizontal {name} is used for both axes.",
            (horizontal, horizontal)),
        vertical_ignored=("The {name} of the vertical axis is ignored.", (none, horizontal)),
        horizontal_ignored=("The {name} of the horizontal axis is ignored.", (vertical, none)),
        twice=("The {name} is applied twice.", (2 * vertical, 2 * horizontal)),
        too_large=("The {name} is one too large.", (vertical + 1, horizontal + 1)),
        too_small=("The {name} is one too small.", (vertical - 1, horizontal - 1)),
    )  # fmt: skip


def _wrongly_padded(x: Tensor, geometry: Geometry) -> Iterator[tuple[Cause, Windows]]:
    ph, pw = geometry.padding
    bare = geometry._replace(padding=(0, 0))

    def padded(
        sides: tuple[int, int, int, int], mode: str = "constant", value: float | None = None
    ) -> Windows:
        return lambda: windows(F.pad(x, sides, mode, value), bare)

    def filled(*axes: int) -> Tensor:
        mean = x.mean(axes, keepdim=True)
        return windows(F.pad(x - mean, both) + mean, bare)

    both = (pw, pw, ph, ph)
    yield from table(
        "conv2d.padding",
        bottom_right_only=("The input is padded at the bottom and right only.",
            padded((0, 2 * pw, 0, 2 * ph))),
        top_left_doubled=(
            "At the top and left the padding is twice what it should be: F.pad takes a number for each side.",
            padded((2 * pw, 0, 2 * ph, 0))),
        top_left_only=("The input is padded at the top and left only; all four sides need it.",
            padded((pw, 0, ph, 0))),
        top_left_missing=("Padding at the top and left is missing.", padded((0, pw, 0, ph))),
        order_of_pairs=("The pairs given to F.pad are in the wrong order: it begins with the last dimension.",
            padded((ph, ph, pw, pw))),
        edge_repeated=("The padding repeats the edge of the image instead of being zeros.",
            padded(both, "replicate")),
        edge_mirrored=("The padding mirrors the edge of the image instead of being zeros.",
            padded(both, "reflect")),
        wrapped_around=("The padding wraps around instead of being zeros.",
            padded(both, "circular")),
        ones=("The padding is filled with ones instead of zeros.", padded(both, value=1.0)),
        minus_one=("The padding is filled with -1 instead of zeros.", padded(both, value=-1.0)),
        minus_infinity=("The padding is filled with -∞ instead of zeros.",
            padded(both, value=-math.inf)),
        order_of_sides=(ORDER_OF_SIDES, padded((ph, pw, ph, pw))),
        order_of_axes=(ORDER_OF_SIDES, padded((pw, ph, pw, ph))),
        mean_of_image=("The padding is filled with each image's mean instead of zeros.",
            lambda: filled(1, 2, 3)),
        mean_of_channel=("The padding is filled with each channel's mean instead of zeros.",
            lambda: filled(2, 3)),
        mean_of_input=("The padding is filled with the input's mean instead of zeros.",
            lambda: windows(F.pad(x, both, "constant", float(x.mean())), bare)),
    )  # fmt: skip


def _wrongly_sliced(x: Tensor, geometry: Geometry) -> Iterator[tuple[Cause, Windows]]:
    """Windows counted as if they were more or fewer than they are."""
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = geometry
    bare = geometry._replace(padding=(0, 0))

    def ceiled() -> Tensor:
        h, w = x.shape[-2] + 2 * ph, x.shape[-1] + 2 * pw
        more_h = -(h - dh * (kh - 1) - 1) % sh
        more_w = -(w - dw * (kw - 1) - 1) % sw
        return windows(F.pad(x, (pw, pw + more_w, ph, ph + more_h)), bare)

    def side_by_side() -> Tensor:
        rows, columns = windows(x, geometry).shape[-2:]
        wide = F.pad(x, (pw, pw + columns * kw, ph, ph + rows * kh))
        return windows(wide, bare._replace(stride=(kh, kw)))[..., :rows, :columns]

    yield from table(
        "conv2d.windows",
        rounded_up=("The number of windows is rounded up: a window that hangs over the edge is counted.",
            ceiled),
        side_by_side=(
            "The windows stand side by side; they overlap where the stride is smaller than the kernel.",
            side_by_side),
        last_missing=("The last window along each axis is missing.",
            lambda: windows(x, geometry)[..., :-1, :-1]),
        last_row_missing=("The last row of windows is missing.",
            lambda: windows(x, geometry)[..., :-1, :]),
        last_column_missing=("The last column of windows is missing.",
            lambda: windows(x, geometry)[..., :-1]),
    )  # fmt: skip


AXES = (
    mark("channel"),
    mark("kernel row"),
    mark("kernel column"),
    mark("window row"),
    mark("window column"),
    mark("sample"),
)


def of_columns(x: Tensor, geometry: Geometry) -> Iterator[Candidate]:
    """What im2col could have returned instead of F.unfold's matrix."""

    def columns(these: Tensor) -> Tensor:
        return these.flatten(1, 3).flatten(2)

    for cause, wrong in _wrong_windows(x, geometry):
        yield Candidate(cause, then(columns, wrong))
    right = columns(windows(x, geometry))
    yield from candidates_of(
        "conv2d.im2col",
        transposed=("The matrix is transposed: it is (N, L, C·KH·KW), and should be (N, C·KH·KW, L).",
            lambda: right.transpose(1, 2)),
        transposed_by_view=(
            "The matrix is transposed by a view or reshape, which leaves the values where they were.",
            lambda: right.transpose(1, 2).reshape(right.shape)),
        merged=(MERGED, lambda: right.flatten(0, 1)),
        merged_transposed=(MERGED, lambda: right.transpose(0, 1).flatten(1)),
        batch_missing=("The dimension of the batch is missing.", lambda: right[0]),
    )  # fmt: skip
    for cause, wrong in (*_wrongly_ordered(x, geometry), *_wrongly_stacked(x, geometry)):
        yield Candidate(cause, then(partial(torch.reshape, shape=right.shape), wrong))
    yield from candidates_of(
        "conv2d.im2col",
        taps_reversed=("The taps run backwards within each column.",
            lambda: columns(windows(x, geometry).flip(2, 3))),
    )  # fmt: skip
    yield from of_any_output(lambda: right)


def _wrongly_ordered(x: Tensor, geometry: Geometry) -> Iterator[tuple[Cause, Windows]]:
    """The windows with their axes in every other order, to be reshaped as if it were the right one."""
    right = partial(windows, x, geometry)
    for order in itertools.permutations(range(5)):
        if order == (0, 1, 2, 3, 4):
            continue
        rows, columns = order[:3], order[3:]
        if set(rows) != {0, 1, 2}:
            cause = why(
                "conv2d.im2col.order",
                "The windows lie in the order {order} and are reshaped as if it were channel, kernel row, "
                "kernel column, window row, window column: permute them first.",
                order=_names(order),
            )
        elif columns == (3, 4):
            cause = why(
                "conv2d.im2col.order_of_rows",
                "The rows run over {rows}, not over channel, kernel row, kernel column: what is outermost "
                "comes first.",
                rows=_names(rows),
            )
        elif rows == (0, 1, 2):
            cause = why(
                "conv2d.im2col.order_of_columns",
                "The columns run over {columns}, not over window row, window column: what is outermost "
                "comes first.",
                columns=_names(columns),
            )
        else:
            cause = why(
                "conv2d.im2col.order_of_rows_and_columns",
                "The rows run over {rows}, not over channel, kernel row, kernel column and the columns run "
                "over {columns}, not over window row, window column: what is outermost comes first.",
                rows=_names(rows),
                columns=_names(columns),
            )
        moved = (0, *(1 + axis for axis in order))
        yield cause, then(partial(torch.permute, dims=moved), right)


def _wrongly_stacked(x: Tensor, geometry: Geometry) -> Iterator[tuple[Cause, Windows]]:
    """The windows with the samples not in front, to be reshaped as if they were."""
    for order in (
        (1, 2, 5, 0, 3, 4),
        (1, 2, 0, 5, 3, 4),
        (3, 4, 5, 0, 1, 2),
        (0, 1, 2, 5, 3, 4),
        (0, 5, 1, 2, 3, 4),
        (0, 1, 2, 3, 4, 5),
    ):
        moved = [(axis + 1) % len(order) for axis in order]
        yield from table(
            "conv2d.im2col",
            {"order": _names(order)},
            samples_not_first=(
                "The windows lie in the order {order} and are reshaped as if the samples came first: permute them.",
                then(partial(torch.permute, dims=moved), partial(windows, x, geometry))),
        )  # fmt: skip


def _names(axes: Iterable[int]) -> str:
    return ", ".join(tr(AXES[axis]) for axis in axes)


def of_size(n: int, k: int, s: int, p: int, d: int) -> dict[Cause, float]:
    """What output_size could have returned."""
    covered, reach = n + 2 * p, d * (k - 1) + 1
    slack = covered - reach
    return dict(table(
        "conv2d",
        size__rounded_to_zero=(
            "Where no window fits, one is counted: the quotient has to be rounded down, where it is negative too.",
            int(slack / s) + 1),
        size__rounded_up=("The quotient is rounded up: a window that hangs over the edge does not count.",
            -(-slack // s) + 1),
        size__quotient_to_nearest=("The quotient is rounded to the nearest: round down with //.",
            round(slack / s) + 1),
        size__result_to_nearest=("The result is rounded to the nearest: round down with //.",
            round(slack / s + 1)),
        size__one_missing=("The 1 that counts the first window is missing.", slack // s),
        size__one_inside=(
            "The 1 stands inside the division: it is ⌊a / stride⌋ + 1, not ⌊(a + 1) / stride⌋.",
            (slack + 1) // s),
        size__one_twice=("One window too many is counted: the 1 is added twice.",
            slack // s + 2),
        stride__ignored=(ignored("stride"), slack + 1),
        padding__ignored=(ignored("padding"), (n - reach) // s + 1),
        padding__one_side=("The padding is counted on one side only: it is added at both ends.",
            (n + p - reach) // s + 1),
        padding__counted_twice=("The padding is counted twice at both ends.",
            (slack + 2 * p) // s + 1),
        padding__subtracted=("The padding is subtracted.", (n - 2 * p - reach) // s + 1),
        window__dilation_ignored=(
            "The dilation is ignored: a window reaches over dilation·(kernel_size - 1) + 1 pixels.",
            (covered - k) // s + 1),
        window__dilation_times_kernel=(
            "A window reaches over dilation·(kernel_size - 1) + 1 pixels, not over dilation·kernel_size.",
            (covered - d * k) // s + 1),
        window__last_pixel_missing=(
            "A window reaches over dilation·(kernel_size - 1) + 1 pixels; the last one is missing here.",
            (slack + 1) // s + 1),
        window__dilation_plus_kernel=(
            "A window reaches over dilation·(kernel_size - 1) + 1 pixels; here over d + k - 1.",
            (covered - d - k + 1) // s + 1),
        stride_and_dilation=(STRIDE_AND_DILATION, (covered - s * (k - 1) - 1) // d + 1),
        stride__exchanged_with_padding=("Stride and padding are exchanged.",
            (n + 2 * s - reach) // p + 1 if p else math.inf),
        size__kernel_for_stride=("The kernel's size is taken for the stride.", slack // k + 1),
        size__of_input=("The size of the input is returned.", n),
        size__divided_first=(
            "The division comes too early: subtract the window first, then divide by the stride.",
            covered // s - reach + 1),
    ))  # fmt: skip


@candidates_for_output(nn.Conv2d)
def of_convolution(layer: nn.Conv2d, x: Tensor) -> Iterator[Candidate]:
    """What could have come out of a convolution."""
    kernel, stride = pair(layer.kernel_size), pair(layer.stride)  # type: ignore[arg-type]
    padding, dilation = pair(layer.padding), pair(layer.dilation)  # type: ignore[arg-type]
    geometry = Geometry(kernel, stride, padding, dilation)
    bias = layer.bias[:, None, None] if layer.bias is not None else torch.zeros(1, 1, 1).to(x)

    def product(these: Tensor, weight: Tensor = layer.weight) -> Tensor:
        return torch.einsum("ncijhw,ocij->nohw", these, weight) + bias

    these = windows(x, geometry)
    right = partial(layer, x)
    for cause, changed in _wrong_filters(layer.weight):
        yield Candidate(cause, partial(product, these, changed))
    for cause, wrong in _wrong_windows(x, geometry):
        yield Candidate(cause, then(product, wrong))
    if layer.bias is not None:
        yield from of_bias(right, bias)
        values, taps = layer.weight[0].numel(), layer.weight[0, 0].numel()
        yield from candidates_of(
            "conv2d.bias",
            for_every_tap=("The bias is added once for every tap of the kernel.",
                lambda: right() + bias * (taps - 1)),
            for_every_value=("The bias is added once for every value of the window.",
                lambda: right() + bias * (values - 1)),
            wrong_dimension=(BIAS_ALONG_THE_WRONG_DIMENSION, lambda: right() - bias + layer.bias),
        )  # fmt: skip
    yield from candidates_of(
        "conv2d.output",
        sides_exchanged_by_view=(
            "Height and width of the output are exchanged by a view or reshape: the windows run row by row.",
            lambda: right().transpose(2, 3).reshape(right().shape)),
    )  # fmt: skip
    yield from _wrongly_arranged(right, bias)
    for order, wrong in _wrongly_ordered(x, geometry):
        reshaped = then(partial(torch.reshape, shape=these.shape), wrong)
        yield Candidate(order, then(product, reshaped))


def _wrong_filters(weight: Tensor) -> Iterator[tuple[Cause, Tensor]]:
    """Instead of the weight, (OUT, IN, KH, KW)."""
    yield from table(
        "conv2d",
        kernel__flipped=("The kernel is flipped: cross-correlation does not turn it around.",
            weight.flip(2, 3)),
        kernel__flipped_vertically=("The kernel is flipped vertically.", weight.flip(2)),
        kernel__flipped_horizontally=("The kernel is flipped horizontally.", weight.flip(3)),
        filters__channels_reversed=("The filters' input channels run in reverse order.",
            weight.flip(1)),
        filters__reversed=("The filters run in reverse order.", weight.flip(0)),
        kernel__transposed=("The kernel is transposed: its height and width are exchanged.",
            weight.transpose(2, 3)),
        filters__channels_exchanged=("Input and output channels of the weight are exchanged.",
            weight.transpose(0, 1)),
        kernel__transposed_by_view=(
            "The kernel's height and width are exchanged by a transpose, view or reshape.",
            weight.transpose(2, 3).reshape(weight.shape)),
        filters__first_for_all=("Every output channel uses the first filter.",
            weight[:1].expand_as(weight)),
        filters__first_channel_for_all=("The first channel of the filters is used for all channels.",
            weight[:, :1].expand_as(weight)),
        channels__first_only=("Only the first channel of the input is used.",
            torch.cat([weight[:, :1], torch.zeros_like(weight[:, 1:])], dim=1)),
        channels__averaged=("The channels are averaged instead of summed.",
            weight / weight.shape[1]),
        filters__cut_wrongly=(
            "The filters are cut wrongly: reshape(-1, out).T mixes them; flatten(1) keeps one to a row.",
            weight.reshape(-1, weight.shape[0]).T.reshape(weight.shape)),
        filters__order=(
            "The filters run over kernel row, kernel column, channel; the columns over channel first.",
            weight.permute(0, 2, 3, 1).reshape(weight.shape)),
        window__averaged=("The window is averaged instead of summed.", weight / weight[0].numel()),
        taps__averaged=("The taps of the kernel are averaged instead of summed.",
            weight / weight[0, 0].numel()),
    )  # fmt: skip


def _wrongly_arranged(right: Callable[[], Tensor], bias: Tensor) -> Iterator[Candidate]:
    """The output with its axes in other orders, moved or only reshaped, before the bias or after it."""
    names = (tr("sample"), tr("channel"), tr("row"), tr("column"))

    def bare() -> Tensor:
        return right() - bias

    for order in itertools.permutations(range(4)):
        if order == (0, 1, 2, 3):
            continue
        shown = ", ".join(names[axis] for axis in order)
        yield from candidates_of(
            "conv2d.output",
            {"order": shown},
            order=("The output's dimensions are {order}; expected sample, channel, row, column.",
                then(partial(torch.permute, dims=order), right)),
        )  # fmt: skip
        reshaped = why(
            "conv2d.output.reshaped",
            "The output lies in the order {order} and is reshaped as if it were sample, channel, row, "
            "column: permute it first.",
            order=shown,
        )
        permuted = partial(_permuted_in_place, dims=order)
        yield Candidate(reshaped, then(permuted, right))
        yield Candidate(reshaped, then(bias.__add__, then(permuted, bare)))
    yield from candidates_of(
        "conv2d.output",
        not_folded=("The windows are not folded back into rows and columns.",
            lambda: right().flatten(2)),
    )  # fmt: skip


def _permuted_in_place(output: Tensor, dims: tuple[int, ...]) -> Tensor:
    return output.permute(dims).reshape(output.shape)


def of_columns_gradient(x: Tensor, geometry: Geometry, upstream: Tensor) -> Iterator[Candidate]:
    """What could have come back to the input of im2col."""
    kernel, stride, padding, dilation = geometry

    def folded(columns: Tensor) -> Tensor:
        size = (x.shape[-2], x.shape[-1])
        return F.fold(columns, size, kernel, dilation, padding, stride)

    def pixels() -> Tensor:
        """Which pixel each entry of the columns is, by number; 0 in the padding."""
        numbers = torch.arange(1.0, 1 + x[0, 0].numel(), dtype=torch.float64)
        one = numbers.reshape(1, 1, *x.shape[-2:])
        return windows(one, geometry).long().flatten()

    def overwritten(*, last: bool) -> Tensor:
        result = torch.zeros(*x.shape[:2], 1 + x[0, 0].numel(), dtype=x.dtype)
        entries = upstream.reshape(*x.shape[:2], -1)
        numbers = pixels()
        order = range(len(numbers)) if last else range(len(numbers) - 1, -1, -1)
        for i in order:
            result[..., numbers[i]] = entries[..., i]
        return result[..., 1:].reshape(x.shape)

    yield from candidates_of(
        "conv2d.overlap",
        overwritten=("Where windows overlap, the last one overwrites the others; their gradients add up.",
            lambda: overwritten(last=True)),
        first_only=("Where windows overlap, only the first one counts; their gradients add up.",
            lambda: overwritten(last=False)),
        averaged=("Where windows overlap, their gradients are averaged; they should be summed.",
            lambda: folded(upstream) / folded(torch.ones_like(upstream)).clamp(min=1)),
    )  # fmt: skip
    yield from of_any_gradient(
        lambda given: windows(given, geometry).flatten(1, 3).flatten(2), x, upstream
    )


@candidates_for_gradient(nn.Conv2d)
def of_convolution_gradient(
    layer: nn.Conv2d, x: Tensor, upstream: Tensor, name: str
) -> Iterator[Candidate]:
    """What could have come back as the gradient of a parameter, or of the "input"."""
    if name != "input":
        return
    for cause, weight in table(
        "conv2d.backward",
        kernel_flipped=("On the way back the kernel is flipped.", layer.weight.flip(2, 3)),
        kernel_transposed=("On the way back the kernel is transposed.",
            layer.weight.transpose(2, 3)),
    ):  # fmt: skip
        function = as_function_of(layer, x, name, weight=weight)
        yield Candidate(cause, partial(gradient, function, x, upstream))
