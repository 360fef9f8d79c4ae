"""Public tests of gradient_loop.py. The numbers come from handouts/gradient_loop.md."""

import gradient_loop
import pytest
import torch

from tower_student.language import tr


def number(value: float) -> torch.Tensor:
    """Make a float64 tensor without dimensions."""
    return torch.tensor(value, dtype=torch.float64)


def numbers(*values: float) -> torch.Tensor:
    """Make a float64 tensor of one dimension."""
    return torch.tensor(values, dtype=torch.float64)


def test_predict_is_w_times_x_plus_b_for_every_element():
    """The height of the line at three points at once.

    Hint: Work out the second element with a pencil: x = 2, w = 2, b = 0.5. The first element does
    not tell much: it is 2.5 even where w and b are exchanged.
    Hint: If an error speaks of the dimensions of matmul: `@` is a matrix product and wants at least
    one dimension on either side. w and b have none.
    Hint: Elementwise product and sum suffice. A tensor without dimensions is broadcast to every
    element of x, so the formula for one number holds for all of them, without a loop.
    Hint: Other arithmetic on every element: `(torch.tensor([3.0, 5.0]) - torch.tensor(1.0)) /
    torch.tensor(2.0)` is [1, 2]. The 1 and the 2, without dimensions, meet both elements.
    """
    y = gradient_loop.predict(numbers(1, 2, 3), number(2), number(0.5))
    assert y.tolist() == [2.5, 4.5, 6.5], tr(
        "2·[1, 2, 3] + 0.5 is [2.5, 4.5, 6.5], but predict returned {got}", got=y.tolist()
    )


def test_squared_error_is_a_mean_and_not_a_sum():
    """The loss of two points: one number, the mean of the squared differences.

    Hint: With a pencil: the differences 1 - 2 and 3 - 6, the square of each, and then how many of
    them there are.
    Hint: Compare with what you return. [1, 9] has not been reduced, 10 is a sum, 4 is the square of
    the mean difference, and 2 the mean of the magnitudes.
    Hint: The order is difference, square, mean. The square is taken element by element; a mean that
    is given no dim runs over all elements and leaves no dimension behind.
    Hint: The mean absolute difference: `(torch.tensor([1.0, 5.0]) - torch.tensor([4.0,
    3.0])).abs().mean()` is (3 + 2) / 2 = 2.5, one number of shape ().
    """
    loss = gradient_loop.squared_error(numbers(1, 3), numbers(2, 6))
    assert loss.shape == (), tr(
        "the loss is one number, of shape (); got {shape}", shape=tuple(loss.shape)
    )
    assert loss.item() == 5, tr(
        "the differences are -1 and -3, their squares 1 and 9, the mean 5 (the sum would be 10); "
        "got {got}",
        got=loss.item(),
    )


def test_manual_gradients_of_one_point_follow_the_worked_example():
    """The derivatives of the loss by w and by b at one point.

    Hint: Work out e = w·x + b - y for x = 2, y = 5, w = 1, b = 0, and print yours beside it. Which
    sign has it?
    Hint: (12, 6) means that e has the wrong sign, (-6, -3) that the 2 from the square is missing,
    and (-6, -6) that x is missing from grad_w.
    Hint: Chain rule: the outer derivative of e² is 2·e in either case. It is multiplied by the
    inner derivative of w·x + b, which is x by w, and 1 by b.
    Hint: For the loss e³ with e = 4·v the outer derivative is 3·e² and the inner one 4: `e = 4 * v;
    grad_v = 3 * e**2 * 4`. With v = 0.5, e is 2 and grad_v 3·4·4 = 48.
    """
    grad_w, grad_b = gradient_loop.manual_gradients(number(2), number(5), number(1), number(0))
    assert (grad_w.item(), grad_b.item()) == (-12, -6), tr(
        "with x=2, y=5, w=1, b=0 the error e is 1·2 + 0 - 5 = -3, so the gradients are "
        "2·e·x = -12 and 2·e = -6; got {grad_w} and {grad_b}",
        grad_w=grad_w.item(),
        grad_b=grad_b.item(),
    )


