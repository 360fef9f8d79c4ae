"""What can go wrong when a line is fitted."""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from autograder.report import Cause
from autograder.suite.candidates import Candidate, candidates_of, table
from autograder.suite.failures import why

Line = tuple[float, float, float]
"""Loss, w and b of one step."""

FIRST_DIMENSION = why(
    "gradient_loop.mean.first_dimension",
    "The sum is divided by the length of the first dimension, not by all elements.",
)


def of_prediction(x: Tensor, w: Tensor, b: Tensor) -> Iterator[Candidate]:
    """What could have come out instead of w·x + b."""
    yield from candidates_of(
        "gradient_loop.predict",
        exchanged=("w and b are exchanged.", b * x + w),
        b_missing=("b is never added.", w * x),
        b_subtracted=("b is subtracted.", w * x - b),
        w_unused=("w is never used.", x + b),
        sum_multiplied=("x and b are added before w multiplies: w·(x + b).", w * (x + b)),
        w_added=("w is added instead of multiplied.", w + x + b),
        b_multiplies=("b multiplies instead of being added.", w * x * b),
        w_squared=("w is squared.", w * w * x + b),
        x_squared=("x is squared.", w * x * x + b),
        x_centred=("x is centred first.", w * (x - x.mean()) + b),
        absolute=("The absolute value is taken.", (w * x + b).abs()),
        relu=("A ReLU stands at the end.", (w * x + b).relu()),
    )
    if x.numel() > 1:  # of one number sum and mean are that number, and what is wrong is the shape
        yield from candidates_of(
            "gradient_loop.predict",
            summed=("The results are added up.", (w * x + b).sum()),
            averaged=("The results are averaged.", (w * x + b).mean()),
        )


def of_error(y_predicted: Tensor, y: Tensor) -> Iterator[Candidate]:
    """What could have come out instead of the mean squared error."""
    difference = y_predicted - y
    square = difference**2
    first = len(y) if y.dim() else 1
    spread = y_predicted.var(correction=0) + y.var(correction=0)
    yield from candidates_of(
        "gradient_loop.squared_error",
        sum=("The squares are added up, not averaged.", square.sum()),
        half=("The squares are halved: ½·mean.", square.mean() / 2),
        absolute=("The absolute values are averaged, not the squares.", difference.abs().mean()),
        root=("The root of the mean is taken.", square.mean().sqrt()),
        unsquared=("The differences are averaged, and not squared.", difference.mean()),
        mean_squared=("The mean is squared; the squares are to be averaged.",
            difference.mean() ** 2),
        sum_squared=("The sum is squared; the squares are to be averaged.", difference.sum() ** 2),
        first_dimension=(FIRST_DIMENSION, square.sum() / first),
        over_last_dimension=("The mean is taken over the last dimension alone.",
            square.mean(-1) if square.dim() else square),
        over_first_dimension=("The mean is taken over the first dimension alone.",
            square.mean(0) if square.dim() else square),
        one_by_one=("The squares are returned one by one; the error is their mean.", square),
        median=("The median is taken, not the mean.", square.median()),
        largest=("The largest square is taken, not the mean.", square.max()),
        one_less=("The divisor is one less than the number of elements.",
            square.sum() / max(1, square.numel() - 1)),
        fourth_power=("A fourth power stands where the square should.", (square**2).mean()),
        values_added=("The values are compared by their sum.", (y_predicted + y).pow(2).mean()),
        relative=("The error is relative to y.", (square / y**2).mean()),
        broadcast=(
            "Every prediction meets every y: (N, 1) - (N,) broadcasts to (N, N). Give both the same shape.",
            spread + (y_predicted.mean() - y.mean()) ** 2),
    )  # fmt: skip


