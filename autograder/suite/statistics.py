"""Whether a tensor is drawn from the distribution it should be drawn from.

Mean, mean square and Kolmogorov-Smirnov distance are judged; honest draws fail with a chance below 2e-7.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple

import numpy
import torch
from torch import Tensor

from autograder.report import Cause
from autograder.suite.candidates import NO_VALUES, Values, table
from autograder.suite.failures import CheckFailed, why
from autograder.suite.tolerances import DEVIATIONS, KOLMOGOROV_SMIRNOV
from tower_student.language import tr

TOO_EVEN = (1e-5, 0.02)
"""Deviations of mean and mean square below which no honest tensor lies, but for a chance of 1.3e-7."""
FOURTH = 6.5
"""Deviations of the kurtosis; its distribution is skewed, so that six would be few."""
EXPLAINS = (3.0, 2.0)
"""Standard errors of the mean square, and √n·D, within which a distribution explains what was drawn."""


Family = Literal["uniform", "normal", "half"]
"""U(-scale, scale), N(0, scale²), U(0, scale)."""


class Distribution(NamedTuple):
    """A candidate for an initialisation: what went wrong, and the distribution that follows.

    Attributes:
        cause: what went wrong where the values look drawn from it, see failures.why.
        family: "uniform" for U(-scale, scale), "normal" for N(0, scale²), "half" for U(0, scale).
        scale: the bound, or the standard deviation.
    """

    cause: Cause
    family: Family
    scale: float


Others = Callable[[], Iterable[tuple[object, Iterable[Distribution]]]]
"""Asks more of the same function: what it filled, of any type, and the candidates there."""


def nothing_else() -> Iterable[tuple[object, Iterable[Distribution]]]:
    """Ask nothing."""
    return ()


def distributions(
    prefix: str, values: Values = NO_VALUES, /, **entries: tuple[str | Cause, Family, float]
) -> Iterator[Distribution]:
    """Return candidates in the order in which they stand: candidates.table with a family and a scale each."""
    pairs = {key: (said, (family, scale)) for key, (said, family, scale) in entries.items()}
    return (Distribution(cause, *how) for cause, how in table(prefix, values, **pairs))


def uniform(
    what: str,
    got: Tensor,
    bound: float,
    candidates: Iterable[Distribution] = (),
    others: Others = nothing_else,
) -> None:
    """Raise CheckFailed unless the values look drawn from U(-bound, bound).

    Args:
        what: what the message calls the tensor.
        got: of any shape, with some thousand values: fewer show less.
        bound: never tested strictly, since the outermost values may lie on it, rounded.
        candidates: how it could have been drawn instead; the one that fits is named as the cause.
        others: further draws that the cause has to explain as well; asked for where a check has failed.
    """
    _distribution(
        what,
        got,
        lambda x: ((x + bound) / (2 * bound)).clamp(0, 1),
        f"U(-{bound:.5g}, {bound:.5g})",
        bound / math.sqrt(3),
        "uniform",
        candidates,
        others,
    )
    outermost = float(got.abs().max())
    if outermost > bound * (1 + 1e-5):
        raise CheckFailed(
            tr(
                "{what} reaches {outermost:.5g}, beyond the bound {bound:.5g}.",
                what=what,
                outermost=outermost,
                bound=bound,
            )
        )


def normal(
    what: str,
    got: Tensor,
    std: float,
    candidates: Iterable[Distribution] = (),
    others: Others = nothing_else,
) -> None:
    """Raise CheckFailed unless the values look drawn from N(0, std²). Its arguments are uniform's."""
    name = f"N(0, {std:.5g}²)"
    _distribution(
        what, got, lambda x: torch.special.ndtr(x / std), name, std, "normal", candidates, others
    )


CUT_OFF = why(
    "drawing.tails",
    "The numbers have tails that are too thin or too thick: they only resemble a normal "
    "distribution, as sums of a few uniform numbers do, or are cut off.",
)


def tails(what: str, got: Tensor, std: float) -> None:
    """Raise CheckFailed unless the kurtosis of many values is a normal's, 3, and some are far out.

    That of n values has the deviation √(24/n). That of a sum of 12 uniforms is 2.9: 480,000 values tell. Of
    240,000, none is beyond 4·std with a chance of 2.5e-7.
    """
    if not bool((got.abs() > 4 * std).any()):
        raise CheckFailed(
            tr(
                "None of {count:,} values of {what} is beyond four deviations; expected {expected:.0f}.",
                count=got.numel(),
                what=what,
                expected=6.33e-5 * got.numel(),
            ),
            cause=CUT_OFF,
        )
    squares = got.double().square()
    kurtosis = float(squares.square().mean() / squares.mean() ** 2)
    if not abs(kurtosis - 3) <= FOURTH * math.sqrt(24 / got.numel()):
        raise CheckFailed(
            tr(
                "The kurtosis of {what}, E[x⁴] / E[x²]², is {kurtosis:.3f}; a normal one is 3.",
                what=what,
                kurtosis=kurtosis,
            ),
            cause=CUT_OFF,
        )


