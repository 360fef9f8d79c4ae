"""Causes that are true: said where they explain every answer, and not where another one does as well."""

import re

import pytest
import torch
from helpers import checks_of, failed, without_stand_ins

from autograder.export.view import message
from autograder.grading import grade
from autograder.suite.candidates import Candidate, diagnose, diagnose_all
from autograder.suite.failures import CheckFailed, why
from autograder.suite.parity import Count, compare, compare_counts, compare_number
from autograder.suite.statistics import Distribution, uniform
from autograder.suite.tolerances import Tolerance
from tower_student.exception_hints import likely_cause
from tower_student.submission import Submission

ONE, OTHER = why("it.one", "One."), why("it.other", "Other.")
VALUES = torch.linspace(-2, 3, 12, dtype=torch.float64)


def cause_of(ask, *args, **kwargs):
    """The id of the cause that a comparison names; "" for none."""
    with pytest.raises(CheckFailed) as raised:
        ask(*args, **kwargs)
    return raised.value.cause.id if raised.value.cause else ""


@pytest.mark.parametrize("got", [1.0 + 1e-12, 2.982253014, 0.1 + 0.2])
def test_two_numbers_that_differ_are_shown_as_different(got):
    exact, expected = Tolerance(0.0, 0.0), got - 4e-13
    pair = [torch.tensor([number], dtype=torch.float64) for number in (got, expected)]
    for ask, *numbers in ((compare_number, got, expected), (compare, *pair)):
        with pytest.raises(CheckFailed) as raised:
            ask("it", *numbers, exact)
        shown = re.findall(r"\d\.\d+", raised.value.found)
        assert len(set(shown)) == 2, raised.value.found


def test_a_number_of_few_decimals_is_called_rounded():
    assert cause_of(compare_number, "it", 0.6154, 8 / 13) == "value.rounded"
    assert cause_of(compare_number, "it", 0.6155, 8 / 13) == ""


@pytest.mark.parametrize(
    ("got", "cause"),
    [
        (VALUES.bfloat16().double(), "value.half"),
        (VALUES + 1e-3, ""),
        (VALUES - 1e-3 * VALUES.abs(), ""),
    ],
    ids=["rounded", "shifted", "shrunk"],
)
def test_what_errs_in_one_direction_is_not_called_rounded(got, cause):
    assert cause_of(compare, "it", got, VALUES) == cause


def test_what_has_hardly_moved_is_called_rounded_for_a_movement_that_is():
    generator = torch.Generator().manual_seed(0)
    before = torch.randn(50, generator=generator, dtype=torch.float64)
    moved, otherwise = 1e-3 * torch.randn(2, 50, generator=generator, dtype=torch.float64)
    other = before + otherwise
    assert cause_of(compare, "it", other, before + moved) == "value.half"
    assert cause_of(compare, "it", other, before + moved, before=before) == ""
    assert cause_of(compare, "it", before + moved, before, rounds=lambda: False) == ""
    assert cause_of(compare, "it", before + moved, before, rounds=lambda: True) == "value.half"


def test_a_cause_explains_the_answers_to_other_questions_too():
    first = torch.tensor([2.0]), torch.tensor([1.0]), [Candidate(ONE, torch.tensor([2.0]))]
    first = (*first[:2], [*first[2], Candidate(OTHER, torch.tensor([2.0]))])
    second = (
        torch.tensor([9.0]),
        torch.tensor([9.0]),
        [Candidate(ONE, torch.tensor([8.0])), Candidate(OTHER, torch.tensor([9.0]))],
    )
    assert diagnose_all([first]) == ONE
    assert diagnose_all([first, second]) == OTHER
    third = (torch.tensor([4.0]), torch.tensor([4.0]), [Candidate(OTHER, torch.tensor([5.0]))])
    assert diagnose_all([first, second, third]) is None


def draws(bound, seed=0, n=4000):
    generator = torch.Generator().manual_seed(seed)
    return (2 * torch.rand(n, generator=generator) - 1) * bound


def test_a_cause_that_is_alone_explains_every_answer():
    answers = [
        (torch.tensor([got]), torch.tensor([1.0]), [Candidate(ONE, torch.tensor([2.0]))])
        for got in (2.0, 3.0)
    ]
    assert diagnose_all(answers) == ONE
    assert diagnose_all(answers, alone=True) is None