STEPS = (0.1, 0.01, 1e-3, 1e-4)
"""Of a difference quotient that is too coarse."""
DECAYS = (1.0, 0.1, 0.01, 1e-3, 1e-4)
QUOTIENT = why(
    "gradient_loop.gradients.difference_quotient",
    "A difference quotient stands in place of the derivative, and its step is not small enough.",
)
DECAYING = why(
    "gradient_loop.step.weight_decay",
    "Besides the step, the parameters are shrunk, as by a weight decay.",
)
RATE_UNUSED = why("gradient_loop.rate.unused", "The learning rate is never used.")
RATE_TWICE = why("gradient_loop.rate.twice", "The learning rate is used twice.")
NORMALISED = why("gradient.normalised", "The gradient is scaled to length one.")
LENGTH_ONE_TOGETHER = why(
    "gradient_loop.gradients.length_one_together",
    "The two gradients are scaled to length one together.",
)


STILL = why(
    "gradient_loop.fit.still",
    "Nothing moves: the step is missing or makes new tensors, or each gradient is 0: cleared before it is "
    "used, or that of a rounded loss.",
)


def fixed_rate(rate: float) -> Cause:
    """The cause of steps that are as long as this rate makes them, whatever rate is given."""
    return why("gradient_loop.rate.fixed", "The learning rate is fixed at {rate}.", rate=rate)


def of_line_gradient(name: str, x: Tensor, y: Tensor, w: Tensor, b: Tensor) -> Iterator[Candidate]:
    """What could have come out as the gradient of this name, grad_w or grad_b."""
    error = w * x + b - y
    right = {"grad_w": (2 * error * x).mean(), "grad_b": (2 * error).mean()}
    value, by_w = right[name], name == "grad_w"
    inner = x if by_w else torch.ones_like(x)
    yield from _wrongly_averaged(value, error, x, inner)
    yield from _wrong_errors(x, y, w, b, inner)
    yield from _wrong_by_w(x, y, w, error) if by_w else _wrong_by_b(x, b, error)
    yield from candidates_of(
        "gradient_loop.gradients",
        length_one_together=(LENGTH_ONE_TOGETHER, value / torch.hypot(*right.values())),
        sign_alone=("Only the sign of the gradient is returned.", value.sign()),
    )
    curvature = (inner * inner).mean()
    for step in STEPS:
        for sign in (1, -1):
            yield Candidate(QUOTIENT, value + sign * step * curvature)


def _wrongly_averaged(
    value: Tensor, error: Tensor, x: Tensor, inner: Tensor
) -> Iterator[Candidate]:
    """Instead of the mean of 2·error·inner, which is `value`."""
    count, first = x.numel(), len(x) if x.dim() else 1
    yield from candidates_of(
        "gradient_loop.gradients",
        two_missing=("The factor 2 of the square's derivative is missing.", value / 2),
        two_twice=("The factor 2 of the square's derivative is there twice.", value * 2),
        summed=("The contributions of the points are added up, not averaged.", value * count),
        mean_twice=("The mean is taken twice.", value / count),
        first_dimension=(FIRST_DIMENSION, value * count / first),
        difference_reversed=("The sign is flipped: the difference is (w·x + b) - y.", -value),
        value_clipped=("The gradient is clipped to ±1, or only its sign is kept.",
            value.clamp(-1, 1)),
        sign_of_error=("The sign of the error is used, as for an absolute value.",
            (error.sign() * inner).mean()),
        product_of_means=("The mean of a product is not the product of the means.",
            2 * error.mean() * x.mean()),
        first_point=("Only the first point counts.", 2 * error.flatten()[0] * inner.flatten()[0]),
        last_point=("Only the last point counts.", 2 * error.flatten()[-1] * inner.flatten()[-1]),
        one_by_one=("One value for each point is returned; return their mean.", 2 * error * inner),
    )  # fmt: skip


def _wrong_errors(x: Tensor, y: Tensor, w: Tensor, b: Tensor, inner: Tensor) -> Iterator[Candidate]:
    """Instead of w·x + b - y."""
    yield from candidates_of(
        "gradient_loop.gradients",
        b_left_out=("b is left out of the prediction.", (2 * (w * x - y) * inner).mean()),
        y_left_out=("y is left out of the error.", (2 * (w * x + b) * inner).mean()),
        absolute=("The absolute values are averaged.", (2 * (w * x + b - y) * inner).abs().mean()),
    )


