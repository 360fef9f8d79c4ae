"""What holds of every layer: short functions that any module's hidden tests share.

A property asks the student's layer and the oracle the same question and compares the answers. It returns
nothing, and raises CheckFailed where they differ. The oracle is a layer of torch's or the course's own, with
the weights that the student's layer was given; `method` names the method that computes the output.
"""

import copy
import itertools
import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial

import torch
from torch import Tensor, nn

from autograder.report import Cause
from autograder.suite import registry, slips, statistics
from autograder.suite.behaviour import CHANGES_INPUT, IGNORES_INPUT, WrongOutput
from autograder.suite.candidates import same
from autograder.suite.failures import NO_RETURN, CheckFailed, Why, expect, partly, why
from autograder.suite.parity import alike, compare, describe
from autograder.suite.replies import Answer, Description, Seen, Transfers
from autograder.suite.sampler import Sampler
from autograder.suite.student import Input, Layer, Meta, Student
from autograder.suite.tolerances import FLOAT32, FLOAT64, HALF, TRAJECTORY, Tolerance
from tower_student.language import mark, plural, tr
from tower_student.text import listed, words

Look = Callable[[Mapping[str, Tensor], Mapping[str, Tensor]], None]
"""Is shown gradients by name: the student's, which may be anything, and the oracle's."""


def registered_like(oracle: nn.Module, layer: Layer, optional: Collection[str] = ()) -> None:
    """Require the oracle's parameters, by name, shape and dtype, its state dict keys, and that these load.

    Args:
        oracle: torch's layer, made with the same arguments. sampler.fill makes it float64: fill it after.
        optional: names, such as "bias", that are registered as None where the oracle has no such parameter.
    """
    made = layer.made
    expected = {name: tuple(p.shape) for name, p in oracle.named_parameters()}
    expect(
        made.shapes() == expected,
        _registered(made.shapes(), expected),
        cause=_registration_cause(made.shapes(), expected),
    )
    for parameter in made.parameters:
        kind = oracle.get_parameter(parameter.name).dtype
        dtype = str(kind).removeprefix("torch.")
        expect(
            parameter.dtype == dtype,
            tr(
                "{name} is {got}; expected {expected}.",
                name=parameter.name,
                got=parameter.dtype,
                expected=dtype,
            ),
            cause=lambda kind=kind: (
                _other_default(layer, kind)  # type: ignore[misc]
                or why(
                    "layer.dtype",
                    "The constructor's dtype has to reach the parameter; without one it is torch's default.",
                )
            ),
        )
        expect(
            parameter.requires_grad,
            tr("{name} does not require a gradient.", name=parameter.name),
            cause=why(
                "layer.frozen",
                "requires_grad of {name} is switched off: nothing trains it.",
                name=parameter.name,
            ),
        )
    expect(
        sorted(made.state) == sorted(oracle.state_dict()),
        tr(
            "The state dict holds {got}; expected {expected}.",
            got=words(made.state),
            expected=words(oracle.state_dict()),
        ),
        cause=why(
            "layer.extra_state", "A buffer, or a layer inside, is registered beside the parameters."
        ),
    )
    state = {name: torch.rand_like(value) for name, value in oracle.state_dict().items()}
    layer.load(state)
    for name, value in layer.state().items():
        try:
            compare(tr("{name}, loaded and read back,", name=name), value, state[name])
        except CheckFailed as failure:
            shared = why(
                "layer.shared_memory",
                "Two parameters share their memory: .data and slices are views; clone() them.",
            )
            raise failure.because(shared) from None
    for name in optional:
        if name not in expected:
            expect(
                name in made.absent,
                tr("With {name}=False the name `{name}` is not registered as None.", name=name),
                cause=why(
                    "layer.none_not_registered",
                    "self.{name} = None registers nothing; register_parameter('{name}', None) does.",
                    name=name,
                ),
            )


def has_bias_by_default(oracle: nn.Module, layer: Layer) -> None:
    """Require that a layer has a bias where `bias` was not given, as registered_like requires it.

    Ask this after a layer that was made with `bias=True` has passed.
    """
    try:
        registered_like(oracle, layer)
    except CheckFailed as failure:
        bias = why(
            "layer.bias_by_default", "There is a bias by default: bias=True in the signature."
        )
        raise failure.because(None if "bias" in layer.made.shapes() else bias) from None


def _other_default(layer: Layer, expected: torch.dtype) -> Cause | None:
    """The cause of other dtypes that also a layer of torch's gets where the submission has been imported."""
    if layer.default_dtype() == expected or expected != torch.get_default_dtype():
        return None
    return why(
        "layer.default_dtype",
        "torch.set_default_dtype() is called in the file, and changes every tensor that is made after it: "
        "leave it out.",
    )


def forward(
    layer: Layer,
    oracle: nn.Module,
    x: Input,
    tolerance: Tolerance = FLOAT64,
    method: str = "forward",
) -> None:
    """Require the oracle's output, in values and dtype, and that the input is left as it was.

    Where the output is wrong, the candidates that the course has registered for the oracle may name a cause.
    """
    answered = layer.running(x, method=method, grad=False)
    with torch.no_grad():
        expected = oracle(x.tensor)
    answer = answered()
    candidates = registry.of_output(oracle, x.laid_out())
    output = WrongOutput(layer, oracle, x, method, answer, expected)
    what = tr("the output")
    try:
        compare(
            what, answer.value, expected, tolerance, candidates=candidates, rounds=output.rounds
        )
    except CheckFailed as failure:
        raise failure.because(output.unsteady).beside(output.ties) from None
    _untouched(answer.after, x.tensor)


