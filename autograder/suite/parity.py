"""Compares what a student's code returned with what the oracle says.

The stages are type, shape, dtype and value. The message of the first that fails carries the arithmetic, and
names a cause where a candidate or a simple relation between the two explains the difference.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor

from autograder.report import Cause
from autograder.sandbox.values import NamedTupleValue, Opaque
from autograder.suite import slips
from autograder.suite.candidates import EXCHANGED, Candidate, diagnose, diagnose_number, same
from autograder.suite.failures import NO_RETURN, CheckFailed, Why, partly, why
from autograder.suite.tolerances import FLOAT32, FLOAT64, Tolerance
from tower_student.language import mark, tr
from tower_student.text import word

NOBODY: Mapping[Cause, float] = MappingProxyType({})
_TENSOR = re.compile(r"a tensor of (?P<dtype>torch\.\w{1,20}) on (?P<device>\w{1,20})")
"""What sandbox.values calls a tensor that does not cross."""


def compare(
    what: str,
    got: object,
    expected: Tensor,
    tolerance: Tolerance = FLOAT64,
    *,
    candidates: Iterable[Candidate] = (),
    reading: Why = None,
    before: Tensor | None = None,
    rounds: Callable[[], bool] | None = None,
) -> None:
    """Raise CheckFailed unless `got` is a tensor of the shape, dtype and values of `expected`.

    Args:
        what: what the message calls the value, such as "the output".
        got: what the student's code returned, of any type.
        tolerance: as torch.testing.assert_close reads it.
        candidates: what else could have come out; the first that did is named as the cause.
        reading: what any difference means, where no cause is known.
        before: the value that both started from. What moves little is nearly right whatever is wrong: only
            where the movement is nearly right, too, is a rounding named.
        rounds: asks whether what computed it rounds; what is nearly right may be so for other reasons.
    """
    expected = expected.detach()
    if _is_close_throughout(got, expected, tolerance.absolute):
        return
    if slips.is_forgiven(slips.DTYPE):
        tolerance = Tolerance(*map(max, tolerance, FLOAT32))
    try:
        got = alike(what, got, expected, candidates)
    except CheckFailed as failure:
        raise failure.beside(reading) from None
    close = torch.isclose(got, expected, rtol=tolerance.relative, atol=tolerance.absolute)
    if not bool(close.all()):
        raise CheckFailed(
            _difference(what, got, expected, close),
            cause=lambda: (
                diagnose(got, expected, candidates)
                or (None if reading else _rounding(got, expected, before, rounds))
            ),
            reading=reading or (lambda: _value_reading(got, expected)),
        )


def _is_close_throughout(got: object, expected: Tensor, absolute: float) -> bool:
    """Whether no element is further off than that: most answers are, and seeing it takes a pass or two.

    False wherever it cannot be said: a NaN or an infinite value makes the distance one, too.
    """
    return (
        isinstance(got, Tensor)
        and got.shape == expected.shape
        and got.dtype == expected.dtype
        and got.is_floating_point()
        and got.numel() > 0
        and (got - expected).abs_().max().item() <= absolute
    )


def alike(what: str, got: object, expected: Tensor, candidates: Iterable[Candidate] = ()) -> Tensor:
    """Return `got` if it is a tensor of the shape and dtype of `expected`, with finite values.

    Its values are not compared: for what is random. Raises CheckFailed.
    """
    if not isinstance(got, Tensor):
        raise CheckFailed(
            tr(
                "{what} is {got}; expected a tensor of shape {expected}.",
                what=what,
                got=describe(got),
                expected=shape(expected),
            ),
            cause=NO_RETURN if got is None else None,
        )
    if got.shape != expected.shape:
        raise CheckFailed(
            tr(
                "{what} has shape {got}; expected {expected}.",
                what=what,
                got=shape(got),
                expected=shape(expected),
            ),
            cause=lambda: diagnose(got, expected, candidates),
            reading=_shape_reading(got, expected),
        )
    if got.dtype != expected.dtype:
        both_floating = got.is_floating_point() and expected.is_floating_point()
        if both_floating and slips.is_forgiven(slips.DTYPE):
            return alike(what, got.to(expected.dtype), expected, candidates)
        raise CheckFailed(
            tr(
                "{what} is {got}; expected {expected}.",
                what=what,
                got=_dtype(got),
                expected=_dtype(expected),
            ),
            cause=why(
                "value.dtype",
                "The dtype has to be that of the input: a tensor of a fixed dtype (or a .float(), .double()) "
                "takes part, or a tensor is rebuilt from its numbers.",
            ),
            slip=slips.DTYPE if both_floating else "",
        )
    if not bool(got.isfinite().all()):
        bad = int((~got.isfinite()).sum())
        raise CheckFailed(
            tr(
                "{what} has {bad} of {count} values that are NaN or infinite.",
                what=what,
                bad=bad,
                count=got.numel(),
            ),
            cause=why(
                "value.not_finite",
                "Memory that was never filled, a division by zero, an overflow, or a root or a power of a "
                "negative number.",
            ),
        )
    return got


def compare_number(
    what: str,
    got: object,
    expected: float,
    tolerance: Tolerance = FLOAT64,
    *,
    whole: bool = False,
    candidates: Mapping[Cause, float] = NOBODY,
) -> None:
    """Raise CheckFailed unless `got` is a Python number equal to `expected`; a bool is none.

    Args:
        what: what the message calls the number.
        whole: require an int.
        candidates: what else could have come out, by the cause that it speaks for.
    """
    types = (int,) if whole else (int, float)
    if isinstance(got, bool) or not isinstance(got, types):
        item = why("value.item", "A tensor with one element becomes a number by .item().")
        raise CheckFailed(
            tr(
                "{what} is {got}; expected an int, {expected:.10g}.",
                what=what,
                got=describe(got),
                expected=expected,
            )
            if whole
            else tr(
                "{what} is {got}; expected a float, {expected:.10g}.",
                what=what,
                got=describe(got),
                expected=expected,
            ),
            cause=item if isinstance(got, Tensor) else None,
        )
    if not abs(got - expected) <= tolerance.absolute + tolerance.relative * abs(expected):
        shown, wanted = _apart(got, expected, 10)
        raise CheckFailed(
            tr("{what} is {got}; expected {expected}.", what=what, got=shown, expected=wanted),
            cause=diagnose_number(got, expected, candidates),
            reading=_rounded(got, expected),
        )


class Count(NamedTuple):
    """One number among several that are asked for.

    Attributes:
        what: what the message calls it.
        got: what the student's code returned, of any type.
        expected: the right number.
        candidates: returns what else could have come out, by the cause that it speaks for; the same causes
            for every number that is compared with it.
    """

    what: str
    got: object
    expected: float
    candidates: Callable[[], Mapping[Cause, float]]


def compare_counts(counts: Sequence[Count], *, whole: bool = False) -> None:
    """Raise CheckFailed unless every number is right, as compare_number says.

    The cause that is named explains all of them; or, with these words, all that are wrong.
    """
    for count in counts:
        try:
            compare_number(count.what, count.got, count.expected, whole=whole)
        except CheckFailed as failure:
            wrong = [count for count in counts if not _is(count.got, count.expected)]
            good = len(counts) - len(wrong)
            right = (
                tr("{good} of {count} answers.", good=good, count=len(counts))
                if wrong and good
                else ""
            )
            raise failure.because(partial(_explanation, counts, wrong)).knowing(right) from None


def _is(got: object, value: float) -> bool:
    return isinstance(got, int | float) and math.isclose(got, value, rel_tol=1e-9)


def _explanation(counts: Sequence[Count], wrong: Sequence[Count]) -> Cause | None:
    known = _common_causes(counts)
    if known:
        return known[0]
    some = _common_causes(wrong)
    # Small numbers are often the same by chance: one does not tell.
    told = some and len({count.expected for count in wrong}) >= ENOUGH
    return partly(some[0], mark("Where it is wrong, not elsewhere: {said}")) if told else None


ENOUGH = 2
"""Different numbers that a cause has to explain which holds of some questions alone."""


def _common_causes(counts: Sequence[Count]) -> list[Cause]:
    explained = [count.candidates() for count in counts]
    return [
        cause
        for cause in (explained[0] if explained else ())
        if all(
            # Where a candidate is not finite, the mistake would have raised or returned nothing usable.
            _is(count.got, candidates[cause]) or not math.isfinite(candidates[cause])
            for count, candidates in zip(counts, explained, strict=True)
        )
    ]


def describe(value: object) -> str:
    """Return what a value is, in words: "None", "a tuple of 2", "a tensor of shape (3, 4)"."""
    match value:
        case None:
            return "None"
        case Opaque(type_name="a deeply nested value"):  # so sandbox.values calls it
            return tr("a deeply nested value")
        case Opaque(type_name="huge int"):
            return tr("a huge int")
        case Opaque(type_name=name):
            if tensor := _TENSOR.fullmatch(name):
                return tr("a tensor of {dtype} on {device}", **tensor.groupdict())
            return tr("a {type}", type=word(name))
        case NamedTupleValue():
            return tr("a named tuple of {count}", count=len(value))
        case tuple():
            return tr("a tuple of {count}", count=len(value))
        case list():
            return tr("a list of {count}", count=len(value))
        case Tensor():
            return tr("a tensor of shape {shape}", shape=shape(value))
        case bool() | int() | float():
            return tr("the {type} {number}", type=type(value).__name__, number=value)
    return tr("a {type}", type=type(value).__name__)


def shape(tensor: Tensor) -> str:
    """Return the shape of a tensor as Python writes a tuple."""
    return str(tuple(tensor.shape))


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _apart(got: float, expected: float, digits: int) -> tuple[str, str]:
    """Both numbers, with as many digits as tell them apart, but no fewer than given."""
    for precision in range(digits, 18):
        shown = f"{got:.{precision}g}", f"{expected:.{precision}g}"
        if shown[0] != shown[1]:
            break
    return shown


def _rounded(got: float, expected: float) -> Cause | None:
    """Whether a number is what is left of another one with a few decimals."""
    for digits in range(3, 12):  # with three digits left at least: fewer are a number by chance
        rounded = round(expected, digits)
        if math.isclose(got, rounded, rel_tol=1e-14) and abs(got) >= 10.0 ** (2 - digits):
            return why(
                "value.rounded",
                "The number is rounded to {digits} decimals; return it as it is.",
                digits=digits,
            )
    return None


def _difference(what: str, got: Tensor, expected: Tensor, close: Tensor) -> str:
    if got.dim() == 0:
        shown, wanted = _apart(got.item(), expected.item(), 8)
        return tr(
            "{what} differs: got {got}, expected {expected}.",
            what=what,
            got=shown,
            expected=wanted,
        )
    distance = (got.double() - expected.double()).abs()
    worst = int(distance.argmax())
    index = tuple(int(i) for i in torch.unravel_index(torch.tensor(worst), got.shape))
    shown, wanted = _apart(got.flatten()[worst].item(), expected.flatten()[worst].item(), 6)
    return tr(
        "{what} differs: {wrong} of {count} values, most at index {index}: got {got}, expected {expected}.",
        what=what,
        wrong=int((~close).sum()),
        count=got.numel(),
        index=index,
        got=shown,
        expected=wanted,
    )


def _shape_reading(got: Tensor, expected: Tensor) -> Cause | None:
    """What the two shapes say."""
    if expected.shape[:1] == (1,) and got.shape == expected.shape[1:]:
        return why(
            "shape.squeezed_batch",
            "A dimension of size 1 is gone, as after squeeze() or flatten(): a batch of one keeps its "
            "dimension.",
        )
    if got.shape == expected.squeeze().shape:
        return why("shape.squeezed", "Dimensions of size 1 are squeezed away.")
    if expected.dim() > 1 and got.shape == expected.shape[:-1]:
        return why(
            "shape.last_gone",
            "The last dimension is gone: there is one value where there should be {size}, as "
            "after an argmax, a maximum, a sum or a mean over it.",
            size=expected.shape[-1],
        )
    if expected.dim() > 1 and got.shape == expected.shape[1:]:
        return why("shape.batch_gone", "The dimension of the batch is gone.")
    if min(got.dim(), expected.dim()) >= 2 and got.shape == expected.transpose(-1, -2).shape:
        return EXCHANGED
    if got.numel() == expected.numel() and got.dim() != expected.dim():
        return why(
            "shape.rearranged",
            "The number of values is right, but in {got} dimensions (of sizes {sizes}), not in {expected}.",
            got=got.dim(),
            sizes=shape(got),
            expected=expected.dim(),
        )
    if got.numel() == expected.numel():
        return why(
            "shape.arranged", "The number of values is right; they are arranged in another shape."
        )
    if got.dim() != expected.dim():
        return why(
            "shape.dimensions",
            "The result has {got} dimensions instead of {expected}.",
            got=got.dim(),
            expected=expected.dim(),
        )
    return None


def _rounding(
    got: Tensor, expected: Tensor, before: Tensor | None, rounds: Callable[[], bool] | None
) -> Cause | None:
    """What it says that the two agree, but not to the last digit."""
    a, b = got.double(), expected.double()
    if before is not None:
        moved = (b - before.double()).abs().mean()
        if not (a - b).abs().mean() <= 3e-3 * moved:
            return None
    if same(a, b):
        return why(
            "value.float32",
            "Only the first six or seven digits agree: a part of it is computed in float32, or something "
            "small is added.",
        )
    # What is rounded errs in both directions, by itself and against the size of the number; what errs in one
    # is shifted, multiplied or left out. A few numbers do not tell, unless they are such a dtype's.
    both_ways = all(
        off.mean().abs() < 0.6 * off.abs().mean() for off in (a - b, (a - b) * b.sign())
    )
    rounded = any(torch.equal(a, a.to(dtype).double()) for dtype in (torch.bfloat16, torch.float16))
    near = torch.allclose(a, b, rtol=1e-2, atol=1e-2 * float(b.abs().mean()))
    if near and (rounded or (rounds() if rounds else both_ways and a.numel() > 5)):
        return why(
            "value.half",
            "Only the first digits agree: a part of it is computed in bfloat16 or float16, or rounded.",
        )
    return None


def _is_plain(factor: float) -> bool:
    """Whether it is a small whole number or one over one: any two numbers differ by some factor."""
    larger = max(abs(factor), 1 / abs(factor))
    return larger < 100 and math.isclose(larger, round(larger), rel_tol=1e-6)


def _value_reading(got: Tensor, expected: Tensor) -> Cause | None:
    """A relation that explains the whole difference, if one of the simplest does."""
    a, b = got.double(), expected.double()
    if not bool(b.abs().max() > 0):
        return None
    if not bool(a.any()):
        return why("value.zero", "Every value is zero.")
    if same(a, -b):
        return why("value.sign", "The sign is flipped.")
    factor = float((a * b).sum() / (b * b).sum())
    if same(a, factor * b) and (got.numel() > 1 or _is_plain(factor)):
        return why(
            "value.factor", "Every value is {factor:.6g} times what it should be.", factor=factor
        )
    if got.dim() >= 2 and a.shape == a.transpose(-1, -2).shape and same(a.transpose(-1, -2), b):
        return EXCHANGED
    for dim in range(got.dim()):
        if got.shape[dim] > 1 and same(a.flip(dim), b):
            return why(
                "value.reversed", "The values along dimension {dim} run in reverse order.", dim=dim
            )
    if got.numel() > 2 and same(a.flatten().sort().values, b.flatten().sort().values):
        return why("value.order", "The values are right, in the wrong order.")
    return None