def _wrong_by_w(x: Tensor, y: Tensor, w: Tensor, error: Tensor) -> Iterator[Candidate]:
    yield from candidates_of(
        "gradient_loop.gradients",
        inner_derivative_missing=("The inner derivative is missing: by w it is x.",
            (2 * error).mean()),
        inner_derivative_w=("The inner derivative by w is x, not w.", (2 * error * w).mean()),
        inner_derivative_squared=("The inner derivative is x², but by w it is x.",
            (2 * error * x * x).mean()),
        inner_derivative_y=("The inner derivative by w is x, not y.", (2 * error * y).mean()),
    )  # fmt: skip


def _wrong_by_b(x: Tensor, b: Tensor, error: Tensor) -> Iterator[Candidate]:
    yield from candidates_of(
        "gradient_loop.gradients",
        inner_derivative_x=("The inner derivative by b is 1, not x.", (2 * error * x).mean()),
        inner_derivative_b=("The inner derivative by b is 1, not b.", (2 * error * b).mean()),
    )


def of_step(before: Tensor, gradient: Tensor, rate: float) -> Iterator[Candidate]:
    """What could have become of a parameter instead of before - rate·gradient."""
    yield from candidates_of(
        "gradient_loop.step",
        uphill=("The step goes along the gradient, uphill: subtract it.", before + rate * gradient),
        rate_unused=(RATE_UNUSED, before - gradient),
        sign_alone=("The gradient's sign is used, not its value.", before - rate * gradient.sign()),
        rate_twice=(RATE_TWICE, before - rate**2 * gradient),
        twice=("The step is made twice.", before - 2 * rate * gradient),
        half=("The step is halved.", before - rate * gradient / 2),
        divided_by_rate=("The gradient is divided by the learning rate.", before - gradient / rate),
        step_for_parameter=("The parameter is replaced by the step; it has to be changed by it.",
            -rate * gradient),
        gradient_for_parameter=("The parameter is replaced by the gradient.", gradient),
        multiplied=("The parameter is multiplied by the step.", before * (1 - rate * gradient)),
        scaled=("The parameter is scaled; the gradient is never used.", before * (1 - rate)),
        rate_subtracted=("The learning rate itself is subtracted; the gradient is never used.",
            before - rate),
        gradient_squared=("The gradient is squared.", before - rate * gradient**2),
        normalised=(NORMALISED, before - rate * gradient / gradient.norm()),
        clipped=("The gradient is clipped to ±1.", before - rate * gradient.clamp(-1, 1)),
        averaged=("The gradient is averaged over the parameter.", before - rate * gradient.mean()),
    )  # fmt: skip
    for fixed in (0.1, 0.01, 0.001):
        yield Candidate(fixed_rate(fixed), before - fixed * gradient)
    yield from candidates_of(
        "gradient_loop.step",
        rate_rounded=("The learning rate is rounded.", before - round(rate, 1) * gradient),
    )
    for decay in DECAYS:
        yield Candidate(DECAYING, before - rate * (gradient + decay * before))