def passes_nan_on(layer: Layer, oracle: nn.Module, x: Tensor, method: str = "forward") -> None:
    """Require NaN and infinity in the output where the oracle has them, and only there.

    The first sample is NaN as a whole, then one value of it is infinite: its first, at the edge of an image.
    """
    exact = copy.deepcopy(
        oracle
    ).double()  # in float32 torch may take ways that make NaN of infinity
    infinite = x.clone()
    infinite[0].flatten()[0] = math.inf
    x = x.clone()
    x[0] = math.nan
    for name, given in (("NaN", x), (tr("infinity"), infinite)):
        with torch.no_grad():
            expected = exact(given.double())
        output = layer(given, method)
        expect(
            output.shape == expected.shape
            and torch.equal(output.isfinite(), expected.isfinite())
            and torch.equal(output.isnan(), expected.isnan()),
            tr("{value} is in the input, and not just in its place in the output.", value=name),
            cause=why(
                "layer.nan_replaced",
                "It is replaced on the way, or mixed into other values, as by a product with 0; it has to "
                "show what went wrong.",
            ),
        )


def passes_large_on(layer: Layer, oracle: nn.Module, x: Tensor, method: str = "forward") -> None:
    """Require the oracle's output for a float32 input that is large, and finite."""
    exact = copy.deepcopy(oracle).double()
    for size in (1e7, 1e12):
        large = size * x
        with torch.no_grad():
            expected = exact(large.double())
        compare(
            tr("the output as a share of {size:.0e}, for an input of that size,", size=size),
            layer(large, method).double() / size,
            expected / size,
            FLOAT32,
            reading=why(
                "layer.large_replaced",
                "A large value is replaced on the way, as by a clamp: an output is as large as its numbers "
                "make it.",
            ),
        )


def gradients_with_zeros(
    layer: Layer, oracle: nn.Module, x: Tensor, sampler: Sampler, method: str = "forward"
) -> None:
    """Require the oracle's gradients where the input or a parameter is all zero, or one value of each.

    Ask this where other values have been answered rightly.
    """
    full = {"input": x, **{name: value.clone() for name, value in oracle.state_dict().items()}}

    def ask(given: Mapping[str, Tensor]) -> None:
        state = {name: value for name, value in given.items() if name != "input"}
        oracle.load_state_dict(state)
        layer.overwrite(state)
        gradients(layer, oracle, Input(given["input"]), sampler, method)

    def reading() -> Cause | None:
        """What it means, unless other values are no better."""
        ask(full)
        return why(
            "layer.zeros_skipped",
            "Whether something is computed depends on a value being zero: what is left out then gets no "
            "gradient, and could not leave zero.",
        )

    some = {name: value.clone() for name, value in full.items()}
    for value in some.values():
        value.flatten()[int(sampler.integers(0, value.numel()))] = 0
    whole = {name: full | {name: torch.zeros_like(value)} for name, value in full.items()}
    for name, given in {**whole, "": some}.items():
        try:
            ask(given)
        except CheckFailed as failure:
            found = (
                tr("With {name} all zero: {found}", name=name, found=failure.found)
                if name
                else tr("With one zero in each tensor: {found}", found=failure.found)
            )
            raise CheckFailed(
                found, cause=reading, quoted=failure.quoted, location=failure.location
            ) from None


def gradients_with_frozen(
    layer: Layer, oracle: nn.Module, frozen: str, x: Tensor, sampler: Sampler
) -> None:
    """Require the gradients that are left where one parameter is frozen: of the input, and of the others."""
    layer.freeze(frozen)
    oracle.get_parameter(frozen).requires_grad_(False)
    try:
        gradients(layer, oracle, Input(x), sampler)
    except CheckFailed as failure:
        found = tr("With {name} frozen: {found}", name=frozen, found=failure.found)
        cause = why(
            "layer.frozen_cuts",
            "What is frozen gets no gradient itself; through it, gradients flow on to what came before.",
        )
        raise CheckFailed(
            found, cause=cause, quoted=failure.quoted, location=failure.location
        ) from None


def can_be_copied(layer: Layer, oracle: nn.Module, x: Tensor, sampler: Sampler) -> None:
    """Require that copy.deepcopy makes a layer of its own, which follows its own parameters."""
    copied = layer.copy()
    changed = _other_parameters(oracle, sampler)
    layer.overwrite(changed)
    shares = why(
        "layer.copy_shares",
        "Something of the original is still used in the copy: a function or a list that holds its weights. "
        "Reach parameters by self alone.",
    )

    def reading() -> Cause | None:
        """What a wrong copy means, unless the original is wrong as well."""
        exact = copy.deepcopy(oracle)
        exact.load_state_dict(changed)
        with torch.no_grad():
            return shares if same(layer(x), exact(x)) else None

    with torch.no_grad():
        expected = oracle(x)
    compare(
        tr("the output of a copy, after the original has changed,"),
        copied(x),
        expected,
        reading=reading,
    )
    copied.overwrite(changed)
    oracle.load_state_dict(changed)
    with torch.no_grad():
        expected = oracle(x)
    compare(tr("the output of a copy, after it has changed,"), copied(x), expected, reading=reading)