def test_a_distribution_is_a_cause_if_no_other_one_fits_and_it_fits_elsewhere():
    near = [Distribution(ONE, "uniform", 2.0), Distribution(OTHER, "uniform", 2.01)]
    assert cause_of(uniform, "it", draws(2.0), 1.0, near[:1]) == ONE.id
    assert cause_of(uniform, "it", draws(2.0), 1.0, near).startswith("drawing.spread")

    def elsewhere():
        yield draws(3.0, 1), [near[0], Distribution(OTHER, "uniform", 3.0)]

    assert cause_of(uniform, "it", draws(2.0), 1.0, near, elsewhere) == OTHER.id
    assert cause_of(uniform, "it", draws(2.0), 1.0, near[:1], elsewhere).startswith("drawing.")


FLAWS = {  # what stands in a solution and what instead, the check that fails, and the cause
    "clipped": (
        "tower",
        "        optimizer.step()",
        "        nn.utils.clip_grad_norm_(model.parameters(), 5.0)\n        optimizer.step()",
        "train_epoch",
        "tower.train_epoch.gradients.clipped",
    ),
    "shuffled": (
        "tower",
        "    for inputs, labels in batches:\n        optimizer",
        "    for inputs, labels in [*(b := list(batches))[1:], *b[:1]]:\n        optimizer",
        "train_epoch",
        "tower.train_epoch.batches.another_order",
    ),
    "a_loader_is_needed": (
        "tower",
        "    return total / samples",
        "    return total / len(batches.dataset)",
        "train_epoch",
        "tower.batches.no_loader",
    ),
    "negative_slope": (
        "kaiming_init",
        "(1 + a**2)",
        "(1 + max(a, 0) ** 2)",
        "leaky_relu_gain",
        "kaiming_init.gain.negative_as_zero",
    ),
    "fan_out_without_slope": (
        "kaiming_init",
        "    std = leaky_relu_gain(a) / math.sqrt(fan_in)",
        "    std = math.sqrt(2 / calculate_fan(tensor)[1])",
        "kaiming_normal",
        "kaiming_init.kaiming.slope_unused_and_fan.fan_out",
    ),
    "broadcast": (
        "gradient_loop",
        "    return ((y_predicted - y) ** 2).mean()",
        "    return ((y_predicted.reshape(-1, 1) - y.reshape(-1)) ** 2).mean()",
        "squared_error",
        "gradient_loop.squared_error.broadcast",
    ),
    "own_loss": (
        "gradient_loop",
        "    return ((y_predicted - y) ** 2).mean()",
        "    return ((y_predicted.reshape(-1, 1) - y.reshape(-1)) ** 2).mean()",
        "train_autograd",
        "gradient_loop.fit.own_loss",
    ),
    "cache_without_dilation": (
        "conv2d",
        "    padded = F.pad(input, (pw, pw, ph, ph))",
        "    key = input.shape[2:], kernel_size, stride, padding\n"
        "    dh, dw = vars(torch).setdefault('kept', {}).setdefault(key, (dh, dw))\n"
        "    padded = F.pad(input, (pw, pw, ph, ph))",
        "im2col",
        "conv2d.im2col.remembered",
    ),
    "float32_output": (
        "conv2d",
        "        return output.reshape(len(input), len(self.weight), oh, ow)",
        "        return output.reshape(len(input), len(self.weight), oh, ow).float()",
        "gradcheck",
        "value.dtype",
    ),
    "merge_conflict": (
        "linear",
        "        output = input @ self.weight.T",
        "<<<<<<< HEAD\n        output = input @ self.weight.T\n=======\n>>>>>>> main",
        "forward",
        "raised.merge_conflict",
    ),
    "default_dtype": (
        "linear",
        "class CustomLinear",
        "torch.set_default_dtype(torch.float64)\n\n\nclass CustomLinear",
        "registration",
        "layer.default_dtype",
    ),
    "without_gradients_in_evaluation": (
        "linear",
        "        output = input @ self.weight.T",
        "        with torch.set_grad_enabled(self.training and torch.is_grad_enabled()):\n"
        "            output = input @ self.weight.T\n"
        "            if not self.training:\n"
        "                return output if self.bias is None else output + self.bias",
        "trains",
        "gradient.no_graph_in_evaluation",
    ),
    "others_by_calls": (
        "linear",
        "        output = input @ self.weight.T",
        "        self.calls = getattr(self, 'calls', 0) + 1\n"
        "        output = input @ self.weight.T * (1 if self.calls < 4 else 1.001)",
        "trains",
        "layer.changes_with_calls",
    ),
    "whole_part_of_w": (
        "gradient_loop",
        "    return w * x + b",
        "    return int(w) * x + b",
        "predict",
        "",
    ),
    "absolute_x": (
        "gradient_loop",
        "    grad_w = (2 * error * x).mean()",
        "    grad_w = (2 * error * x.abs()).mean()",
        "manual_gradients",
        "",
    ),
    "gradient_by_its_length": (
        "gradient_loop",
        "            parameter -= learning_rate * gradient",
        "            parameter -= learning_rate * gradient / max(1.0, float(gradient.norm()))",
        "sgd_step",
        "gradient_loop.step.clipped",
    ),
    "absolute_error_of_one_point": (
        "gradient_loop",
        "    return ((y_predicted - y) ** 2).mean()",
        "    return (y_predicted - y).abs().mean()",
        "agreement",
        "gradient_loop.fit.own_loss",
    ),
    "no_number_either_time": (
        "gradient_loop",
        "    error = predict(x, w, b) - y",
        "    error = predict(x, w, b) ** y",
        "manual_by_hand",
        "",
    ),
    "not_moved_by_autograd": (
        "gradient_loop",
        "            parameter -= learning_rate * gradient",
        "            parameter = parameter - learning_rate * gradient",
        "asks_autograd",
        "gradient_loop.fit.still",
    ),
    "nothing_recorded": (
        "gradient_loop",
        "        history.append(Step(loss.item(), w.item(), b.item()))",
        "        Step(loss.item(), w.item(), b.item())",
        "train_manual",
        "gradient_loop.fit.nothing_recorded",
    ),
    "cut_rather_than_stuck": (
        "linear",
        "input @ self.weight.T",
        "input @ self.weight.detach().T",
        "trains",
        "gradient.cut",
    ),
    "not_a_number_each_time": (
        "linear",
        "output + self.bias",
        "output ** self.bias",
        "forward",
        "value.not_finite",
    ),
    "float32_is_no_rounding": (
        "linear",
        "        output = input @ self.weight.T",
        "        output = input @ self.weight.T\n        output = output + 1e-3 * output.sin()",
        "forward_float32",
        "",
    ),
    "bias_subtracted_in_float32": (
        "linear",
        "output + self.bias",
        "output - self.bias",
        "forward_float32",
        "bias.subtracted",
    ),
    "bias_left_out_by_default": (
        "linear",
        "bias: bool = True",
        "bias: bool = False",
        "registration",
        "layer.bias_by_default",
    ),
    "counted_out": (
        "linear",
        "        nn.init.uniform_(self.weight, -bound, bound)",
        "        values = torch.linspace(-bound, bound, self.weight.numel())\n"
        "        nn.init.zeros_(self.weight).data += values.reshape(self.weight.shape)",
        "initialisation",
        "drawing.equal_distances",
    ),
    "columns_exchanged": (
        "conv2d",
        ".permute(0, 1, 4, 5, 2, 3)",
        ".permute(0, 1, 4, 5, 3, 2)",
        "forward",
        "conv2d.im2col.order_of_columns",
    ),
    "kernel_exchanged_in_the_rows": (
        "conv2d",
        ".permute(0, 1, 4, 5, 2, 3)",
        ".permute(0, 1, 5, 4, 2, 3)",
        "trains",
        "conv2d.im2col.order_of_rows",
    ),
    "one_row_more": (
        "conv2d",
        "(pw, pw, ph, ph)",
        "(pw, pw + 1, ph, ph + 1)",
        "forward",
        "conv2d.im2col.wrong",
    ),
    "half_the_kernel": (
        "conv2d",
        "dilation * (kernel_size - 1) - 1) // stride",
        "2 * dilation * (kernel_size // 2) - 1) // stride",
        "output_size",
        "",
    ),
    "one_number_whatever_the_generator": (
        "kaiming_init",
        "        return tensor.uniform_(-bound, bound, generator=generator)",
        "        return tensor.uniform_(bound, bound, generator=generator)",
        "generator",
        "kaiming_init.nothing_drawn",
    ),
}
WHERE = {  # the same with what is said of where it is so
    "in_evaluation": (
        "linear",
        "return output if self.bias is None else",
        "return output if self.bias is None or not self.training else",
        "trains",
        "In evaluation mode, though not in training mode: The bias is never added.",
    ),
    "on_a_gpu": (
        "conv2d",
        "F.conv2d(input, self.weight, self.bias,",
        "F.conv2d(input, self.weight, None,",
        "simulated_gpu",
        "On a GPU, though not on the CPU: The bias is never added.",
    ),
}