def diagnose_history(
    got: list[Line], x: Tensor, y: Tensor, w: float, b: float, rate: float, steps: int
) -> Cause | None:
    """The cause of a path that differs from gradient descent's; None where none is known."""

    def near(one: Line, other: Line, within: float = 1e-8) -> bool:
        pairs = zip(one, other, strict=True)
        return all(math.isclose(a, b, rel_tol=within, abs_tol=within / 100) for a, b in pairs)

    right = _descend(_plain, x, y, w, b, rate, steps)
    if len(got) == len(right) and all(map(partial(near, within=1e-9), got, right)):
        return None  # whatever is wrong is not the path
    for cause, path in _wrong_paths(x, y, w, b, rate, steps):
        is_right = len(path) == len(right) and all(map(near, path, right))
        if len(got) == len(path) and all(map(near, got, path)) and not is_right:
            return cause
    if right and not got:
        return why("gradient_loop.fit.nothing_recorded", "No step is recorded: the list is empty.")
    if len(got) != len(right) and all(map(near, got, right)):
        return why(
            "gradient_loop.fit.steps_missing",
            "The steps are right, but there are not as many as asked for.",
        )
    if len(got) == len(right) and all(map(partial(near, within=1e-4), got, right)):
        return why(
            "gradient_loop.fit.first_digits",
            "Only the first digits agree: float32 takes part, or something is rounded or added.",
        )
    return None


@dataclass
class _Walk:
    """Where a descent is, its gradients there, and what it remembers from step to step."""

    w: float
    b: float
    gw: float = 0.0
    gb: float = 0.0
    number: int = 0
    kept: tuple[float, float] = (0.0, 0.0)
    first: tuple[float, ...] = (0.0, 0.0)
    second: tuple[float, ...] = (0.0, 0.0)


Update = Callable[[_Walk], tuple[float, float]]
"""How far w and b are moved against the gradient, in learning rates."""


def _plain(walk: _Walk) -> tuple[float, float]:
    return walk.gw, walk.gb


def _descend(
    update: Update, x: Tensor, y: Tensor, w: float, b: float, rate: float, steps: int
) -> list[Line]:
    path, walk = [], _Walk(w, b)
    for walk.number in range(steps):
        error = walk.w * x + walk.b - y
        walk.gw, walk.gb = float((2 * error * x).mean()), float((2 * error).mean())
        by_w, by_b = update(walk)
        walk.w -= rate * by_w
        walk.b -= rate * by_b
        path.append((float((error**2).mean()), walk.w, walk.b))
    return path


def _wrong_paths(
    x: Tensor, y: Tensor, w: float, b: float, rate: float, steps: int
) -> Iterator[tuple[Cause, list[Line]]]:
    for cause, update in _wrong_updates(x, y, rate):
        yield cause, _descend(update, x, y, w, b, rate, steps)
    right = _descend(_plain, x, y, w, b, rate, steps)
    longer = _descend(_plain, x, y, w, b, rate, steps + 1)
    yield from _wrong_records(right, longer, (w, b), x.numel())
    yield from table(
        "gradient_loop.fit",
        start_from_zero=("The fit starts from w = b = 0, not from what was given.",
            _descend(_plain, x, y, 0.0, 0.0, rate, steps)),
        w_from_zero=("The fit starts from w = 0, not from the w that was given.",
            _descend(_plain, x, y, 0.0, b, rate, steps)),
        b_from_zero=("The fit starts from b = 0, not from the b that was given.",
            _descend(_plain, x, y, w, 0.0, rate, steps)),
    )  # fmt: skip