def gradients(
    layer: Layer,
    oracle: nn.Module,
    x: Input,
    sampler: Sampler,
    method: str = "forward",
    *,
    on_gpu: bool = False,
    tolerance: Tolerance = FLOAT64,
    look: Look = lambda got, expected: None,
) -> None:
    """Require the oracle's output and gradients, of input and parameters, under a random upstream gradient.

    Args:
        on_gpu: compute on the GPU, or a simulated one; no tensor may be carried to the CPU.
        look: is shown the gradients by name, the student's and the oracle's, before they are judged.
    """
    leaf = x.tensor.clone().requires_grad_()
    output = oracle(leaf)
    upstream = sampler.normal(*output.shape, dtype=output.dtype)
    answered = layer.running(x, upstream, method=method, on_gpu=on_gpu)
    oracle.zero_grad()
    backward(output, upstream)
    try:
        answer = answered()
    except CheckFailed as failure:
        if x.tensor.numel() or not (failure.cause and failure.cause.id == "gradient.no_graph"):
            raise
        # A loop over no samples puts nothing on the graph, and nothing is to be learnt from none.
        compare(tr("the output"), layer(x), output.detach(), tolerance)
        return
    if answer.transfers:
        _stays(answer.transfers)
    candidates = registry.of_output(oracle, x.laid_out())
    asked = WrongOutput(layer, oracle, x, method, answer, output.detach(), upstream)
    try:
        compare(
            tr("the output"),
            answer.value,
            output.detach(),
            tolerance,
            candidates=candidates,
            rounds=None if on_gpu else asked.rounds,  # it asks on the CPU
        )
    except CheckFailed as failure:
        if not on_gpu:
            raise failure.because(asked.unsteady).beside(asked.ties) from None
        raise failure.instead(partial(_on_gpu_alone, failure, asked)) from None
    assert leaf.grad is not None
    expected = {
        "input": leaf.grad,
        **{n: p.grad for n, p in oracle.named_parameters() if p.grad is not None},
    }
    look(answer.gradients, expected)
    frozen = {parameter.name for parameter in layer.made.parameters if not parameter.requires_grad}
    for name, gradient in expected.items():
        expect(
            name in answer.gradients,
            tr("No gradient reaches the input: its .grad is None.")
            if name == "input"
            else tr("No gradient reaches {name}: its .grad is None.", name=name),
            cause=why(
                "layer.frozen",
                "requires_grad of {name} is switched off: nothing trains it.",
                name=name,
            )
            if name in frozen
            else CUT,
        )
        candidates = registry.of_gradient(oracle, x.tensor, upstream, name)
        what = tr("the gradient of {name}", name=name)
        compare(what, answer.gradients[name], gradient, tolerance, candidates=candidates)
    _untouched(answer.after, x.tensor)


CUT = why(
    "gradient.cut",
    "The way from the output to it is cut: by detach(), .data, no_grad, numpy, by a new tensor, "
    "as torch.tensor(...) and zeros(...) make, by what an earlier call has computed, or since it requires "
    "no gradient itself.",
)


def _on_gpu_alone(failure: CheckFailed, asked: WrongOutput) -> Cause | None:
    """The cause of a wrong output on the GPU; it says so where that on the CPU is right."""
    on_cpu = asked.layer.run(asked.x, method=asked.method, grad=False).value
    right = isinstance(on_cpu, Tensor) and same(on_cpu, asked.expected)
    of = mark("On a GPU, though not on the CPU: {said}")
    return partly(failure.cause, of) if right else failure.cause


def survives_transfers(
    layer: Layer, oracle: nn.Module, x: Tensor, sampler: Sampler, method: str = "forward"
) -> None:
    """Require that a layer moves to the GPU with its state, loads one from the CPU there, and comes back.

    The outputs after loading and after coming back have to be the oracle's.
    """
    on_cpu = dict(oracle.state_dict())
    lies_on(layer.to("cuda"), "cuda")
    for name, value in layer.state().items():
        compare(tr("{name}, on the GPU,", name=name), value, on_cpu[name])
    layer.run(Input(x), method=method, grad=False, on_gpu=True)
    changed = _other_parameters(oracle, sampler)
    layer.load(changed)
    oracle.load_state_dict(changed)
    with torch.no_grad():
        expected = oracle(x)
    answer = layer.run(Input(x), method=method, grad=False, on_gpu=True)
    compare(
        tr("the output on the GPU, after its weights were loaded there,"),
        answer.value,
        expected,
        reading=why(
            "layer.old_weights_on_gpu",
            "A copy of the weights is kept beside the parameters; load_state_dict() does not reach it.",
        ),
    )
    lies_on(layer.to("cpu"), "cpu")
    compare(
        tr("the output on the CPU, after the layer has been on the GPU,"),
        layer(x, method),
        expected,
        reading=why(
            "layer.left_on_gpu",
            "What was made for the GPU is still used after the layer has left it.",
        ),
    )


def keeps_to_the_stream(
    layer: Layer, oracle: nn.Module, x: Tensor, method: str = "forward"
) -> None:
    """Require the oracle's output on another CUDA stream than the default one, where the input comes late."""
    with torch.no_grad():
        expected = oracle(x)
    compare(
        tr("the output"),
        layer.on_other_stream(x, method),
        expected,
        reading=why(
            "gpu.stream",
            "Work is sent to a stream of its own choice, which does not wait for the input.",
        ),
    )