@pytest.mark.bank
@pytest.mark.parametrize("name", FLAWS)
def test_a_flaw_gets_its_cause(course, broker, solutions, name):
    *flaw, cause = FLAWS[name]
    for result in results(course, broker, solutions, *flaw):
        assert result.cause_id == cause, message(result)


@pytest.mark.bank
@pytest.mark.parametrize("name", WHERE)
def test_a_cause_says_where_it_is_so(course, broker, solutions, name):
    *flaw, sentence = WHERE[name]
    for result in results(course, broker, solutions, *flaw):
        assert f"Likely cause: {sentence}\n" in message(result)


def results(course, broker, solutions, module, old, new, check):
    """What a check that fails says of a solution in which this is changed, for either of two seeds."""
    text = solutions[module].decode()
    assert old in text
    submission = Submission(old, solutions | {module: text.replace(old, new, 1).encode()}, {})
    for seed in (3, 11):
        report = grade(
            without_stand_ins(course),
            submission,
            broker,
            seed=seed,
            fit="off",
            only=[module],
            checks=[f"{module}.{check}"],
        )
        assert failed(report) == {f"{module}.{check}"}
        yield from (c for c in checks_of(report).values() if c.status == "failed")


def test_a_failing_fit_says_which_of_the_two_was_asked(course, broker, solutions):
    flaw = (
        "gradient_loop",
        "    error = predict(x, w, b) - y",
        "    error = predict(x, w, b) // y",
    )
    for result in results(course, broker, solutions, *flaw, "agreement"):
        assert "Asked: train_manual" in message(result)