def test_manual_gradients_average_over_the_points():
    """With two points, each gradient is one number: a mean over the points.

    Hint: Print the shapes of both gradients. With a pencil: both errors are -1, so what does the
    point with x = 1 add to grad_w, and what the point with x = 3?
    Hint: Shape (2,) means that nothing has been averaged; -8 and -4 mean that it was summed. grad_b
    is easily forgotten, since there is no x in it: does it take the mean too?
    Hint: The loss is a mean, and the derivative of a mean is the mean of the derivatives. So the
    products of the one-point formula come first, one per point, and the reduction last, in both
    results.
    Hint: For the loss mean((v + x)³) the derivative by v is `(3 * (v + x) ** 2).mean()`. With v = 0
    and x = [1, 2] it is (3 + 12) / 2 = 7.5, one number.
    """
    grads = gradient_loop.manual_gradients(numbers(1, 3), numbers(2, 4), number(1), number(0))
    grad_w, grad_b = grads
    assert grad_w.shape == grad_b.shape == (), tr(
        "w and b have no dimensions, so their gradients have none; got shapes "
        "{grad_w} and {grad_b}",
        grad_w=tuple(grad_w.shape),
        grad_b=tuple(grad_b.shape),
    )
    assert (grad_w.item(), grad_b.item()) == (-4, -2), tr(
        "both errors are -1: mean(-2·1, -2·3) = -4 and mean(-2, -2) = -2 "
        "(sums would be -8 and -4); got {grad_w} and {grad_b}",
        grad_w=grad_w.item(),
        grad_b=grad_b.item(),
    )


def test_manual_gradients_agree_with_autograd():
    """On seven random points the formula gives what autograd gives, without using it.

    Hint: An error "does not require grad" comes from autograd: the test calls your function under
    no_grad, where a backward has nothing to follow. Otherwise see which of the two gradients is
    off.
    Hint: Is grad_b right and grad_w wrong? A mean of products is not the product of the means: for
    e = [1, 3] and x = [1, 3] one is 5, the other 4. With equal errors, as in the handout, both
    agree.
    Hint: Multiply each point's error by that point's own x, and average the seven products
    afterwards. The number of points comes from the tensor. If only the eighth digit is off, look
    for a .float() on the way.
    Hint: What a purchase costs on average: with price = [1, 2, 6] and amount = [3, 2, 1] as float
    tensors, `(price * amount).mean()` is (3 + 4 + 6) / 3 = 4.33. `price.mean() * amount.mean()` is
    3·2 = 6, and wrong.
    """
    torch.manual_seed(0)
    x, y = torch.randn(2, 7, dtype=torch.float64)
    w, b = number(0.3).requires_grad_(), number(-0.8).requires_grad_()
    expected = torch.autograd.grad(((w * x + b - y) ** 2).mean(), [w, b])

    with torch.no_grad():  # by hand means that nothing has to be recorded
        actual = gradient_loop.manual_gradients(x, y, w, b)

    for name, got, wanted in zip(["grad_w", "grad_b"], actual, expected, strict=True):
        assert got.item() == pytest.approx(wanted.item(), abs=1e-9), tr(
            "on seven random points {name} is {expected:.9f} by autograd, "
            "{got:.9f} by your formula",
            name=name,
            expected=wanted.item(),
            got=got.item(),
        )