def half_forward(
    layer: Layer,
    oracle: nn.Module,
    x: Tensor,
    dtype: torch.dtype,
    method: str = "forward",
) -> None:
    """Require the oracle's output on the GPU in float16 or bfloat16, but for rounding, and in that dtype.

    The oracle computes in float64, with weights and input rounded to the dtype. The tolerance grows with
    the sum of the products' sizes, of which the rounding of a sum is a share. A GPU that does not compute in
    the dtype is not asked.
    """
    if not layer.computes_in(dtype):
        return
    rounded = {name: value.to(dtype) for name, value in oracle.state_dict().items()}
    layer.load(rounded)
    oracle.load_state_dict(rounded)
    bound = copy.deepcopy(oracle)
    bound.load_state_dict({name: value.abs() for name, value in rounded.items()})
    x = x.to(dtype)
    with torch.no_grad():
        expected, sizes = oracle(x.double()), bound(x.double().abs())
    answer = layer.run(Input(x), method=method, grad=False, on_gpu=True)
    assert answer.transfers is not None
    _stays(answer.transfers)
    got = alike(tr("the output"), answer.value, expected.to(dtype)).double()
    compare(
        tr("the output, as a share of its products' sizes,"),
        got / sizes,
        expected / sizes,
        HALF[dtype],
    )


def _stays(transfers: Transfers) -> None:
    expect(
        transfers.stayed or not transfers.copies,
        tr("The input lies on the GPU, the output on the CPU."),
        cause=why(
            "gpu.carried_to_cpu",
            "The result is carried to the CPU on the way, by .cpu(), .to('cpu') or into a tensor that lies "
            "there.",
        ),
    )
    expect(
        not transfers.copies,
        plural(
            "{count} copy was made between GPU and CPU.",
            "{count} copies were made between GPU and CPU.",
            transfers.copies,
        ),
        cause=why(
            "gpu.many_copies",
            "Each such copy waits for the GPU and costs more than the layer itself: make what is needed "
            "with device=input.device, and compute where the input lies.",
        ),
    )


def backward(output: Tensor, upstream: Tensor) -> None:
    """Run output.backward(upstream) on our side, without the import of sympy that torch's own begins with."""
    (output * upstream).sum().backward()


def gradcheck(layer: Layer, x: Tensor, sampler: Sampler, method: str = "forward") -> None:
    """Require that the student's gradients are the derivative of the student's own forward, in float64.

    This is torch.autograd.gradcheck in its fast mode. A second backward pass has to give the same gradients.

    Along two random directions for the input and for each parameter: two forward passes each, where the slow
    mode needs two for every element. Differences are central, with PyTorch's eps of 1e-6, atol of 1e-5 and
    rtol of 1e-3.
    """
    epsilon, tolerance = EPSILON, GRADCHECK
    if slips.is_forgiven(slips.DTYPE):
        epsilon, tolerance = OF_FLOAT32
    state = layer.state()
    names, points = ["input", *state], [x, *state.values()]

    def loaded_with(values: Sequence[Tensor]) -> Tensor:
        layer.overwrite(dict(zip(names[1:], values[1:], strict=True)))
        return values[0]

    first = layer(x, method)
    first = alike(tr("the output"), first, torch.empty(first.shape, dtype=x.dtype))
    upstream = sampler.normal(*first.shape)
    answer = layer.run(loaded_with(points), upstream, method=method)
    again = layer.run(x, upstream, method=method, again=True)
    for name, gradient in answer.gradients.items():
        expect(
            name in again.gradients,
            tr("No gradient reaches {name} in a second backward pass.", name=name),
            cause=why(
                "layer.new_parameter",
                "forward puts a new parameter in the place of the old one, which keeps the gradient.",
            ),
        )
        compare(
            tr(
                "the gradient of {name}, from a second backward pass over the same graph,",
                name=name,
            ),
            again.gradients[name],
            gradient,
            reading=why(
                "gradient.accumulated",
                "The layer keeps something from one backward pass to the next, such as a total of its "
                "own; autograd adds gradients up by itself.",
            ),
        )
    for i, name in enumerate(names):
        expect(
            name in answer.gradients,
            tr("No gradient reaches {name}: its .grad is None.", name=name),
            cause=CUT,
        )
        gradient = alike(tr("the gradient of {name}", name=name), answer.gradients[name], points[i])
        slopes, differences = [], []
        for direction in sampler.normal(2, *gradient.shape):
            outputs = []
            for step in (epsilon, -epsilon):
                moved = [*points[:i], points[i] + step * direction, *points[i + 1 :]]
                outputs.append(alike(tr("the output"), layer(loaded_with(moved), method), first))
            slopes.append((gradient * direction).sum())
            differences.append(((outputs[0] - outputs[1]) * upstream).sum() / (2 * epsilon))
        loaded_with(points)
        compare(
            tr(
                "the gradient of {name} along two random directions, against central differences of your own "
                "forward,",
                name=name,
            ),
            torch.stack(slopes),
            torch.stack(differences),
            tolerance,
        )


EPSILON = 1e-6
GRADCHECK = Tolerance(1e-3, 1e-5)
"""torch.autograd.gradcheck's defaults."""
OF_FLOAT32 = 1e-2, Tolerance(1e-2, 1e-3)
"""The step and the tolerance for what has the digits of float32."""


class ReadyMade(CheckFailed):
    """What was to be done by hand was done by an operator, or the trace of it was blinded."""


@contextmanager
def judged_elsewhere() -> Iterator[None]:
    """Ignore every failure in a `with` block but ReadyMade: other checks ask whether this case works."""
    try:
        yield
    except ReadyMade:
        raise
    except CheckFailed:
        return


