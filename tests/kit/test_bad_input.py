"""Bad input gets a clear message and costs only its own checks."""

import textwrap

import pytest
from helpers import checks_of, failed, messages

from autograder.export.view import message

pytestmark = pytest.mark.sandbox


def patched(source, old, new):
    text = source.decode()
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the solution"
    return text.replace(old, new).encode()


def test_a_missing_module_is_not_submitted_and_the_others_keep_their_points(judge, solutions):
    report = judge({name: source for name, source in solutions.items() if name != "linear"})
    scores = {module.name: module.score for module in report.modules}
    assert scores == {
        "gradient_loop": 15,
        "linear": 0,
        "conv2d": 30,
        "kaiming_init": 15,
        "tower": 20,
    }
    checks = [check for check in checks_of(report).values() if check.id.startswith("linear.")]
    assert {check.status for check in checks} == {"not_submitted"}
    assert report.max_score == 100
    tower = report.modules[-1]
    assert "passed only over the course's linear, not over yours" in tower.note


def test_a_syntax_error_names_file_and_line(judge, solutions):
    report = judge({"linear": b"import torch\n\ndef broken(:\n    pass\n"}, only="linear")
    assert report.score == 0
    assert "linear.py, line 3: syntax error" in messages(report)
    assert "student | def broken(:" in messages(report)


def test_an_import_error_names_the_line_and_what_may_be_imported(judge):
    report = judge({"linear": b"import torch\nimport my_helpers\n"}, only="linear")
    (module,) = report.modules
    assert module.note.startswith("linear.py, line 2, failed and was passed over: ModuleNotFound")
    assert module.note.endswith("a helper belongs into the module itself.")


def test_what_a_failed_import_leaves_out_fails_for_that_reason(judge, solutions):
    source = b"import my_helpers\n" + patched(
        solutions["linear"], "super().__init__()", "super().__init__(); my_helpers.log()"
    )
    report = judge({"linear": source}, only="linear")
    assert "my_helpers is missing, since linear.py, line 1, failed" in messages(report)
    assert "student | ModuleNotFoundError: No module named 'my_helpers'" in messages(report)


def test_a_misnamed_class_is_named_with_the_nearest_name(judge, solutions):
    source = solutions["linear"].replace(b"class CustomLinear", b"class CustomLiner")
    report = judge({"linear": source}, only="linear")
    assert "linear.py defines no CustomLinear. The nearest name in it is CustomLiner." in messages(
        report
    )


def test_a_missing_function_is_named(judge, solutions):
    source = solutions["conv2d"].replace(b"def output_size", b"def out_size")
    source = source.replace(b"map(output_size, ", b"map(out_size, ")
    report = judge({"conv2d": source}, only="conv2d")
    assert failed(report) == {"conv2d.output_size"}
    assert "conv2d.py defines no output_size" in messages(report)


def test_a_wrong_signature_shows_the_call_and_the_error(judge, solutions):
    source = patched(solutions["linear"], "        bias: bool = True,\n", "")
    source = source.replace(b"if bias:", b"if True:")
    report = judge({"linear": source}, only="linear")
    assert "CustomLinear(20, 30, bias=True)" in messages(report)
    assert "unexpected keyword argument 'bias'" in messages(report)
    assert "The signature is not the one in the skeleton." in messages(report)


def test_an_exception_in_forward_shows_type_message_and_the_students_own_line(judge, solutions):
    source = patched(
        solutions["linear"],
        "output = input @ self.weight.T",
        "raise ValueError(f'cannot take {tuple(input.shape)}')",
    )
    report = judge({"linear": source}, only="linear")
    text = message(checks_of(report)["linear.forward"])
    assert "ValueError was raised in linear.py, line" in text
    assert "student | raise ValueError(f'cannot take {tuple(input.shape)}')" in text
    assert "student | ValueError: cannot take (4, 5)" in text
    assert checks_of(report)["linear.registration"].status == "passed"


def test_printing_and_warning_harm_nothing(judge, solutions):
    noise = textwrap.dedent(
        """
        import sys, warnings, logging
        warnings.warn("careful")
        print("importing", file=sys.stderr)
        logging.warning("hello")
        print("x" * 100_000)
        """
    )
    source = (
        noise
        + patched(
            solutions["linear"],
            "output = input @ self.weight.T",
            "print(input, self.weight); output = input @ self.weight.T",
        ).decode()
    )
    # the `from __future__`-free solution may stand below other code
    assert judge({"linear": source.encode()}, only="linear").score == 20


def test_a_module_may_close_its_output(judge, solutions):
    source = b"import os\nos.close(1)\nos.close(2)\n" + solutions["linear"]
    assert judge({"linear": source}, only="linear").score == 20


def test_a_wrong_brick_costs_the_tower_nothing_and_the_report_says_so(judge, solutions):
    source = patched(solutions["conv2d"], "::dh, ::dw", "::dw, ::dh")
    wrong = solutions | {"conv2d": source.replace(b"output + self.bias[:, None]", b"output")}
    report = judge(wrong)
    scores = {module.name: module.score for module in report.modules}
    assert scores["tower"] == 20
    assert scores["conv2d"] < 20
    assert "conv2d" in report.modules[-1].note


def test_a_unicode_error_in_an_exception_is_only_text(judge, solutions):
    source = patched(
        solutions["linear"],
        "output = input @ self.weight.T",
        "raise ValueError('\\ud800 \\x1b[31m red \\x00 \\u202e')",
    )
    text = message(checks_of(judge({"linear": source}, only="linear"))["linear.forward"])
    assert text.isprintable() or "\n" in text
    assert not any(c in text for c in ("\ud800", "\x1b", "\x00", "\u202e"))


@pytest.mark.parametrize("module", ["gradient_loop", "linear", "conv2d", "kaiming_init", "tower"])
def test_an_empty_module_earns_nothing(judge, solutions, module):
    report = judge(solutions | {module: b""}, only=module)
    assert report.score == 0
    assert "defines no" in messages(report)