REPEATED = why(
    "drawing.repeated",
    "Numbers are drawn once and used again, perhaps mirrored or rounded; each value is to be "
    "drawn by itself.",
)


def distinct(what: str, got: Tensor, other: Tensor | None = None) -> None:
    """Raise CheckFailed unless nearly all magnitudes are different, or are not in another tensor.

    Two of n float32 values agree with a chance of 2⁻²³: of 50,000, 0.6 % have a twin.
    """
    sizes = got.abs().double()
    if other is None:
        repeated = 1 - _count_distinct(_ordered(sizes)) / max(1, sizes.numel())
        found = tr(
            "{share:.0%} of the magnitudes in {what} repeat others.", share=repeated, what=what
        )
    else:
        repeated = float(numpy.isin(sizes.numpy(), other.abs().double().numpy()).mean())
        found = tr(
            "{share:.0%} of the magnitudes in {what} are those of the weight.",
            share=repeated,
            what=what,
        )
    if repeated > 0.1:
        raise CheckFailed(
            found,
            cause=REPEATED,
        )


def _ordered(values: Tensor) -> Tensor:
    """All of them, in float64 and rising order."""
    # NumPy's sort does not keep track of where a value was, and takes a tenth of the time.
    return torch.from_numpy(numpy.sort(values.flatten().double().numpy()))


def _count_distinct(ordered: Tensor) -> int:
    return len(ordered[:1]) + int((ordered[1:] != ordered[:-1]).sum())


def kolmogorov_smirnov(ordered: Tensor, theory: Tensor) -> float:
    """Return √n·D for n sorted values, D being the largest distance of their distribution from the theory's.

    Args:
        ordered: the values, in rising order: (n,).
        theory: the cumulative distribution at each value: (n,).
    """
    n = len(ordered)
    steps = torch.arange(n + 1, dtype=torch.float64) / n
    distance = torch.maximum((steps[1:] - theory).max(), (theory - steps[:-1]).max())
    return math.sqrt(n) * float(distance)


def _distribution(
    what: str,
    got: Tensor,
    cdf: Callable[[Tensor], Tensor],
    name: str,
    std: float,
    family: Family,
    candidates: Iterable[Distribution],
    others: Others,
) -> None:
    """Judge the shape by Kolmogorov-Smirnov, and mean and variance by themselves, more sharply."""
    if not bool(got.isfinite().all()):
        raise CheckFailed(
            tr("{what} holds NaN or infinite values.", what=what),
            cause=why("drawing.unfilled", "The memory was never filled."),
        )
    ordered = _ordered(got)
    distinct = _count_distinct(ordered)
    if distinct < 0.9 * got.numel():
        raise CheckFailed(
            tr(
                "{what} has only {distinct:,} distinct values among {count:,}; expected as many draws from "
                "{distribution}.",
                what=what,
                distinct=distinct,
                count=got.numel(),
                distribution=name,
            ),
            cause=why("drawing.constant", "The tensor is constant.")
            if distinct == 1
            else why(
                "drawing.repeated",
                "The same draws are repeated, or lie on a grid: whole numbers that were scaled, or rounded.",
            ),
        )
    n = len(ordered)
    shift = abs(float(ordered.mean())) / std * math.sqrt(n)
    spread = abs(float(ordered.square().mean()) / std**2 - 1) * math.sqrt(
        n / VARIANCE_OF_SQUARE[family]
    )
    gaps = ordered.diff()
    if len(ordered) > 200 and float(gaps.max()) < 1.5 * float(gaps.mean()):  # honest: 0.78^200
        raise CheckFailed(
            tr("The numbers in {what} lie at equal distances: no draws do that.", what=what),
            cause=why(
                "drawing.equal_distances",
                "Nothing is drawn: the numbers are counted out, as by torch.linspace or arange.",
            ),
        )
    if shift < TOO_EVEN[0] and spread < TOO_EVEN[1]:
        raise CheckFailed(
            tr(
                "Mean and deviation of {what} are those of {distribution} to the last digit: no draws "
                "do that.",
                what=what,
                distribution=name,
            ),
            cause=why(
                "drawing.standardised",
                "The draws are centred and scaled by their own mean and deviation; leave them as they are.",
            ),
        )
    distance = kolmogorov_smirnov(ordered, cdf(ordered))
    if not (distance < KOLMOGOROV_SMIRNOV and max(shift, spread) < DEVIATIONS):
        raise CheckFailed(
            tr(
                "{what} is not drawn from {distribution}. Its standard deviation is {got:.5g} (expected "
                "{expected:.5g}), its mean {mean:.2g}, its range {low:.5g} to {high:.5g}.",
                what=what,
                distribution=name,
                got=float(got.std(correction=0)),
                expected=std,
                mean=float(got.mean()),
                low=float(got.min()),
                high=float(got.max()),
            ),
            cause=lambda: (
                _clipped(ordered)
                or _diagnose(ordered, candidates, others)
                or _cause(got, std, family, cdf)
            ),
        )