READY_MADE = why(
    "by_hand.ready_made", "A ready-made operation does the work that you are to build."
)


DECOMPOSED = re.compile(r"^(torch\.(_decomp|_refs|_prims|_inductor)|scipy)\.")
"""Functions of libraries that fall apart into operators anybody may use."""


def responds(ask: Callable[[Tensor], object], x: Tensor, shape: tuple[int, ...]) -> None:
    """Require a tensor of this shape that follows the input: whether it is right, other checks ask.

    Args:
        ask: returns what the submission makes of an input.
    """
    first, other = ask(x), ask(2 * x + 1)
    dtype = first.dtype if isinstance(first, Tensor) else x.dtype
    first = alike(tr("the output"), first, torch.empty(shape, dtype=dtype))
    expect(
        not isinstance(other, Tensor) or not torch.equal(first, other),
        tr("The output does not follow the input."),
        cause=IGNORES_INPUT,
    )


def watched(ask: Callable[[bool], Answer], sampler: Sampler) -> Answer:
    """Ask the same with and without recording, in random order; return the answer that was recorded.

    Raises ReadyMade where the two differ, and CheckFailed where one does not come.

    Args:
        ask: asks, and records if it is given True.
    """
    first = sampler.seed() % 2 == 0
    answers = {record: ask(record) for record in (first, not first)}
    try:
        _alike_when_watched(answers[True], answers[False])
    except CheckFailed as failure:
        raise ReadyMade(
            tr(
                "Asked twice, once of them recorded, it answers differently: {found}",
                found=failure.found,
            ),
            cause=why(
                "by_hand.two_answers",
                "The answer must not depend on whether it is recorded how it comes about.",
            ),
            quoted=failure.quoted,
            location=failure.location,
        ) from None
    return answers[True]


def _alike_when_watched(seen: Answer, plain: Answer) -> None:
    if isinstance(plain.value, Tensor):
        compare(tr("the output"), seen.value, plain.value, FLOAT64)
    else:
        expect(
            type(seen.value) is type(plain.value),
            tr(
                "The result is {got}; expected {expected}.",
                got=describe(seen.value),
                expected=describe(plain.value),
            ),
        )
    for name, gradient in plain.gradients.items():
        compare(
            tr("the gradient of {name}", name=name), seen.gradients.get(name), gradient, FLOAT64
        )


def by_hand(
    student: Student,
    seen: Seen | None,
    *families: re.Pattern[str],
    cause: Cause = READY_MADE,
) -> None:
    """Require that no operator of these families ran, that nothing blinded the recorder, and reads_openly.

    Raises ReadyMade.

    Args:
        seen: `Answer.seen` of a call or a pass with watch=True.
        families: patterns that are searched for in the names of operators, in lower case and without
            "aten::": "softmax", "convolution_backward". Without one, only the recorder is judged.
        cause: what the report says where one ran.
    """
    assert seen is not None
    used = [
        name.replace("::", ".")
        for name in seen.operators
        if any(family.search(name.lower()) for family in families)
    ]
    used += [
        name
        for name in seen.functions
        if DECOMPOSED.search(name)
        or (
            name.startswith("numpy.")
            and any(family.search(name.rpartition(".")[2].lower()) for family in families)
        )
    ]
    if used:
        raise ReadyMade(
            tr("Ready-made work was recorded: {operators}.", operators=words(used)),
            cause=cause,
        )
    if not seen.intact:
        raise ReadyMade(tr("The trace of operators was interfered with."))
    reads_openly(student)


def reads_openly(student: Student) -> None:
    """Require that the text of what was called last, and of what that leads to, names nothing that no work by
    hand needs: see autograder/sandbox/reading.py.

    Raises ReadyMade.
    """
    if foreign := student.foreign:
        raise ReadyMade(
            tr("The code names {names}, which no work by hand needs.", names=words(foreign)),
            cause=why(
                "by_hand.tampers",
                "What runs text, reads frames or other modules, or reaches into torch's private modules "
                "cannot be told from ready-made work.",
            ),
        )


MORE_LAYERS = 48
"""That are made to tell one cause from the next."""


def begins_uniform(
    layer: Layer,
    oracle: nn.Module,
    bound: float,
    more: Callable[[str], Iterator[Tensor]] = lambda name: iter(()),
) -> dict[str, Tensor]:
    """Require parameters of the oracle's names and shapes that are drawn from U(-bound, bound); return them.

    For sizes that are drawn; see initialised_uniformly for what else there is to an initialisation.

    Args:
        oracle: its values play no part; candidates are registered for its class.
        more: draws of a parameter from other layers, which the cause of a failure has to explain as well.
    """
    state = layer.state()
    for name in oracle.state_dict():
        expect(
            name in state,
            tr("The state dict has no {name}.", name=name),
            cause=why("layer.unregistered_name", "No parameter of that name is registered."),
        )
    with _blaming(lambda: _other_default(layer, torch.get_default_dtype())):
        first = {n: alike(n, state[n], like) for n, like in oracle.state_dict().items()}
    shape = tuple(first["weight"].shape)
    for name, values in first.items():
        candidates = partial(registry.of_initialisation, oracle, shape, tuple(values.shape))

        def others(
            name: str = name,
            candidates: Callable[[], Iterator[statistics.Distribution]] = candidates,
        ) -> Iterator[tuple[Tensor, Iterator[statistics.Distribution]]]:
            return ((drawn, candidates()) for drawn in more(name))

        statistics.uniform(name, values, bound, candidates(), others)
    return first