def _wrong_updates(x: Tensor, y: Tensor, rate: float) -> Iterator[tuple[Cause, Update]]:
    count, first = x.numel(), len(x) if x.dim() else 1
    updates: Iterator[tuple[Cause, Update]] = table(
        "gradient_loop",
        gradients__accumulated=(
            "The gradient accumulates from step to step: clear it before every backward().",
            _carried(1.0)),
        gradients__accumulated_w=(
            "The gradient of w accumulates from step to step: clear it before every backward().",
            _carried(1.0, of_b=False)),
        gradients__accumulated_b=(
            "The gradient of b accumulates from step to step: clear it before every backward().",
            _carried(1.0, of_w=False)),
        fit__still=(STILL, _scaled(0)),
        fit__b_after_w=("b's gradient already knows the new w: take both gradients before the first update.",
            partial(_b_after_w, x=x, y=y, rate=rate)),
        fit__w_after_b=("w's gradient already knows the new b: take both gradients before the first update.",
            partial(_w_after_b, x=x, y=y, rate=rate)),
        fit__w_alone=("Only w is updated.", lambda walk: (walk.gw, 0.0)),
        fit__b_alone=("Only b is updated.", lambda walk: (0.0, walk.gb)),
        fit__gradients_exchanged=("The gradients of w and b are exchanged.",
            lambda walk: (walk.gb, walk.gw)),
        fit__uphill=("The step goes uphill: the sign is flipped.", _scaled(-1)),
        fit__summed=("The gradients are added up over the points, not averaged.", _scaled(count)),
        fit__first_dimension=(
            "The gradients are divided by the length of the first dimension, not by all elements.",
            _scaled(count / first)),
        fit__mean_twice=("The mean over the points is taken twice.", _scaled(1 / count)),
        fit__half_steps=(
            "Each step is half as long: the factor 2 of the square's derivative is missing, or the step is halved.",
            _scaled(0.5)),
        fit__double_steps=("Each step is twice as long, as if the gradient were counted twice.",
            _scaled(2)),
        rate_unused=(RATE_UNUSED, _scaled(1 / rate)),
        rate_twice=(RATE_TWICE, _scaled(rate)),
        fit__rate_shrinks=("The learning rate shrinks from step to step; plain gradient descent keeps it.",
            lambda walk: (walk.gw / (walk.number + 1), walk.gb / (walk.number + 1))),
        fit__momentum=("Momentum is used; plain gradient descent has none.", _carried(0.9)),
        fit__gradients_frozen=("The gradients are computed once, before the loop.", _frozen),
        fit__first_point=(
            "Each step looks at the first point alone; the gradient is the mean over all points.",
            lambda walk: _by_point(walk, x, y, 0)),
        fit__point_by_point=(
            "Each step looks at one point in turn; the gradient is the mean over all points.",
            lambda walk: _by_point(walk, x, y, walk.number % count)),
        length_one_together=(LENGTH_ONE_TOGETHER, _normalised),
        fit__adam=("The steps are Adam's, not those of plain gradient descent.", _by_adam),
        fit__signs_alone=("The gradients are clipped to ±1, or only their signs are used.",
            _each(lambda g: math.copysign(1, g))),
        fit__clipped=("The gradients are clipped to ±1.", _each(lambda g: max(-1.0, min(1.0, g)))),
        fit__cleared_every_other=("The gradient is cleared in every other step only.",
            _every_other),
    )  # fmt: skip
    yield from updates
    for fixed in (1.0, 0.1, 0.05, 0.01, 0.001, 1e-4):
        yield fixed_rate(fixed), _scaled(fixed / rate)
    square = float((x * x).mean())
    for step, sign in itertools.product(STEPS, (1, -1)):
        yield QUOTIENT, _shifted(sign * step * square, sign * step)
    for decay in DECAYS:
        yield DECAYING, _decayed(decay)


def _carried(share: float, *, of_w: bool = True, of_b: bool = True) -> Update:
    def update(walk: _Walk) -> tuple[float, float]:
        by_w = walk.gw + (share * walk.kept[0] if of_w else 0.0)
        by_b = walk.gb + (share * walk.kept[1] if of_b else 0.0)
        walk.kept = (by_w, by_b)
        return walk.kept

    return update


def _scaled(factor: float) -> Update:
    return lambda walk: (factor * walk.gw, factor * walk.gb)


def _shifted(by_w: float, by_b: float) -> Update:
    return lambda walk: (walk.gw + by_w, walk.gb + by_b)


def _decayed(share: float) -> Update:
    return lambda walk: (walk.gw + share * walk.w, walk.gb + share * walk.b)


def _each(change: Callable[[float], float]) -> Update:
    return lambda walk: (change(walk.gw), change(walk.gb))


def _b_after_w(walk: _Walk, x: Tensor, y: Tensor, rate: float) -> tuple[float, float]:
    return walk.gw, float((2 * ((walk.w - rate * walk.gw) * x + walk.b - y)).mean())


