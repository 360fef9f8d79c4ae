"""The hidden suite for gradient_loop.py. Cases are a table, properties are functions."""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, NamedTuple

import pytest
import torch

from autograder.report import Cause
from autograder.sandbox.values import NamedTupleValue
from autograder.suite import properties
from autograder.suite.candidates import Answered, Candidate, diagnose_all, same
from autograder.suite.cases import one_by_one
from autograder.suite.failures import NO_RETURN, CheckFailed, expect, why
from autograder.suite.parity import alike, compare, compare_number, describe
from autograder.suite.ranges import Ranges, Row, Span, choice
from autograder.suite.replies import Answer
from autograder.suite.sampler import VALUES, Sampler
from autograder.suite.slips import charged_once, is_forgiven
from autograder.suite.student import Input, Student
from autograder.suite.tolerances import FLOAT32, LINE, TRAJECTORY, Tolerance
from tower_student.language import mark, plural, tr

import misconceptions
from operators import BACKWARD, DIFFERENTIATION
from reference import fitted_line

Shape = tuple[int, ...]
Given = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]
"""x, y, w, b."""
Line = tuple[float, float, float]
"""Loss, w and b of one step."""


class Data(NamedTuple):
    """What x and y are like: their shape, and the kind of their values."""

    shape: Shape
    values: str = VALUES[0]

    def __str__(self) -> str:
        return str(self.shape)


DATA = [Data((7,)), Data(()), Data((1,)), Data((3, 4)), Data((2, 1, 5))]


def traits(data: Data) -> list[str]:
    """What there is to the shape of the data, in words."""
    dimensions = len(data.shape)
    if not dimensions:
        return [tr("a single number, a tensor without dimensions")]
    trait = plural("data with {count} dimension", "data with {count} dimensions", dimensions)
    return [trait] * (dimensions > 1)


SHAPE = {
    "points": Span(mark("{n} points"), 1, 3, 4096, least=2, one=mark("{n} point")),
    "dimensions": Span(mark("{n} dimensions"), 0, 6, least=1, one=mark("{n} dimension")),
    "rows": Span(mark("{n} rows"), 1, 3, 64, one=mark("{n} row")),
}
KIND = {"values": choice(mark("data that are {n}"), VALUES)}


def drawn_shape(row: Row) -> Shape:
    """The shape of a row: its points along the first dimension, its rows along the second."""
    sizes = (row["points"], row["rows"], *(1 + i % 2 for i in range(row["dimensions"])))
    return sizes[: row["dimensions"]]


def work(row: Row) -> int:
    """Numbers that a question holds."""
    return math.prod(drawn_shape(row))


def drawn_data(row: Row) -> Data:
    """The data of a row."""
    return Data(drawn_shape(row), VALUES[row["values"]])


by_data = one_by_one("data", DATA, traits, drawn=[Ranges(SHAPE | KIND, drawn_data, work)])


MORE = 3
"""Questions of the same kind that a cause has to explain, too: any two numbers may agree by chance."""


def compare_alike(
    what: str,
    got: Any,
    expected: torch.Tensor,
    candidates: Callable[[], Iterable[Candidate]],
    again: Callable[[], Answered],
) -> None:
    """Compare an answer; a cause among the candidates has to explain other answers as well.

    Args:
        candidates: what else could have come out; computed for a wrong answer alone.
        again: asks a question of the same kind.

    Raises:
        CheckFailed: they differ.
    """
    try:
        compare(what, got, expected, candidates=candidates())
    except CheckFailed as failure:
        own = failure.cause

        def found() -> Cause | None:
            known = [*candidates()]
            if own not in {candidate.cause for candidate in known}:
                return own
            more = [again() for _ in range(MORE)]
            return diagnose_all([(got, expected, known), *more], alone=True)

        raise failure.instead(found) from None


def with_nan(x: torch.Tensor) -> torch.Tensor:
    """The same values, the first of which is NaN."""
    x = x.clone()
    x.view(-1)[0] = math.nan
    return x


def passes_nan_on(result: object, expected: torch.Tensor) -> None:
    """Require NaN where it is expected, and only there. Raises CheckFailed."""
    expect(
        [*map(math.isnan, numbers(result))] == expected.isnan().flatten().tolist(),
        tr(
            "A number of the data is NaN, and the result does not show it, or shows it elsewhere too."
        ),
        cause=why(
            "gradient_loop.nan_replaced",
            "NaN is left out or replaced on the way; it has to show that something went wrong.",
        ),
    )