def initialised_uniformly(
    make: Callable[[int], Layer], oracle: nn.Module, bound: float, sampler: Sampler
) -> None:
    """Require that every parameter is drawn from U(-bound, bound), and never twice the same.

    A new layer, one after reset_parameters(), and another new layer are judged. There has to be a `weight`;
    a few thousand values in each parameter make the judgement sharp.

    Args:
        make: makes the student's layer under a global seed.
        oracle: gives names and shapes, and the candidates registered for its class; its values play no part.
    """
    layer = make(sampler.seed())

    def more(name: str) -> Iterator[Tensor]:
        yield torch.cat([make(sampler.seed()).state()[name] for _ in range(MORE_LAYERS)])

    first = begins_uniform(layer, oracle, bound, more)
    shape = tuple(first["weight"].shape)

    def candidates(values: Tensor) -> Iterator[statistics.Distribution]:
        return registry.of_initialisation(oracle, shape, tuple(values.shape))

    layer.do("reset_parameters", seed=sampler.seed())
    second = layer.state()
    layer.do("reset_parameters", seed=None)
    third = layer.state()
    other = make(sampler.seed()).state()
    thawed: set[str] = set()
    for i, name in enumerate(first):  # one is frozen, then those after it as well
        layer.freeze(name)
        layer.do("reset_parameters", seed=sampler.seed())
        trained = {p.name for p in layer.to("cpu").parameters if p.requires_grad}
        thawed |= trained & set(list(first)[: i + 1])
    layer.do("reset_parameters", seed=sampler.seed())
    frozen = layer.state()
    for name, values in first.items():
        statistics.uniform(
            tr("{name} after reset_parameters()", name=name),
            alike(name, second.get(name), values),
            bound,
            candidates(values),
        )
        expect(
            not torch.equal(values, second[name]),
            tr("reset_parameters() leaves {name} as it was.", name=name),
            cause=why(
                "drawing.not_reset", "The second call draws others, but not {name}.", name=name
            )
            if any(not torch.equal(first[other], second[other]) for other in first)
            else why(
                "drawing.second_reset",
                "reset_parameters() does nothing the second time, or a fixed seed repeats its numbers.",
            ),
        )
        expect(
            not torch.equal(second[name], alike(name, third.get(name), values)),
            tr("reset_parameters() draws the same {name} twice in a row.", name=name),
            cause=why(
                "drawing.random_state", "The random state is set, or set back, beside the draws."
            ),
        )
        expect(
            not torch.equal(values, alike(name, other.get(name), values)),
            tr("Two layers begin with the same {name}.", name=name),
            cause=why(
                "drawing.fixed_seed",
                "A fixed seed is set, as a new torch.Generator() has one, or the draws are not random.",
            ),
        )
        expect(
            not torch.equal(alike(name, frozen.get(name), values), third[name]),
            tr("reset_parameters() leaves a frozen {name} as it was.", name=name),
            cause=why(
                "layer.frozen_not_reset",
                "Parameters that require no gradient are left out; to be frozen is no matter of where one "
                "begins.",
            ),
        )
        expect(
            name not in thawed,
            tr("After reset_parameters() a frozen {name} requires a gradient again.", name=name),
            cause=why(
                "layer.reset_thaws",
                "reset_parameters() sets requires_grad, or makes new parameters; it draws values, and what "
                "was frozen stays so.",
            ),
        )
        statistics.distinct(name, values)
        if name != "weight":
            statistics.distinct(name, values, first["weight"])


@contextmanager
def _blaming(cause: Why) -> Iterator[None]:
    """Name this cause, if there is one, for what fails in a `with` block."""
    try:
        yield
    except CheckFailed as failure:
        raise failure.because(cause) from None


def follows_its_parameters(layer: Layer, oracle: nn.Module, x: Tensor, sampler: Sampler) -> None:
    """Require that the output follows from input and parameters alone, in training and evaluation mode.

    Both are changed in place, and the oracle's output is expected again: nothing may be kept from before, and
    an output may not change when the layer is called again.
    """
    for mode in ("train", "train", "eval"):
        layer.do(mode)
        try:
            forward(layer, oracle, Input(x))
        except CheckFailed as failure:
            if mode == "train":
                raise
            raise failure.instead(partial(_evaluated, failure)) from None
    with torch.no_grad():
        expected = oracle(x)
    again = partial(_unless_wrong_again, layer, x, expected)
    compare(
        tr("the output, after the same tensor has held other values,"),
        layer.run(x, grad=False, refilled=True).value,
        expected,
        reading=again(
            why(
                "layer.kept_by_identity",
                "What was computed for a tensor is kept by its identity; it may have changed since.",
            )
        ),
    )
    before = {name: value.clone() for name, value in oracle.state_dict().items()}
    changed = _other_parameters(oracle, sampler)
    layer.overwrite(changed)
    oracle.load_state_dict(changed)
    layer.settle()  # what fails before is no matter of what was kept
    try:
        forward(layer, oracle, Input(x))
    except CheckFailed as failure:
        raise CheckFailed(
            tr("After the parameters were changed in place: {found}", found=failure.found),
            cause=lambda: _kept_from_before(layer, oracle, x, before),
        ) from None
    with suppress(CheckFailed):
        layer(torch.cat([x, x], -1))  # what is of another size, and may be refused, leaves no trace
    with torch.no_grad():
        expected = oracle(x)
    again = partial(_unless_wrong_again, layer, x, expected)
    for mode, inference in itertools.product(("train", "eval"), (False, True)):
        layer.do(mode)
        compare(
            tr("the output, after the layer was called again,"),
            layer.run(x, grad=False, inference=inference, again=True).value,
            expected,
            reading=again(
                why(
                    "layer.output_overwritten",
                    "Each call returns a tensor of its own; here memory that was returned before is written "
                    "to again.",
                )
            ),
        )


