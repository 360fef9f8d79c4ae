"""What can go wrong with the output and the gradients of any layer."""

import math
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from autograder.report import Cause
from autograder.suite.candidates import EXCHANGED, Candidate, candidates_of, table, then
from autograder.suite.failures import why

FIRST_ONLY = why("output.first_only", "Only the first sample of the batch is computed.")


def of_any_output(right: Callable[[], Tensor]) -> Iterator[Candidate]:
    """Yield what could have come out of any layer instead of what `right` returns."""
    yield from candidates_of(
        "output",
        relu=("A ReLU stands at the end, which does not belong there.", lambda: right().relu()),
        sigmoid=("A sigmoid stands at the end, which does not belong there.",
            lambda: right().sigmoid()),
        tanh=("A tanh stands at the end, which does not belong there.", lambda: right().tanh()),
        softmax=("A softmax over the last dimension stands at the end, which does not belong there.",
            lambda: right().softmax(-1)),
        softmax_1=("A softmax over dimension 1 stands at the end, which does not belong there.",
            lambda: right().softmax(1)),
        softmax_batch=("A softmax over the batch stands at the end, which does not belong there.",
            lambda: right().softmax(0)),
        log_softmax=("A log_softmax stands at the end, which does not belong there.",
            lambda: right().log_softmax(-1)),
        absolute=("An absolute value stands at the end, which does not belong there.",
            lambda: right().abs()),
        rounding=("A rounding stands at the end, which does not belong there.",
            lambda: right().round()),
        squeezed=("A dimension of size 1 is gone, as after squeeze() or flatten().",
            lambda: right().squeeze()),
        batch_squeezed=("The batch's dimension is lost.", lambda: right().squeeze(0)),
        first_for_all=("Every sample of the batch gets the output of the first one.",
            lambda: right()[:1].expand_as(right())),
        first_only=(FIRST_ONLY, lambda: right()[0]),
        first_only_kept=(FIRST_ONLY, lambda: right()[:1]),
        first_only_padded=("Only the first sample of the batch is computed, the others stay zero.",
            lambda: torch.cat([right()[:1], torch.zeros_like(right()[1:])])),
        batch_averaged=("The batch is averaged.",
            lambda: right().mean(0, keepdim=True).expand_as(right())),
        batch_averaged_away=("The batch is averaged away.", lambda: right().mean(0)),
        batch_summed=("The batch is summed up.", lambda: right().sum(0)),
        batch_reversed=("The batch runs in reverse order.", lambda: right().flip(0)),
        batch_centred=("The mean over the batch is subtracted; samples have nothing to do with each other.",
            lambda: right() - right().mean(0)),
        flattened=("The leading dimensions are flattened into one.",
            lambda: right().flatten(0, -2)),
        unsqueezed_front=("A dimension of size 1 is added in front, as reshape(-1, …) does.",
            lambda: right().unsqueeze(0)),
        unsqueezed_end=("A dimension of size 1 is added at the end.",
            lambda: right().unsqueeze(-1)),
        exchanged=(EXCHANGED, lambda: right().transpose(-1, -2)),
        exchanged_by_view=(
            "The last two dimensions are exchanged by a view or reshape; permute or transpose moves "
            "the values.", lambda: right().transpose(-1, -2).reshape(right().shape)),
    )  # fmt: skip


def of_bias(right: Callable[[], Tensor], bias: Tensor) -> Iterator[Candidate]:
    """Yield what can go wrong with a bias that broadcasts against what `right` returns."""
    first = bias.flatten()[0]
    yield from candidates_of(
        "bias",
        missing=("The bias is never added.", lambda: right() - bias),
        subtracted=("The bias is subtracted.", lambda: right() - 2 * bias),
        twice=("The bias is added twice.", lambda: right() + bias),
        multiplied=("The bias multiplies the output.", lambda: (right() - bias) * bias),
        one_entry=("One entry of the bias is added to every output.",
            lambda: right() - bias + first),
        mean=("The mean of the bias is added to every output.",
            lambda: right() - bias + bias.mean()),
        sum=("The sum of the bias is added to every output.", lambda: right() - bias + bias.sum()),
        absolute=("The absolute value of the bias is added.", lambda: right() - bias + bias.abs()),
    )  # fmt: skip