def line(sampler: Sampler, data: Data) -> Given:
    """x, y, w, b: data, and parameters without dimensions."""
    x, y = (sampler.values(data.values, *data.shape) for _ in "xy")
    return x, y, sampler.normal(), sampler.normal()


@by_data
def test_predict(student: Student, sampler: Sampler, data: Data) -> None:
    """predict returns w·x + b for every x.

    handouts/gradient_loop.md, "The arithmetic, worked".
    """
    x, _, w, b = line(sampler, data)
    answer = student.call("predict", x, w, b, after=True)

    def again() -> Answered:
        x, _, w, b = line(sampler, data)
        return student.predict(x, w, b), w * x + b, misconceptions.of_prediction(x, w, b)

    candidates = partial(misconceptions.of_prediction, x, w, b)
    compare_alike(tr("the prediction"), answer.value, w * x + b, candidates, again)
    single = [tensor.float() for tensor in (x, w, b)]
    expected = single[1] * single[0] + single[2]
    compare(tr("the prediction in float32"), student.predict(*single), expected, FLOAT32)
    if data in DATA:
        passes_nan_on(student.predict(with_nan(x), w, b), with_nan(x))
    untouched(answer, {"x": x, "w": w, "b": b})


ERROR = "gradient_loop.squared_error"
"""The slip that squared_error is wrong: where it is forgiven, a fit is right that follows it."""


@by_data
@charged_once(ERROR)
def test_squared_error(student: Student, sampler: Sampler, data: Data) -> None:
    """squared_error is the mean of the squared differences over all elements.

    handouts/gradient_loop.md, "What trips people up".
    """
    y_predicted, y, *_ = line(sampler, data)
    answer = student.call("squared_error", y_predicted, y, after=True)
    expected = ((y_predicted - y) ** 2).mean()

    def again() -> Answered:
        one, other, *_ = line(sampler, data)
        value = student.squared_error(one, other)
        return value, ((one - other) ** 2).mean(), misconceptions.of_error(one, other)

    candidates = partial(misconceptions.of_error, y_predicted, y)
    compare_alike(tr("the error"), answer.value, expected, candidates, again)
    far, farther = y_predicted + 1e6, y + 1e6
    what = tr("the error of values near a million")
    lost = why(
        "gradient_loop.squared_error.cancellation",
        "Digits are lost where large numbers nearly cancel: subtract first, then square.",
    )
    compare(what, student.squared_error(far, farther), ((far - farther) ** 2).mean(), reading=lost)
    if data in DATA:
        passes_nan_on(student.squared_error(y_predicted, with_nan(y)), torch.tensor(math.nan))
    untouched(answer, {"y_predicted": y_predicted, "y": y})


def derivatives(
    x: torch.Tensor, y: torch.Tensor, w: torch.Tensor, b: torch.Tensor
) -> dict[str, torch.Tensor]:
    """The oracle's gradients, by autograd."""
    w, b = w.clone().requires_grad_(), b.clone().requires_grad_()
    ((w * x + b - y) ** 2).mean().backward()
    assert w.grad is not None
    assert b.grad is not None
    return {"grad_w": w.grad, "grad_b": b.grad}


EXCHANGED = why("gradient_loop.gradients.exchanged", "The two gradients are exchanged.")


def gradient_pair(result: Any) -> list[Any]:
    """The two gradients; a number is as good as a tensor without dimensions. Raises CheckFailed."""
    expect(
        isinstance(result, tuple | list) and len(result) == 2,
        tr("The result is {got}; expected the pair (grad_w, grad_b).", got=describe(result)),
    )
    return [
        torch.tensor(got, dtype=torch.float64)
        if isinstance(got, float | int) and not isinstance(got, bool)
        else got
        for got in result
    ]


def compare_gradients(
    student: Student,
    result: Any,
    given: Sequence[torch.Tensor],
    again: Callable[[str], Answered],
) -> None:
    """The pair (grad_w, grad_b).

    Args:
        again: answers another question of the same kind: one of the gradients, by its name.
    """
    result = gradient_pair(result)
    expected = derivatives(*given)
    try:
        for got, (name, gradient) in zip(result, expected.items(), strict=True):
            candidates = partial(misconceptions.of_line_gradient, name, *given)
            compare_alike(name, got, gradient, candidates, partial(again, name))
    except CheckFailed as failure:
        exchanged = all(
            isinstance(got, torch.Tensor) and same(got, other)
            for got, other in zip(result, reversed(expected.values()), strict=True)
        )
        raise failure.because(EXCHANGED if exchanged else None).beside(
            partial(own_prediction, student, result, given)
        ) from None


