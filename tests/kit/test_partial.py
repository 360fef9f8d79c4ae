"""What is partly right: groups of cases earn shares, and one slip is charged once."""

import pytest
from helpers import checks_of, failed


def with_lines(source, lines):
    """The text, where each of these parts, which it has once, is another."""
    for old, new in lines.items():
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    return source


SQUARE_ALONE = {
    b"torch.empty(out_channels, in_channels, *self.kernel_size,": (
        b"torch.empty(out_channels, in_channels, kernel_size, kernel_size,"
    )
}


def test_groups_of_cases_earn_their_share(judge, solutions):
    wrong = with_lines(solutions["conv2d"], SQUARE_ALONE)
    checks = checks_of(judge({"conv2d": wrong}, only="conv2d", seed=3))
    shares = {n: check.score / check.max_score for n, check in checks.items() if check.max_score}
    assert shares["conv2d.im2col"] == shares["conv2d.by_hand"] == 1
    assert shares["conv2d.registration"] == 1 / 2
    assert shares["conv2d.forward"] == 2 / 4
    check = checks["conv2d.forward"]
    assert check.status == "failed"
    assert check.remark == (
        "Right: one number for height and width, other memory layouts. "
        "Still wrong: pairs of numbers, random questions."
    )
    assert checks["conv2d.registration"].cause_id == "conv2d.geometry.pair"
    assert check.feedback.same_as == "conv2d.registration"


def test_what_is_wrong_beyond_the_named_cases_loses_the_share_of_drawn_questions(judge, solutions):
    old = b"        ### BEGIN SOLUTION Return input"
    new = b"        if self.out_features > 40:\n            input = input * 2\n" + old
    wrong = with_lines(solutions["linear"], {old: new})
    checks = checks_of(judge({"linear": wrong}, only="linear", seed=3))
    assert checks["linear.forward"].score == 3
    assert checks["linear.forward"].max_score == 4


def test_what_is_not_written_earns_no_share(judge, solutions):
    old = b"        ### BEGIN SOLUTION Return input"
    new = b"        if input.dim() == 3:\n            raise NotImplementedError\n" + old
    wrong = with_lines(solutions["linear"], {old: new})
    assert checks_of(judge({"linear": wrong}, only="linear"))["linear.forward"].score == 0


HALVED = {b"return ((y_predicted - y) ** 2).mean()": b"return ((y_predicted - y) ** 2).mean() / 2"}
RELU6 = {b"F.relu(self.fc1(hidden))": b"F.relu6(self.fc1(hidden))"}
SINGLE = {b"return output": b"return output.float()"}
WITHOUT_DEVICE = {
    b"        device: torch.device | str | None = None,\n": b"",
    b"torch.empty(out_features, in_features, device=device, dtype=dtype)": (
        b"torch.empty(out_features, in_features, dtype=dtype)"
    ),
    b"torch.empty(out_features, device=device, dtype=dtype)": (
        b"torch.empty(out_features, dtype=dtype)"
    ),
}
SLIPS = {
    "halved": ("gradient_loop", HALVED, {"squared_error"}),
    "another activation": ("tower", RELU6, {"forward", "own_bricks"}),
    "single precision": ("linear", SINGLE, {"forward"}),
    "no device": ("linear", WITHOUT_DEVICE, {"registration", "meta_device"}),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_charged_once(judge, solutions, slip):
    module, lines, charged = SLIPS[slip]
    report = judge({module: with_lines(solutions[module], lines)}, only=module, seed=5)
    assert failed(report) == {f"{module}.{check}" for check in charged}
    remarks = {check.remark for check in checks_of(report).values()}
    excused = f"Right but for what costs {min(failed(report))} its points." in remarks
    assert excused or slip == "no device"  # which no other check needs


def test_a_slip_excuses_nothing_else(judge, solutions):
    """Beside the halved error, the manual fit forgets its last step, and alters the caller's tensors."""
    both = HALVED | {
        b"def train_autograd(": b"_own = train_manual\n\n\n"
        b"def train_manual(x, y, w, b, learning_rate, steps):\n"
        b"    return _own(x, y, w, b, learning_rate, steps)[:-1]\n\n\n"
        b"def train_autograd("
    }
    wrong = with_lines(solutions["gradient_loop"], both)
    report = judge({"gradient_loop": wrong}, only="gradient_loop", seed=5)
    names = {check.partition(".")[2] for check in failed(report)}
    assert names == {"squared_error", "train_manual", "agreement"}