CLIPS = (0.01, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
"""At which somebody might clip a gradient."""


def misread(x: Tensor) -> dict[Cause, Callable[[], Tensor]]:
    """Return how the memory of `x` can be misread, by cause: functions that return tensors of its shape."""
    plain = torch.empty(x.shape, device="meta").stride()
    start = x.storage_offset()
    return dict(table(
        "memory",
        strides=(
            "The input is read as if it were contiguous: take its own stride(), or contiguous() first; "
            "reshape, not view.", lambda: x.as_strided(x.shape, plain, start)),
        offset=(
            "The input is read from the beginning of its memory: as_strided begins at the input's own "
            "storage_offset() only if none is given.",
            lambda: x.as_strided(x.shape, x.stride(), 0)),
        strides_and_offset=(
            "The input's memory is read from its beginning and in its own order: take reshape instead of "
            "view, and leave the storage_offset out of as_strided.",
            lambda: x.as_strided(x.shape, plain, 0)),
    ))  # fmt: skip


def gradient(function: Callable[[Tensor], Tensor], at: Tensor, upstream: Tensor) -> Tensor:
    """Return the gradient of `function` at a point, of its shape, under an upstream gradient."""
    leaf = at.detach().clone().requires_grad_()
    (found,) = torch.autograd.grad((function(leaf) * upstream).sum(), leaf)
    return found


def of_any_gradient(
    function: Callable[[Tensor], Tensor], at: Tensor, upstream: Tensor
) -> Iterator[Candidate]:
    """Yield what could have come back instead of the gradient of `function` at a point."""
    samples = len(upstream) if upstream.dim() > 1 else 1
    positions = math.prod(upstream.shape[2:]) if upstream.dim() > 2 else 1
    ones = torch.ones_like(upstream)
    first = upstream.clone()
    first[1:] = 0
    for cause, other in table(
        "gradient",
        of_sum=("The upstream gradient is ignored: this is the gradient of the output's sum.",
            ones),
        of_mean=("The upstream gradient is ignored: this is the gradient of the output's mean.",
            ones / max(1, upstream.numel())),
        batch_averaged=("The gradient is averaged over the batch; it should be summed.",
            upstream / max(1, samples)),
        positions_averaged=("The gradient is averaged over the positions; it should be summed.",
            upstream / max(1, positions)),
        all_averaged=("The gradient is averaged over batch and positions; it should be summed.",
            upstream / max(1, samples * positions)),
        first_sample=("Only the first sample of the batch contributes to the gradient.", first),
        sign=("The sign of the gradient is flipped.", -upstream),
        twice=("The gradient is counted twice.", 2 * upstream),
        upstream_averaged=("The upstream gradient is averaged before it is used.",
            upstream.mean() * ones),
        upstream_signs=("The signs of the upstream gradient are used, not its values.",
            upstream.sign()),
        upstream_reversed=("The upstream gradient runs in reverse order along the batch.",
            upstream.flip(0)),
        upstream_squared=("The upstream gradient is squared.", upstream**2),
    ):  # fmt: skip
        yield Candidate(cause, partial(gradient, function, at, other))
    for limit in CLIPS:
        yield from candidates_of(
            "gradient",
            {"limit": limit},
            upstream_clipped=("The upstream gradient is clipped to ±{limit}; a layer passes it on as it is.",
                partial(gradient, function, at, upstream.clamp(-limit, limit))),
        )  # fmt: skip

    def right() -> Tensor:
        return gradient(function, at, upstream)

    for limit in CLIPS:
        yield from candidates_of(
            "gradient",
            {"limit": limit},
            clipped=("The gradient is clipped to ±{limit}; a layer passes it on as it is.",
                then(partial(torch.clamp, min=-limit, max=limit), right)),
        )  # fmt: skip
    yield from candidates_of(
        "gradient",
        normalised=("The gradient is scaled to length one.", lambda: right() / right().norm()),
        transposed=("The gradient is transposed.", lambda: right().transpose(-1, -2)),
        transposed_by_view=("The gradient is transposed by a view or reshape.",
            lambda: right().transpose(-1, -2).reshape(at.shape)),
        kernel_flipped=("The kernel's gradient is flipped.", lambda: right().flip(2, 3)),
    )  # fmt: skip