def own_prediction(
    student: Student, result: list[Any], given: Sequence[torch.Tensor]
) -> Cause | None:
    """What it means if the gradients are right but for the student's own predict."""
    x, y, w, b = given
    off = student.predict(x, w, b) - y
    own = (2 * off * x).mean(), (2 * off).mean()
    if not all(map(same, result, own)):
        return None
    return why(
        "gradient_loop.gradients.own_prediction",
        "The formulas are right for what predict returns here, and that is wrong: see its check.",
    )


@by_data
def test_manual_gradients(student: Student, sampler: Sampler, data: Data) -> None:
    """manual_gradients returns the derivatives of the error by w and by b.

    handouts/gradient_loop.md, "The arithmetic, worked": the chain rule gives mean(2·e·x) and
    mean(2·e).
    """
    given = line(sampler, data)

    def again(name: str) -> Answered:
        other = line(sampler, data)
        found = gradient_pair(student.call("manual_gradients", *other, grad=False).value)
        got = found[["grad_w", "grad_b"].index(name)]
        return got, derivatives(*other)[name], misconceptions.of_line_gradient(name, *other)

    with arithmetic_alone():
        answer = student.call("manual_gradients", *given, grad=False, after=True)
        compare_gradients(student, answer.value, given, again)
        if data in DATA:
            large = [1e5 * tensor for tensor in given[:2]] + list(given[2:])
            result = student.call("manual_gradients", *large, grad=False).value
            compare_gradients(student, result, large, again)
            x, y, w, b = given
            result = student.call("manual_gradients", x, with_nan(y), w, b, grad=False).value
            passes_nan_on(result, torch.full((2,), math.nan))
    untouched(answer, dict(zip("xywb", given, strict=True)))


def untouched(answer: Answer, given: Mapping[str, torch.Tensor]) -> None:
    """The caller's tensors are as they were: their values, and what autograd knows of them."""
    for (name, before), after, traits in zip(
        given.items(), answer.after, answer.traits, strict=False
    ):
        expect(
            isinstance(after, torch.Tensor) and torch.equal(after, before),
            tr("The caller's {name} was changed by the call.", name=name),
            cause=why(
                "gradient_loop.copies.before_update",
                "Work on copies: clone() before the first update in place.",
            ),
        )
        expect(
            traits.get("requires_grad") is False and traits.get("has_grad") is False,
            tr("The caller's {name} now requires a gradient.", name=name),
            cause=why(
                "gradient_loop.copies.before_requires_grad",
                "Work on copies: clone() before requires_grad_().",
            ),
        )


ARITHMETIC = why(
    "gradient_loop.by_hand",
    "PyTorch is asked for the derivatives, as by backward() or grad(), or autograd is switched on for them; "
    "write them as arithmetic.",
)


@contextmanager
def arithmetic_alone() -> Iterator[None]:
    """Autograd is off here, so that what asks for it raises; say so."""
    try:
        yield
    except CheckFailed as failure:
        refused = any("does not require grad" in line for line in failure.quoted)

        def found(failure: CheckFailed = failure) -> Cause | None:
            own = failure.cause
            left_on = own is not None and own.id == "gradient.left_on"
            return ARITHMETIC if refused or left_on else own

        raise failure.instead(found) from None


def test_manual_by_hand(student: Student, sampler: Sampler) -> None:
    """The gradients of the manual fit are arithmetic: autograd is not asked.

    handouts/gradient_loop.md, "How it is graded": autograd is off, and calling it is recorded.
    """
    x, y, w, b = line(sampler, Data((6,)))
    for name, rest, other in (("manual_gradients", (), HUGE), ("train_manual", (0.07, 3), 2)):
        answers = []
        for how in unlike(sampler):
            with arithmetic_alone():
                answer = student.call(name, x, y, w, b, *rest, grad=False, **how)
            answers.append(numbers(answer.value))
            if answer.seen:
                properties.by_hand(
                    student, answer.seen, DIFFERENTIATION, BACKWARD, cause=ARITHMETIC
                )
        expect(
            alike_numbers(*answers),
            tr("Asked the same twice, {name} answers differently.", name=name),
            cause=partial(arithmetic_or_kept, student, name, (x, y, w, b, *rest)),
        )
        with arithmetic_alone(), overflow_alone():
            far = numbers(student.call(name, x, other * y, w, b, *rest, grad=False).value)
            expect(far != answers[0], tr("What {name} returns does not follow y.", name=name))
            expect(
                all(map(math.isfinite, far)),
                tr("The derivatives are not finite where y is very large."),
                cause=DIFFERENCES if all(map(math.isfinite, answers[0])) else None,
            )