def _evaluated(failure: CheckFailed) -> Cause | None:
    """The cause of what is wrong in evaluation mode, where training mode is right."""
    return partly(failure.cause, mark("In evaluation mode, though not in training mode: {said}"))


def _unless_wrong_again(
    layer: Layer, x: Tensor, expected: Tensor, cause: Cause
) -> Callable[[], Cause]:
    """This cause; another one where the same plain question, asked again, is answered wrongly as well."""

    def found() -> Cause:
        if same(layer(x), expected):
            return cause
        return why(
            "layer.changes_with_calls",
            "This was answered rightly at first, and is not any more: the output depends on what was asked "
            "before, or on how often.",
        )

    return found


def _kept_from_before(
    layer: Layer, oracle: nn.Module, x: Tensor, before: Mapping[str, Tensor]
) -> Cause | None:
    """The cause of an output that follows from old values of some parameters."""
    got, now = layer(x), dict(oracle.state_dict())
    for count in range(1, len(before) + 1):
        for names in itertools.combinations(before, count):
            stale = copy.deepcopy(oracle)
            stale.load_state_dict(now | {name: before[name] for name in names})
            with torch.no_grad():
                if same(got, stale(x)):
                    return why(
                        "layer.kept_from_before",
                        "Something from before is still used: an old copy of the weights, or an old answer.",
                    )
    return None


def trains_like(
    student: Student, layer: Layer, oracle: nn.Module, inputs: Sequence[Tensor], sampler: Sampler
) -> None:
    """Require that steps of torch.optim.SGD with momentum move every parameter as they move the oracle's.

    Args:
        inputs: float64, one for each step.
    """
    optimizer = torch.optim.SGD(oracle.parameters(), lr=0.05, momentum=0.9)
    theirs = student.library("optim.SGD", layer, lr=0.05, momentum=0.9)
    layer.settle()
    with suppress(CheckFailed):  # where there is none, the check of initialisation says so
        layer.do("reset_parameters")  # fills the parameters that the optimizer holds
        layer.settle()
    layer.load(oracle)
    for step, x in enumerate(inputs, 1):
        before = {name: value.clone() for name, value in oracle.state_dict().items()}
        output = oracle(x)
        upstream = sampler.normal(*output.shape)
        optimizer.zero_grad()
        backward(output, upstream)
        optimizer.step()
        answer = layer.run(Input(x), upstream)
        alike(tr("the output before step {step} of SGD", step=step), answer.value, output.detach())
        theirs.do("step")
        state = layer.state()
        for name, value in oracle.state_dict().items():
            try:
                compare(
                    tr("{name} after step {step} of SGD", name=name, step=step),
                    state.get(name),
                    value,
                    TRAJECTORY,
                )
            except CheckFailed as failure:
                got = state.get(name)
                stuck = isinstance(got, Tensor) and torch.equal(got, before[name])
                cut = stuck and name not in answer.gradients
                cause = CUT if cut else STUCK if stuck else CARRIED_OVER if step > 1 else None
                raise failure.beside(cause) from None


STUCK = why(
    "layer.stuck",
    "It did not move: the optimizer holds other parameters. reset_parameters() fills those it has, and "
    "makes no new ones.",
)
CARRIED_OVER = why(
    "layer.carried_over",
    "The first step was right and a later one is not: something is carried over, as a total of its own or a "
    "copy of the weights, or it depends on the values.",
)


def lies_on(made: Description, device: str) -> None:
    """Require that every parameter lies on the device: "cpu", "cuda" or "meta".

    Args:
        made: `Layer.made`, or what `Layer.to` returns.
    """
    for parameter in made.parameters:
        expect(
            parameter.device == device,
            tr(
                "{name} lies on {got}; expected {expected}.",
                name=parameter.name,
                got=parameter.device,
                expected=device,
            ),
            cause=why("layer.device", "The constructor's device has to reach the parameter."),
        )


def meta_output(layer: Layer, x: Meta, shape: tuple[int, ...], method: str = "forward") -> None:
    """Require an output of this shape on the meta device, for an input there."""
    answer = layer.run(x, method=method, grad=False)
    if answer.meta_shape is None and not isinstance(answer.value, Tensor):
        raise CheckFailed(
            tr(
                "the output is {got}; expected a tensor of shape {expected}.",
                got=describe(answer.value),
                expected=shape,
            ),
            cause=NO_RETURN if answer.value is None else None,
        )
    expect(
        answer.meta_shape is not None,
        tr("The output does not lie on the device of the input."),
        cause=why("layer.output_on_cpu", "The result is copied to the CPU on the way."),
    )
    expect(
        answer.meta_shape == shape,
        tr(
            "The output has shape {got}; expected {expected}.",
            got=answer.meta_shape,
            expected=shape,
        ),
    )


def _other_parameters(oracle: nn.Module, sampler: Sampler) -> dict[str, Tensor]:
    """Other values for everything in the oracle's state dict."""
    return {name: p + sampler.normal(*p.shape) for name, p in oracle.state_dict().items()}


