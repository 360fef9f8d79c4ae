"""Public tests of gradient_loop.py. The numbers come from handouts/gradient_loop.md."""

import gradient_loop
import pytest
import torch


def number(value: float) -> torch.Tensor:
    """Make a float64 tensor without dimensions."""
    return torch.tensor(value, dtype=torch.float64)


def numbers(*values: float) -> torch.Tensor:
    """Make a float64 tensor of one dimension."""
    return torch.tensor(values, dtype=torch.float64)


def test_predict_is_w_times_x_plus_b_for_every_element():
    y = gradient_loop.predict(numbers(1, 2, 3), number(2), number(0.5))
    assert y.tolist() == [2.5, 4.5, 6.5], (
        f"2·[1, 2, 3] + 0.5 is [2.5, 4.5, 6.5], but predict returned {y.tolist()}"
    )


def test_squared_error_is_a_mean_and_not_a_sum():
    loss = gradient_loop.squared_error(numbers(1, 3), numbers(2, 6))
    assert loss.shape == (), f"the loss is one number, of shape (); got {tuple(loss.shape)}"
    assert loss.item() == 5, (
        f"the differences are -1 and -3, their squares 1 and 9, the mean 5 (the sum would be 10); "
        f"got {loss.item()}"
    )


def test_manual_gradients_of_one_point_follow_the_worked_example():
    grad_w, grad_b = gradient_loop.manual_gradients(number(2), number(5), number(1), number(0))
    assert (grad_w.item(), grad_b.item()) == (-12, -6), (
        "with x=2, y=5, w=1, b=0 the error e is 1·2 + 0 - 5 = -3, so the gradients are "
        f"2·e·x = -12 and 2·e = -6; got {grad_w.item()} and {grad_b.item()}"
    )


def test_manual_gradients_average_over_the_points():
    grads = gradient_loop.manual_gradients(numbers(1, 3), numbers(2, 4), number(1), number(0))
    grad_w, grad_b = grads
    assert grad_w.shape == grad_b.shape == (), (
        f"w and b have no dimensions, so their gradients have none; got shapes "
        f"{tuple(grad_w.shape)} and {tuple(grad_b.shape)}"
    )
    assert (grad_w.item(), grad_b.item()) == (-4, -2), (
        "both errors are -1: mean(-2·1, -2·3) = -4 and mean(-2, -2) = -2 "
        f"(sums would be -8 and -4); got {grad_w.item()} and {grad_b.item()}"
    )


def test_manual_gradients_agree_with_autograd():
    torch.manual_seed(0)
    x, y = torch.randn(2, 7, dtype=torch.float64)
    w, b = number(0.3).requires_grad_(), number(-0.8).requires_grad_()
    expected = torch.autograd.grad(((w * x + b - y) ** 2).mean(), [w, b])

    with torch.no_grad():  # by hand means that nothing has to be recorded
        actual = gradient_loop.manual_gradients(x, y, w, b)

    for name, got, wanted in zip(["grad_w", "grad_b"], actual, expected, strict=True):
        assert got.item() == pytest.approx(wanted.item(), abs=1e-9), (
            f"on seven random points {name} is {wanted.item():.9f} by autograd, "
            f"{got.item():.9f} by your formula"
        )


def test_sgd_step_changes_the_tensors_it_is_given_against_their_gradients():
    w, b = number(1), number(0)
    gradient_loop.sgd_step([w, b], [number(-12), number(-6)], 0.05)
    assert w.item() == pytest.approx(1.6, abs=1e-12), (
        f"w becomes 1 - 0.05·(-12) = 1.6, in the very tensor that was passed in; got {w.item()}"
    )
    assert b.item() == pytest.approx(0.3, abs=1e-12), (
        f"b becomes 0 - 0.05·(-6) = 0.3, in the very tensor that was passed in; got {b.item()}"
    )


def test_sgd_step_works_on_a_tensor_that_requires_a_gradient():
    w = number(1).requires_grad_()
    gradient_loop.sgd_step([w], [number(4)], 0.25)
    assert w.item() == 0, f"1 - 0.25·4 = 0, got {w.item()}"
    assert (w.is_leaf, w.requires_grad) == (True, True), (
        "w must stay a leaf that requires a gradient: the step is not part of what is "
        f"differentiated; got is_leaf={w.is_leaf}, requires_grad={w.requires_grad}"
    )


@pytest.mark.parametrize("name", ["train_manual", "train_autograd"])
def test_training_takes_the_two_worked_steps(name):
    train = getattr(gradient_loop, name)
    history = train(number(2), number(5), number(1), number(0), 0.05, 2)
    expected = [(9.0, 1.6, 0.3), (2.25, 1.9, 0.45)]
    assert len(history) == 2, f"two steps asked for, {len(history)} recorded"
    for i, (got, wanted) in enumerate(zip(history, expected, strict=True), start=1):
        assert tuple(got) == pytest.approx(wanted, abs=1e-12), (
            f"step {i} is (loss before the update, w after it, b after it) = {wanted}, "
            f"{name} recorded {tuple(got)}"
        )


@pytest.mark.parametrize("name", ["train_manual", "train_autograd"])
def test_history_is_made_of_steps_of_plain_floats(name):
    train = getattr(gradient_loop, name)
    (step,) = train(number(2), number(5), number(1), number(0), 0.05, 1)
    assert isinstance(step, gradient_loop.Step), f"expected a Step, got {type(step).__name__}"
    kinds = [type(value).__name__ for value in step]
    assert kinds == ["float"] * 3, f"loss, w and b are Python floats (.item()), got {kinds}"


@pytest.mark.parametrize("name", ["train_manual", "train_autograd"])
def test_training_leaves_the_callers_tensors_alone(name):
    train = getattr(gradient_loop, name)
    x, y, w, b = number(2), number(5), number(1), number(0)
    train(x, y, w, b, 0.05, 3)
    after = [tensor.item() for tensor in (x, y, w, b)]
    assert after == [2, 5, 1, 0], f"x, y, w, b were [2, 5, 1, 0] before training, now {after}"


def test_both_trainings_walk_through_the_same_numbers():
    torch.manual_seed(1)
    x = torch.randn(6, dtype=torch.float64)
    y = 3 * x - 1
    arguments = (x, y, number(0), number(0), 0.1, 20)
    manual, auto = (
        gradient_loop.train_manual(*arguments),
        gradient_loop.train_autograd(*arguments),
    )
    assert len(manual) == len(auto) == 20, f"20 steps asked, got {len(manual)} and {len(auto)}"
    for i, (by_hand, by_machine) in enumerate(zip(manual, auto, strict=True), start=1):
        assert tuple(by_hand) == pytest.approx(tuple(by_machine), rel=0, abs=1e-12), (
            f"the two histories part at step {i}: by hand {tuple(by_hand)}, "
            f"by autograd {tuple(by_machine)}"
        )