def _clipped(ordered: Tensor) -> Cause | None:
    """Draws from a continuous distribution do not meet at its edge."""
    low, high = (int((ordered == edge).sum()) for edge in (ordered[0], ordered[-1]))
    if min(low, high) < max(3, len(ordered) / 1000):
        return None
    return why(
        "drawing.clipped",
        "The numbers are clipped: {count:,} of them lie exactly at the ends of their range.",
        count=low + high,
    )


VARIANCE_OF_SQUARE: dict[Family, float] = {"uniform": 4 / 5, "half": 4 / 5, "normal": 2.0}
"""Of x²/std²."""


def _explaining(candidates: Iterable[Distribution], ordered: Tensor) -> Iterator[Distribution]:
    """Those from which sorted values look drawn. The mean square alone refutes nearly all."""
    n, mean_square = len(ordered), float(ordered.square().mean())
    errors, distance = EXPLAINS
    for candidate in candidates:
        _, family, scale = candidate
        std = scale if family == "normal" else scale / math.sqrt(3)
        error = abs(mean_square / std**2 - 1) * math.sqrt(n / VARIANCE_OF_SQUARE[family])
        if error < errors and kolmogorov_smirnov(ordered, _cdf(candidate, ordered)) < distance:
            yield candidate


def _cdf(candidate: Distribution, ordered: Tensor) -> Tensor:
    scaled = ordered / candidate.scale
    theory: Tensor
    match candidate.family:
        case "uniform":
            theory = ((scaled + 1) / 2).clamp(0, 1)
        case "half":
            theory = scaled.clamp(0, 1)
        case "normal":
            theory = torch.special.ndtr(scaled)
    return theory


def _diagnose(ordered: Tensor, candidates: Iterable[Distribution], others: Others) -> Cause | None:
    """The first cause that explains this and the others; None where another one does by other numbers."""
    fitting = list(_explaining(candidates, ordered))
    for got, there in others() if fitting else ():
        if isinstance(got, Tensor):
            of_these = set(there)
            refuted = {c.cause for c in of_these.difference(_explaining(of_these, _ordered(got)))}
            fitting = [candidate for candidate in fitting if candidate.cause not in refuted]
    drawn = {(family, f"{scale:.6g}") for _, family, scale in fitting}
    return fitting[0].cause if len(drawn) == 1 else None


def _cause(got: Tensor, std: float, family: Family, cdf: Callable[[Tensor], Tensor]) -> Cause:
    ratio = float(got.std()) / std
    if float(got.min()) >= 0:
        return why(
            "drawing.one_sided",
            "No number is negative: the draws should lie on both sides of zero.",
        )
    if family == "normal" and abs(float(got.mean()) / std - 1) < 0.02:
        return why(
            "drawing.mean_for_deviation",
            "The mean is what the standard deviation should be: normal_(mean, std) takes the mean first.",
        )
    if abs(float(got.mean())) > 0.2 * float(got.std()):
        return why("drawing.off_centre", "The values are not centred on zero.")
    if abs(ratio**2 - 1) * math.sqrt(got.numel() / VARIANCE_OF_SQUARE[family]) < EXPLAINS[0]:
        return why("drawing.shape", "The spread is right, the shape of the distribution is not.")
    scaled = _ordered(got) / ratio
    if kolmogorov_smirnov(scaled, cdf(scaled)) > KOLMOGOROV_SMIRNOV:
        return why(
            "drawing.spread_and_shape",
            "The spread is {ratio:.4g} times what it should be, and the distribution is another one.",
            ratio=ratio,
        )
    return why("drawing.spread", "The spread is {ratio:.4g} times what it should be.", ratio=ratio)