def _untouched(after: object, before: Tensor) -> None:
    expect(
        isinstance(after, Tensor) and torch.equal(after, before),
        tr("The input was changed by the call."),
        cause=CHANGES_INPUT,
    )


def _listing(shapes: dict[str, tuple[int, ...]]) -> str:
    return listed([f"{name} {shape}" for name, shape in shapes.items()]) or tr("none")


def _registered(got: dict[str, tuple[int, ...]], expected: dict[str, tuple[int, ...]]) -> str:
    right = got.items() & expected.items()
    if len(right) < 3:
        return tr(
            "The registered parameters are {got}; expected {expected}.",
            got=_listing(got),
            expected=_listing(expected),
        )
    others = (dict(i for i in shapes.items() if i not in right) for shapes in (got, expected))
    return tr(
        "Beside {count} registered parameters that are right there are {got}; expected {expected}.",
        count=len(right),
        **dict(zip(("got", "expected"), map(_listing, others), strict=True)),
    )


def _registration_cause(
    got: dict[str, tuple[int, ...]], expected: dict[str, tuple[int, ...]]
) -> Cause | None:
    missing = sorted(expected.keys() - got.keys())
    there = {name.partition(".")[0] for name in got}
    gone = dict.fromkeys(
        layer for layer, dot, _ in (n.partition(".") for n in missing) if dot and layer not in there
    )
    inside = [name for name in got if "." in name and name not in expected]
    listed = ", ".join(missing)
    if not got:
        return why(
            "layer.no_parameters",
            "A plain tensor is no parameter: wrap it in nn.Parameter and assign it to self. What lies in a "
            "plain list or dict is not seen either.",
        )
    if len(missing) == 1 and any(part.isdigit() for name in inside for part in name.split(".")):
        return why(
            "layer.spread",
            "{name} is spread over several parameters; it is one tensor.",
            name=listed,
        )
    if missing and inside and not any("." in name for name in expected):
        return why(
            "layer.ready_made_inside",
            "A ready-made layer lies inside; build the parameters yourself, as attributes of self.",
        )
    if gone and len(got) < len(expected):
        return why(
            "layer.layers_not_registered",
            "Not registered under these names: {names}. A layer is registered when it is assigned "
            "to self; one in a plain Python list or dict is not.",
            names=", ".join(gone),
        )
    if missing and all(name.endswith(".bias") for name in missing) and len(got) < len(expected):
        return why("layer.made_without_bias", "{names}: made without a bias.", names=listed)
    if missing and len(got) < len(expected):
        return why(
            "layer.parameter_missing",
            "No parameter is called {names}: assign an nn.Parameter to self under that name. What "
            "nn.Parameter(...).to(...) returns is a plain tensor again.",
            names=listed,
        )
    if missing:
        return why(
            "layer.names",
            "The names differ, and so do the keys of the state dict. Missing: {names}.",
            names=listed,
        )
    for name, shape in expected.items():
        if got[name] != shape:
            return _shape_of_a_parameter(name, got[name], shape)
    more = got.keys() - expected.keys()
    if more == {"bias"}:
        return why(
            "layer.bias_despite_false",
            "With bias=False there is a bias all the same: it has to be None, and no parameter.",
        )
    return (
        why(
            "layer.extra_parameters",
            "More is registered than there should be: {names}.",
            names=words(sorted(more)),
        )
        if more
        else None
    )


def _shape_of_a_parameter(name: str, got: tuple[int, ...], expected: tuple[int, ...]) -> Cause:
    if math.prod(got) == 1:
        return why(
            "parameter.one_number",
            "{name} holds one number; every output needs its own.",
            name=name,
        )
    if got[::-1] == expected:
        return why(
            "parameter.reversed", "The dimensions of {name} are in the opposite order.", name=name
        )
    if len(got) == len(expected) > 1 and (got[1], got[0], *got[2:]) == expected:
        return why(
            "parameter.in_out_exchanged",
            "Inputs and outputs are exchanged in {name}: its first dimension counts outputs.",
            name=name,
        )
    if (*got[:-2], *got[:-3:-1]) == expected:
        return why(
            "parameter.kernel_exchanged", "Height and width are exchanged in {name}.", name=name
        )
    if len(got) == len(expected) > 2 and got[:2] == expected[:2]:
        kernel, wanted = ("x".join(map(str, shape[2:])) for shape in (got, expected))
        return why(
            "parameter.kernel_size",
            "The kernel of {name} is {kernel}; asked for is {wanted}.",
            name=name,
            kernel=kernel,
            wanted=wanted,
        )
    if math.prod(got) == math.prod(expected):
        return why(
            "parameter.arranged",
            "{name} has the right number of values in another shape; reshape it where it is used, "
            "not where it is registered.",
            name=name,
        )
    if len(got) != len(expected):
        return why(
            "parameter.dimensions",
            "{name} has {got} dimensions; it needs {expected}.",
            name=name,
            got=len(got),
            expected=len(expected),
        )
    at = next(i for i, (a, b) in enumerate(zip(got, expected, strict=False)) if a != b)
    if at == 0:
        return why(
            "parameter.size",
            "{name} has size {got} along dimension {dim}; it should be {expected}, one for each output.",
            name=name,
            got=got[at],
            dim=at,
            expected=expected[at],
        )
    return why(
        "parameter.size",
        "{name} has size {got} along dimension {dim}; it should be {expected}, one for each input.",
        name=name,
        got=got[at],
        dim=at,
        expected=expected[at],
    )