READ = [  # an exception, the line that raised it, and what it is taken for
    (
        "RuntimeError: more than one element of the written-to tensor refers to a single memory location.",
        "x += 1",
        "raised.shared_elements",
    ),
    ("RuntimeError: unsupported memory format option Contiguous", "x.clone()", ""),
    (
        "RuntimeError: Error(s) in loading state_dict for L:\n\tWhile copying the parameter named w, …",
        "",
        "",
    ),
    (
        "RuntimeError: Error(s) in loading state_dict for L:\n\tMissing key(s) in state_dict: w",
        "",
        "raised.state_dict",
    ),
    (
        "TypeError: unsupported operand type(s) for +: 'NoneType' and 'Parameter'",
        "return output + self.bias",
        "raised.none",
    ),
    (
        "TypeError: unsupported operand type(s) for +: 'Tensor' and 'NoneType'",
        "return output + self.bias",
        "raised.bias_none",
    ),
    (
        "AttributeError: 'NoneType' object has no attribute 'uniform_'",
        "filled.uniform_(-bound, bound, generator=generator)",
        "raised.none",
    ),
    (
        "AttributeError: 'NoneType' object has no attribute 'device'",
        "torch.rand(3, device=generator.device)",
        "raised.generator_none",
    ),
    ("AttributeError: 'bool' object has no attribute 'sum'", "(a == b).sum()", "raised.attribute"),
    ("TypeError: object of type 'int' has no len()", "len(total)", ""),
    (
        "NotImplementedError: \"softmax\" not implemented for 'Long'",
        "labels.softmax(1)",
        "raised.dtype_unsupported",
    ),
]


@pytest.mark.parametrize(("raised", "line", "id"), READ)
def test_an_exception_is_taken_for_no_other(raised, line, id):
    kind, _, text = raised.partition(": ")
    hint = likely_cause(kind, text, line)
    assert (hint.id if hint else "") == id


def test_one_number_does_not_tell_why_some_answers_alone_are_wrong():
    def counts(n):
        both = [(2 * i, 3 * i, {ONE: 3 * i}) for i in range(1, n + 1)]
        return [
            Count("it", got, right, lambda c=c: c) for right, got, c in (*both, (1, 1, {ONE: 5}))
        ]

    assert cause_of(compare_counts, counts(1)) == ""
    assert cause_of(compare_counts, counts(2)) == ONE.id


def test_a_cause_has_to_explain_the_difference_not_the_number():
    expected = torch.ones(3, dtype=torch.float64)
    nearly = [Candidate(why("test.nearly", "It is nearly so."), expected * (1 + 1.05e-5))]
    assert diagnose(expected * (1 + 5e-8), expected, nearly) is None
    assert diagnose(expected * (1 + 1.05e-5), expected, nearly) is not None