def numbers(value: object) -> list[float]:
    """The numbers of an answer, in order. Raises CheckFailed where there is none."""
    match value:
        case torch.Tensor():
            found = value.double().flatten().tolist()
        case float() | int():
            found = [float(value)]
        case list() | tuple():
            found = [number for item in value for number in numbers(item)]
        case _:
            found = []
    expect(bool(found), tr("The result is {got}; expected numbers.", got=describe(value)))
    return found


def arithmetic_or_kept(student: Student, name: str, given: Sequence[Any]) -> Cause:
    """Why answers differ under another autograd: unless they differ without one."""
    answers = [numbers(student.call(name, *given, grad=False).value) for _ in range(2)]
    if alike_numbers(*answers):
        return ARITHMETIC
    return why(
        "gradient_loop.by_hand.unsteady",
        "The same question is answered differently each time: something is kept from call to call, as in a "
        "list that is a default argument, or chance takes part.",
    )


def alike_numbers(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether two lists hold the same numbers; NaN is the same as NaN."""
    pairs = itertools.zip_longest(one, other)
    return all(a == b or (a != a and b != b) for a, b in pairs)


@contextmanager
def overflow_alone() -> Iterator[None]:
    """Python's own numbers raise where they overflow, whoever looks at the error beside."""
    try:
        yield
    except CheckFailed as failure:
        if not any("OverflowError" in line for line in failure.quoted):
            raise


HUGE = 1e200
"""Its square is beyond float64, and so is an error near it; derivatives of that error are not."""


def unlike(sampler: Sampler) -> list[dict[str, Any]]:
    """Ways to ask the same, in random order: recorded, and with an autograd whose derivatives are wrong."""
    ways: list[dict[str, Any]] = [{"watch": True}, {"skewed": True}]
    return ways if sampler.seed() % 2 else ways[::-1]


DIFFERENCES = why(
    "gradient_loop.differences",
    "The squares of the errors overflow there, and the derivatives do not: 2·e·x and 2·e take no square, a "
    "difference quotient of the loss does.",
)


NOT_THERE = why(
    "gradient_loop.step.no_grad_needed",
    "The gradients are the second argument of sgd_step; its parameters need have no .grad.",
)


NO_GRAD = why(
    "gradient_loop.step.recorded",
    "A leaf that requires a gradient may be changed in place where nothing is recorded: within "
    "torch.no_grad().",
)


class Stepped(NamedTuple):
    """Parameters by their shapes, whether they are leaves that require a gradient, and the rate."""

    shapes: tuple[Shape, ...]
    leaves: bool = False
    rate: float | None = None
    values: str = VALUES[0]

    def __str__(self) -> str:
        return f"{'leaves' if self.leaves else 'plain'}-{self.shapes}"


PARAMETERS: list[tuple[Shape, ...]] = [((),), ((3,), ()), ((2, 3), (4,), (1, 2, 2))]
STEPPED = [Stepped(shapes, leaves) for leaves in (False, True) for shapes in PARAMETERS]
RATES = (0.1, 0.0, 1.0, 0.001, 1e-5, 3.0, 100.0)


def traits_of_step(step: Stepped) -> list[str]:
    """What there is to a step, in words."""
    possible = {
        tr("several parameters"): len(step.shapes) > 1,
        tr("leaves that require a gradient"): step.leaves,
    }
    return [trait for trait, holds in possible.items() if holds]


def drawn_step(row: Row) -> Stepped:
    """The step of a row: the first parameter is the one that is drawn."""
    shapes = (drawn_shape(row), *(((2,), (), (1, 3))[i % 3] for i in range(1, row["parameters"])))
    return Stepped(shapes, bool(row["leaves"]), RATES[row["rate"]], VALUES[row["values"]])


by_step = one_by_one(
    "step",
    STEPPED,
    traits_of_step,
    drawn=[
        Ranges(
            SHAPE
            | KIND
            | {
                "parameters": Span(mark("{n} parameters"), 1, 3, 64, one=mark("{n} parameter")),
                "leaves": choice(mark("parameters that are {n}"), ("plain", "leaves")),
                "rate": choice(mark("a learning rate of {n}"), RATES),
            },
            drawn_step,
            work,
        )
    ],
)


@by_step
def test_sgd_step(student: Student, sampler: Sampler, step: Stepped) -> None:
    """sgd_step moves each parameter in place, against its gradient.

    handouts/gradient_loop.md, "What trips people up".
    """
    shapes, leaves, rate, values = step
    parameters = [sampler.normal(*shape) for shape in shapes]
    gradients = [sampler.values(values, *shape) for shape in shapes]
    rate = sampler.number(0.01, 0.5) if rate is None else rate
    given = [Input(p, requires_grad=leaves) for p in parameters]
    try:
        answer = student.call("sgd_step", given, gradients, rate, after=True)
    except CheckFailed as failure:
        absent = failure.cause is not None and failure.cause.id == "raised.grad_none"
        refused = any("leaf Variable" in line for line in failure.quoted)
        known = NOT_THERE if absent else NO_GRAD if refused else None
        raise failure.because(known) from None
    for i, (before, gradient) in enumerate(zip(parameters, gradients, strict=True)):
        after = answer.after[0][i]
        expect(
            not isinstance(after, torch.Tensor)
            or not torch.equal(after, before)
            or torch.equal(before - rate * gradient, before),
            tr("Parameter {number} did not move.", number=i + 1),
            cause=why(
                "gradient_loop.step.return_in_loop",
                "Those before it have moved: a return stands inside the loop, or it ends too early.",
            )
            if i and step in STEPPED
            else why(
                "gradient_loop.step.new_tensor",
                "The update made a new tensor; change the given one, as -= does.",
            )
            if step in STEPPED
            else why(
                "gradient_loop.step.left_out",
                "Others have moved: something leaves out a step, by its size, its number or its values.",
            ),
        )
        candidates = partial(misconceptions.of_step, before, gradient, rate)
        what, expected = (
            tr("parameter {number} after the step", number=i + 1),
            before - rate * gradient,
        )

        def again(i: int = i) -> Answered:
            some = [sampler.normal(*shape) for shape in shapes]
            others = [sampler.values(values, *shape) for shape in shapes]
            leaf = [Input(p, requires_grad=leaves) for p in some]
            value = student.call("sgd_step", leaf, others, rate, after=True).after[0][i]
            right = some[i] - rate * others[i]
            return value, right, misconceptions.of_step(some[i], others[i], rate)

        compare_alike(what, after, expected, candidates, again)
        compare(tr("gradient {number} after the step", number=i + 1), answer.after[1][i], gradient)
        expect(
            answer.traits[i].get("moved") is False,
            tr("Parameter {number} was given other memory.", number=i + 1),
            cause=why(
                "gradient_loop.step.memory_exchanged",
                "Assigning to .data exchanges the memory, and what shares the old one stays where it was; "
                "change the values in place.",
            ),
        )
        expect(
            answer.traits[i].get("requires_grad") is leaves,
            tr("Parameter {number} no longer requires a gradient.", number=i + 1)
            if leaves
            else tr("Parameter {number} now requires a gradient.", number=i + 1),
            cause=why(
                "gradient_loop.step.requires_grad_lasts",
                "requires_grad_() was called on it and lasts; torch.no_grad() ends with its block.",
            ),
        )


FitCase = tuple[Shape, float, int]
FITS: list[FitCase] = [  # shape of the data, learning rate (none that somebody might fix), steps
    ((7,), 0.13, 5),
    ((), 0.047, 6),
    ((7,), 0.023, 1),
    ((3, 4), 0.061, 8),
    ((5, 1), 0.17, 4),
    ((4,), 0.13, 0),
]
LEARNING_RATES = (0.04, 0.0, 0.01, 0.001, 1e-4, 0.3, 0.7)


def drawn_fit(row: Row) -> FitCase:
    """The fit of a row."""
    return drawn_shape(row), LEARNING_RATES[row["rate"]], row["steps"]


by_fit = one_by_one(
    "fit",
    FITS,
    lambda fit: traits(Data(fit[0])) + [tr("no step at all")] * (fit[2] == 0),
    drawn=[
        Ranges(
            SHAPE
            | {
                "steps": Span(mark("{n} steps"), 0, 3, 256, least=2, one=mark("{n} step")),
                "rate": choice(mark("a learning rate of {n}"), LEARNING_RATES),
            },
            drawn_fit,
            lambda row: 50 * row["steps"] + work(row),
        )
    ],
)


class Fit(NamedTuple):
    """Data and the start of a descent, and how it is to be walked."""

    x: torch.Tensor
    y: torch.Tensor
    w: torch.Tensor
    b: torch.Tensor
    rate: float
    steps: int
    by_autograd: bool = False

    def numbers(self) -> tuple[torch.Tensor, torch.Tensor, float, float, float, int]:
        """The same, with the start as numbers."""
        return self.x, self.y, self.w.item(), self.b.item(), self.rate, self.steps


def own_line(student: Student, fit: Fit) -> list[Line]:
    """The path whose losses are what the student's own squared_error says.

    `fit.by_autograd` takes its derivatives as well, by central differences: exact for a square.
    """
    x, y, w, b, rate, steps = fit.numbers()

    def error(w: float, b: float) -> float:
        value = alike(tr("the error"), student.squared_error(w * x + b, y), y.new_zeros(()))
        return value.item()

    path = []
    for _ in range(steps):
        loss, off = error(w, b), w * x + b - y
        if fit.by_autograd:
            slopes = error(w + 1, b) - error(w - 1, b), error(w, b + 1) - error(w, b - 1)
        else:
            slopes = 4 * float((off * x).mean()), 4 * float(off.mean())
        w, b = w - rate * slopes[0] / 2, b - rate * slopes[1] / 2
        path.append((loss, w, b))
    return path


def compare_history(
    student: Student, history: Any, fit: Fit, other: Sequence[Line] | None = None
) -> None:
    """A list of (loss, w, b), one for each step, equal to the oracle's, or to that of the other way."""
    expect(
        isinstance(history, tuple | list),
        tr("The result is {got}; expected a list of Step.", got=describe(history)),
        cause=NO_RETURN if history is None else None,
    )
    forgiven = is_forgiven(ERROR)
    if forgiven:
        expected: Sequence[Line] = own_line(student, fit)
    else:
        expected = fitted_line(*fit.numbers()) if other is None else other
    try:
        compare_steps(history, expected, TRAJECTORY if forgiven else LINE)
    except CheckFailed as failure:
        raise failure.because(lambda: history_cause(student, history, fit)) from None


CARRIED_OVER = why(
    "gradient_loop.fit.carried_over",
    "The first step was right and a later one is not: something is carried over, or depends on the values.",
)


def compare_steps(history: Sequence[Any], expected: Sequence[Line], tolerance: Tolerance) -> None:
    """Number by number."""
    expect(
        len(history) == len(expected),
        plural(
            "The list holds {count} step; expected {expected}.",
            "The list holds {count} steps; expected {expected}.",
            len(history),
            expected=len(expected),
        ),
        cause=why(
            "gradient_loop.history.one_step_each",
            "One Step belongs to each update, no more and no fewer, in a new list for each call.",
        ),
    )
    for i, (step, reference) in enumerate(zip(history, expected, strict=True)):
        expect(
            isinstance(step, NamedTupleValue) and step.fields == ("loss", "w", "b"),
            tr(
                "Entry {number} is {got}; expected Step(loss, w, b).",
                number=i + 1,
                got=describe(step),
            ),
            cause=why(
                "gradient_loop.history.not_a_step",
                "Step is the class in the skeleton: Step(loss, w, b), with three numbers.",
            ),
        )
        for name, got, value in zip(("loss", "w", "b"), step, reference, strict=True):
            try:
                what = tr("{name} of step {number}", name=name, number=i + 1)
                compare_number(what, got, value, tolerance)
            except CheckFailed as failure:
                raise failure.beside(CARRIED_OVER if i and name != "loss" else None) from None


def history_cause(student: Student, history: Sequence[Any], fit: Fit) -> Cause | None:
    """The misconception whose path this is, if it is a path at all, or the function that leads there."""
    numbers: list[Any] = [
        tuple(map(float, step))
        for step in history
        if isinstance(step, tuple)
        and len(step) == 3
        and all(isinstance(value, float | int) for value in step)
    ]
    if len(numbers) != len(history):
        return None
    # What one of the functions says is seen; that a path is like a wrong one may be so by chance.
    with suppress(CheckFailed, TypeError, ValueError, RuntimeError):
        if part := wrong_part(student, numbers[:MAX_ASKED], fit):
            return part
    return misconceptions.diagnose_history(numbers, *fit.numbers())


MAX_ASKED = 3
"""Steps of a path that are taken again with the student's own functions."""
PARTS = {
    "loss": why(
        "gradient_loop.fit.own_loss",
        "Each loss is what predict and squared_error return here, and one of them is wrong: see their checks.",
    ),
    "gradients": why(
        "gradient_loop.fit.own_gradients",
        "Each step follows what manual_gradients returns here, and that is wrong: see its check.",
    ),
    "step": why(
        "gradient_loop.fit.own_step",
        "Each step is what sgd_step makes of the right gradients, and that is wrong: see its check.",
    ),
}


def wrong_part(student: Student, path: Sequence[Line], fit: Fit) -> Cause | None:
    """Which of the student's functions explains every one of these steps, and is wrong in one."""
    before = [(fit.w.item(), fit.b.item()), *((w, b) for _, w, b in path[:-1])]
    found: dict[str, list[tuple[Any, Any, Any]]] = {name: [] for name in PARTS}
    for start, (loss, *reached) in zip(before, path, strict=True):
        given = [fit.x, fit.y, *torch.tensor(start, dtype=torch.float64)]
        x, y, w, b = given
        gradients = torch.stack([*derivatives(x, y, w, b).values()])
        error = student.squared_error(student.predict(x, w, b), y)
        found["loss"].append((loss, error, ((w * x + b - y) ** 2).mean()))
        own = torch.stack([*student.call("manual_gradients", *given, grad=False).value])
        origin, after = torch.stack([w, b]), torch.tensor(reached, dtype=torch.float64)
        found["gradients"].append((after, origin - fit.rate * own, origin - fit.rate * gradients))
        stepped = student.call("sgd_step", [w, b], [*gradients], fit.rate, after=True).after[0]
        found["step"].append((after, torch.stack([*stepped]), origin - fit.rate * gradients))
    for name, answers in found.items():
        if all(close(got, own) for got, own, _ in answers) and not all(
            close(own, right) for _, own, right in answers
        ):
            return PARTS[name]
    return None


def close(a: object, b: object) -> bool:
    """Whether two numbers or tensors are the same, but for rounding."""
    one, other = (torch.as_tensor(value, dtype=torch.float64) for value in (a, b))
    return one.shape == other.shape and torch.allclose(one, other, rtol=1e-9, atol=1e-12)


def train(
    student: Student, name: str, given: Given, rate: float, steps: int, *, again: bool = False
) -> Any:
    """Call train_manual or train_autograd; the caller's tensors stay as they are."""
    return training(student, name, given, rate, steps, again=again)()


def training(
    student: Student, name: str, given: Given, rate: float, steps: int, *, again: bool = False
) -> Callable[[], Any]:
    """Ask as train does; return what waits for the answer."""
    call = f"{name}(x, y, w, b, learning_rate={rate}, steps={steps})"
    asked = tr("{call} with x of shape {shape}", call=call, shape=tuple(given[0].shape))
    answered = student.calling(name, *given, rate, steps, after=True, again=again, asked=asked)

    def answer() -> Any:
        answer = answered()
        untouched(answer, dict(zip("xywb", given, strict=True)))
        return answer.value

    return answer


def judge_training(student: Student, sampler: Sampler, name: str, fit: FitCase) -> None:
    """The trajectory equals the oracle's."""
    shape, rate, steps = fit
    x, y, w, b = line(sampler, Data(shape))
    scale = 0.1 / rate if rate > 0.2 else 1.0  # where data are large, a large step leads away
    given = scale * x, y, w, b
    asked = Fit(*given, rate, steps, by_autograd=name == "train_autograd")
    answered = training(student, name, given, rate, steps)
    path = fitted_line(*asked.numbers())
    compare_history(student, answered(), asked, path)
    if fit is FITS[0]:
        x, _, w, b = given
        fitted = x, w * x + b, w, b
        history = train(student, name, fitted, rate, steps)
        try:
            compare_history(student, history, asked._replace(y=fitted[1]))
        except CheckFailed as failure:
            short = isinstance(history, tuple | list) and len(history) < steps
            raise failure.because(NOTHING_TO_DO if short else None) from None
        leaves_alone(student, name, asked)
        history = train(student, name, given, rate, steps, again=True)
        try:
            compare_history(student, history, asked, path)
        except CheckFailed as failure:
            raise failure.because(SHARED) from None


NOTHING_TO_DO = why(
    "gradient_loop.history.nothing_to_do",
    "The line fits from the start here, and nothing moves; each step is recorded all the same.",
)


SHARED = why(
    "gradient_loop.history.shared",
    "A second call with other data has changed what the first returned: make a new list in each call.",
)


def leaves_alone(student: Student, name: str, fit: Fit) -> None:
    """Parameters of the caller's that require a gradient are not changed either; they may be refused."""
    *given, rate, steps, _ = fit
    leaves = [*given[:2], *(Input(tensor, requires_grad=True) for tensor in given[2:])]
    try:
        answer = student.call(name, *leaves, rate, steps, after=True)
    except CheckFailed:
        return
    for parameter, before, after, traits in zip(
        "wb", given[2:], answer.after[2:4], answer.traits[2:4], strict=True
    ):
        expect(
            traits.get("has_grad") is False,
            tr("The caller's {name}, which requires a gradient, was given one.", name=parameter),
            cause=why(
                "gradient_loop.copies.clone_alone",
                "clone() alone stays connected to what it copies: detach().clone() is not.",
            ),
        )
        expect(
            isinstance(after, torch.Tensor) and torch.equal(after, before),
            tr(
                "The caller's {name}, which requires a gradient, was changed by the call.",
                name=parameter,
            ),
            cause=why(
                "gradient_loop.copies.detached",
                "Work on copies: detach().clone() before the first update in place.",
            ),
        )
    leaves[2:] = [Input(tensor, requires_grad=True, has_grad=True) for tensor in given[2:]]
    history = student.call(name, *leaves, rate, steps).value
    try:
        compare_history(student, history, fit)
    except CheckFailed as failure:
        raise failure.because(LEFT_OVER) from None


LEFT_OVER = why(
    "gradient_loop.copies.with_gradient",
    "What the caller's parameters had in .grad was taken over, and added to: detach().clone() leaves it behind.",
)


@by_fit
def test_train_manual(student: Student, sampler: Sampler, fit: FitCase) -> None:
    """train_manual walks the path of plain gradient descent, step by step.

    handouts/gradient_loop.md, "The arithmetic, worked": both gradients come from the same w and b.
    """
    judge_training(student, sampler, "train_manual", fit)


@by_fit
def test_train_autograd(student: Student, sampler: Sampler, fit: FitCase) -> None:
    """train_autograd walks the path of plain gradient descent, step by step.

    handouts/gradient_loop.md, "What trips people up".
    """
    judge_training(student, sampler, "train_autograd", fit)


@pytest.mark.parametrize("shape", [None, (9,)], ids=["classic", "data"])
def test_agreement(student: Student, sampler: Sampler, shape: Shape | None) -> None:
    """Both fits walk through the same numbers: x = 2, y = 5, and any other data.

    handouts/gradient_loop.md, "The idea": loss.backward() is the same chain rule.
    """
    if shape is None:
        x, y, w, b = torch.tensor([2.0, 5.0, 0.5, 0.1], dtype=torch.float64).unbind()
        given = x, y, w, b
    else:
        given = line(sampler, Data(shape))
    rate, steps = 0.03, 40
    fit = Fit(*given, rate, steps)
    manual = train(student, "train_manual", given, rate, steps)
    compare_history(student, manual, fit)
    history = train(student, "train_autograd", given, rate, steps)
    compare_history(student, history, fit._replace(by_autograd=True), other=manual)
    losses = [step[0] for step in history]
    expect(losses[-1] < losses[0] and math.isfinite(losses[-1]), tr("The loss does not fall."))


def test_asks_autograd(student: Student, sampler: Sampler) -> None:
    """train_autograd gets its gradients from autograd.

    handouts/gradient_loop.md, "What is asked": the two fits are to be two ways to the same
    numbers.
    """
    given = line(sampler, Data((5,)))
    answer = student.call("train_autograd", *given, 0.05, 3, watch=True)
    path = numbers(answer.value)
    properties.by_hand(student, answer.seen)
    assert answer.seen is not None
    expect(
        any(DIFFERENTIATION.search(name) for name in answer.seen.operators),
        tr("Autograd was never asked for a gradient."),
        cause=UNASKED,
    )
    try:
        skewed = numbers(student.call("train_autograd", *given, 0.05, 3, skewed=True).value)
    except CheckFailed:  # who compares with derivatives of their own may refuse them
        return
    expect(
        skewed != path,
        tr("Autograd was given other derivatives to say, and the fit takes the same path."),
        cause=misconceptions.STILL if len({*path[1::3]}) < 2 else UNASKED,
    )


UNASKED = why(
    "gradient_loop.autograd_unasked",
    "The steps do not follow the gradients of loss.backward() or torch.autograd.grad: they come from "
    "elsewhere, or only their signs are used.",
)