def test_sgd_step_changes_the_tensors_it_is_given_against_their_gradients():
    """One step downhill that changes the very tensors passed in.

    Hint: Print the parameter inside sgd_step when the step is done, and w in the test: do they
    differ? With a pencil: the gradient is -12; does w grow or shrink?
    Hint: w = 1 means that the caller's tensor never changed, 0.4 that the step went along the
    gradient, 13 that the learning rate was left out.
    Hint: An assignment with `=` binds the name inside your loop to a new tensor, and the caller
    keeps the old one. An augmented assignment, or a method whose name ends in an underscore, writes
    into the tensor itself.
    Hint: To halve every tensor of a list where it is: `for t in tensors: t *= 0.5`. With `t = t *
    0.5` in the loop the list would keep its old numbers.
    """
    w, b = number(1), number(0)
    gradient_loop.sgd_step([w, b], [number(-12), number(-6)], 0.05)
    assert w.item() == pytest.approx(1.6, abs=1e-12), tr(
        "w becomes 1 - 0.05·(-12) = 1.6, in the very tensor that was passed in; got {got}",
        got=w.item(),
    )
    assert b.item() == pytest.approx(0.3, abs=1e-12), tr(
        "b becomes 0 - 0.05·(-6) = 0.3, in the very tensor that was passed in; got {got}",
        got=b.item(),
    )


def test_sgd_step_works_on_a_tensor_that_requires_a_gradient():
    """The step also works where autograd watches the tensor, which stays a leaf.

    Hint: Read the error: "a leaf Variable that requires grad is being used in an in-place
    operation". Without an error, print w, w.is_leaf and w.requires_grad after the step.
    Hint: Autograd records what is done to w, and refuses an in-place change of a leaf while it
    does. Which part of training has to be recorded: the way from w to the loss, or the update?
    Hint: There is a context manager under which nothing is recorded and in-place changes of a leaf
    are allowed: this file uses it around manual_gradients. Turning requires_grad off would change w
    itself.
    Hint: To keep a weight that is being trained between -1 and 1: `with torch.no_grad():
    weight.clamp_(-1, 1)`. It remains a leaf that requires a gradient.
    """
    w = number(1).requires_grad_()
    gradient_loop.sgd_step([w], [number(4)], 0.25)
    assert w.item() == 0, tr("1 - 0.25·4 = 0, got {got}", got=w.item())
    assert (w.is_leaf, w.requires_grad) == (True, True), tr(
        "w must stay a leaf that requires a gradient: the step is not part of what is "
        "differentiated; got is_leaf={is_leaf}, requires_grad={requires_grad}",
        is_leaf=w.is_leaf,
        requires_grad=w.requires_grad,
    )


@pytest.mark.parametrize("name", ["train_manual", "train_autograd"])
def test_training_takes_the_two_worked_steps(name):
    """Two steps at x = 2, y = 5 give the two rows of the handout's table.

    Hint: Lay your steps beside the table, (9, 1.6, 0.3) and (2.25, 1.9, 0.45), and find the first
    number that differs. In step 1 or in step 2?
    Hint: A first loss of 2.25 was taken after the update. b = 0.18 after step 1: w had moved before
    b's gradient was computed. w = 2.5 after step 2: the old gradient was still there. A .grad of
    None: that w is no leaf, or does not require a gradient.
    Hint: In each round: the loss from the present w and b, both gradients, then both updates, then
    the record with the loss from before. With autograd the copies have to require a gradient, and
    .grad is cleared before the next backward.
    Hint: Two numbers that both follow from the old pair, and a record of a from before: `old = a;
    a, b = b, a + b; history.append((old, a, b))`. From a = 1, b = 2 it records (1, 2, 3).
    """
    train = getattr(gradient_loop, name)
    history = train(number(2), number(5), number(1), number(0), 0.05, 2)
    expected = [(9.0, 1.6, 0.3), (2.25, 1.9, 0.45)]
    assert len(history) == 2, tr("two steps asked for, {count} recorded", count=len(history))
    for i, (got, wanted) in enumerate(zip(history, expected, strict=True), start=1):
        assert tuple(got) == pytest.approx(wanted, abs=1e-12), tr(
            "step {step} is (loss before the update, w after it, b after it) = {expected}, "
            "{name} recorded {got}",
            step=i,
            expected=wanted,
            name=name,
            got=tuple(got),
        )