def _w_after_b(walk: _Walk, x: Tensor, y: Tensor, rate: float) -> tuple[float, float]:
    return float((2 * (walk.w * x + (walk.b - rate * walk.gb) - y) * x).mean()), walk.gb


def _frozen(walk: _Walk) -> tuple[float, float]:
    if walk.number == 0:
        walk.kept = (walk.gw, walk.gb)
    return walk.kept


def _every_other(walk: _Walk) -> tuple[float, float]:
    kept = walk.kept if walk.number % 2 else (0.0, 0.0)
    walk.kept = (walk.gw + kept[0], walk.gb + kept[1])
    return walk.kept


def _normalised(walk: _Walk) -> tuple[float, float]:
    length = math.hypot(walk.gw, walk.gb) or 1
    return walk.gw / length, walk.gb / length


def _by_point(walk: _Walk, x: Tensor, y: Tensor, number: int) -> tuple[float, float]:
    x0, y0 = float(x.flatten()[number]), float(y.flatten()[number])
    error = 2 * (walk.w * x0 + walk.b - y0)
    return error * x0, error


def _by_adam(walk: _Walk) -> tuple[float, float]:
    walk.first = tuple(
        0.9 * m + 0.1 * g for m, g in zip(walk.first, (walk.gw, walk.gb), strict=True)
    )
    walk.second = tuple(
        0.999 * v + 0.001 * g * g for v, g in zip(walk.second, (walk.gw, walk.gb), strict=True)
    )
    t = walk.number + 1
    by_w, by_b = (
        m / (1 - 0.9**t) / (math.sqrt(v / (1 - 0.999**t)) + 1e-8)
        for m, v in zip(walk.first, walk.second, strict=True)
    )
    return by_w, by_b


def _wrong_records(
    right: list[Line], longer: list[Line], start: tuple[float, float], count: int
) -> Iterator[tuple[Cause, list[Line]]]:
    """What is recorded of the right path instead; `longer` goes one step further."""
    before = [start, *((w, b) for _, w, b in right)]
    n = float(count)
    yield from table(
        "gradient_loop.history",
        parameters_before=("w and b are recorded before the update; they belong after it.",
            [(step[0], *old) for step, old in zip(right, before, strict=False)]),
        loss_after=("The loss is recorded after the update; it belongs before it.",
            [(later[0], step[1], step[2]) for later, step in zip(longer[1:], right, strict=True)]),
        loss_summed=("The sum of the squares is recorded as the loss, not their mean.",
            [(n * loss, w, b) for loss, w, b in right]),
        loss_half=("Half the loss is recorded.", [(loss / 2, w, b) for loss, w, b in right]),
        loss_root=("The root of the loss is recorded.",
            [(loss**0.5, w, b) for loss, w, b in right]),
        exchanged=("w and b are exchanged in each Step.", [(loss, b, w) for loss, w, b in right]),
        same_object=("Every entry holds the last values: the same object is recorded again and again.",
            right[-1:] * len(right)),
        same_tensors=("Every entry holds the last w and b: the tensors are recorded, not their numbers.",
            [(loss, right[-1][1], right[-1][2]) for loss, _, _ in right]),
        first_loss=("Every entry holds the first loss: it is computed once, before the loop.",
            [(right[0][0], w, b) for _, w, b in right]),
        backwards=("The list runs backwards.", right[::-1]),
        last_alone=("Only the last step is returned.", right[-1:]),
        first_alone=("Only the first step is returned: a return or a break ends the loop.",
            right[:1]),
        last_missing=("The last step is missing.", right[:-1]),
        one_too_many=("One step too many is made.", longer),
        start_first=("The first entry holds the values before any step; a Step is what one step did.",
            [(right[0][0] if right else 0.0, *start), *right]),
        start_recorded=("The start is recorded as a step, and the last step is missing.",
            [(step[0], *old) for step, old in zip(longer, before, strict=False)]),
    )  # fmt: skip