@pytest.mark.parametrize("name", ["train_manual", "train_autograd"])
def test_history_is_made_of_steps_of_plain_floats(name):
    """Each entry of the history is a Step of three Python floats.

    Hint: Print the first entry, and the type of each of its values. Is it 9.0 or
    tensor(9., dtype=torch.float64)?
    Hint: A tuple or a list of three numbers looks alike but is no Step. The class stands at the top
    of gradient_loop.py and takes loss, w and b, in this order.
    Hint: A tensor without dimensions hands out its number through .item(); all three need it. A
    stored w would go on changing with the steps to come, a float does not.
    Hint: Let Range be a NamedTuple of low and high. `Range(x.min().item(), x.max().item())` holds
    two floats; without .item() it would hold two tensors.
    """
    train = getattr(gradient_loop, name)
    (step,) = train(number(2), number(5), number(1), number(0), 0.05, 1)
    assert isinstance(step, gradient_loop.Step), tr(
        "expected a Step, got {kind}", kind=type(step).__name__
    )
    kinds = [type(value).__name__ for value in step]
    assert kinds == ["float"] * 3, tr(
        "loss, w and b are Python floats (.item()), got {kinds}", kinds=kinds
    )


@pytest.mark.parametrize("name", ["train_manual", "train_autograd"])
def test_training_leaves_the_callers_tensors_alone(name):
    """x, y, w and b hold after the training what they held before.

    Hint: Print w.data_ptr() for the w that comes in and for the w that you hand to sgd_step. Is it
    the same address?
    Hint: sgd_step changes its tensors in place, as it must. So the training needs a w and a b with
    memory of their own. detach() and a plain assignment share the memory of the original.
    Hint: clone() gives memory of its own. Make the copies once, before the first step, and hand
    only these to sgd_step; where the caller's w is part of a graph, the copy is cut loose from it
    as well.
    Hint: To set negative numbers to 0 in a copy: `own = x.clone(); own[own < 0] = 0`. x keeps its
    numbers. With `own = x` it would lose them, since there is one tensor under two names.
    """
    train = getattr(gradient_loop, name)
    x, y, w, b = number(2), number(5), number(1), number(0)
    train(x, y, w, b, 0.05, 3)
    after = [tensor.item() for tensor in (x, y, w, b)]
    assert after == [2, 5, 1, 0], tr(
        "x, y, w, b were [2, 5, 1, 0] before training, now {after}", after=after
    )


def test_both_trainings_walk_through_the_same_numbers():
    """Twenty steps by hand and by autograd: the same numbers at each step.

    Hint: The message names the step at which they part. At step 1 a gradient or the loss differs.
    From step 2 on, something is left over from the step before.
    Hint: At step 1, print what manual_gradients returns beside w.grad and b.grad: a factor of 6 is
    a sum in place of a mean. At step 2, print w.grad just before backward: None or 0, or an old
    value?
    Hint: backward adds to what is already in .grad, so it is cleared between a step and the next
    backward. If the difference is only about 1e-8, one w has become float32, which is what
    torch.tensor makes of a Python float.
    Hint: For `x = torch.tensor(2.0, requires_grad=True)`, `(3 * x).backward(); (5 * x).backward()`
    leaves 3 + 5 = 8 in x.grad. Had it been emptied in between, it would hold 5.
    """
    torch.manual_seed(1)
    x = torch.randn(6, dtype=torch.float64)
    y = 3 * x - 1
    arguments = (x, y, number(0), number(0), 0.1, 20)
    manual, auto = (
        gradient_loop.train_manual(*arguments),
        gradient_loop.train_autograd(*arguments),
    )
    assert len(manual) == len(auto) == 20, tr(
        "20 steps asked, got {manual} and {auto}", manual=len(manual), auto=len(auto)
    )
    for i, (by_hand, by_machine) in enumerate(zip(manual, auto, strict=True), start=1):
        assert tuple(by_hand) == pytest.approx(tuple(by_machine), rel=0, abs=1e-12), tr(
            "the two histories part at step {step}: by hand {manual}, by autograd {auto}",
            step=i,
            manual=tuple(by_hand),
            auto=tuple(by_machine),
        )
