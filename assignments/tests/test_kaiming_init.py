"""Public tests of kaiming_init.py. The numbers come from handouts/kaiming_init.md."""

import math

import kaiming_init
import pytest
import torch
from torch import nn

from tower_student.language import mark, tr

FILLERS = ["kaiming_uniform_", "kaiming_normal_", "xavier_uniform_"]


def conv_weight() -> torch.Tensor:
    """Make a weight of the handout's shape: a 3×3 convolution from 32 channels to 64."""
    return torch.zeros(64, 32, 3, 3)


def check_uniform(values: torch.Tensor, bound: float, formula: str) -> None:
    """Assert that values reach to ±bound, not beyond, with the spread of a uniform draw."""
    largest, spread = values.abs().max().item(), values.std().item()
    assert 0.95 * bound < largest <= bound * (1 + 1e-5), tr(
        "the bound is {formula} = {bound:.6f}, the largest magnitude is {largest:.6f}",
        formula=formula,
        bound=bound,
        largest=largest,
    )
    expected = bound / math.sqrt(3)
    assert spread == pytest.approx(expected, rel=0.1), tr(
        "U(-bound, bound) has a standard deviation of bound/√3 = {expected:.6f}, got {spread:.6f}",
        expected=expected,
        spread=spread,
    )


@pytest.mark.parametrize(
    ("shape", "expected", "arithmetic"),
    [
        ((64, 32, 3, 3), (288, 576), "(32·9, 64·9)"),
        ((10, 4), (4, 10), mark("(4·1, 10·1): a linear layer has one tap")),
    ],
)
def test_calculate_fan_counts_every_tap_of_the_kernel(shape, expected, arithmetic):
    """(fan_in, fan_out) of a convolution's weight and of a linear one.

    Hint: With a pencil: the shape (64, 32, 3, 3) is (out, in, kernel rows, kernel columns). How
    many numbers does one output sum? 32 channels, and how many taps in each?
    Hint: (576, 288): the two are exchanged. (32, 64): the taps are missing. (192, 384): 3 + 3 in
    place of 3·3. An IndexError for (10, 4): that weight has no kernel axes.
    Hint: The taps are the product of all sizes after the first two. Where there are none the
    product is empty, and an empty product is 1, so that the linear weight needs no case of its own.
    Both fans are multiplied by it.
    Hint: How many numbers one image of a batch holds: `math.prod((8, 3, 5, 5)[1:])` is 3·5·5 = 75.
    For a batch of single numbers, `math.prod((8,)[1:])` is the empty product, 1.
    """
    fans = kaiming_init.calculate_fan(torch.zeros(shape))
    assert tuple(fans) == expected, tr(
        "(fan_in, fan_out) of {shape} is {arithmetic} = {expected}, got {got}",
        shape=shape,
        arithmetic=tr(arithmetic),
        expected=expected,
        got=tuple(fans),
    )


def test_leaky_relu_gain_makes_up_for_what_the_slope_loses():
    """The gain for a slope of 0 and for a slope of √5.

    Hint: Work out both with a pencil. For a = 0 it is √(2/1). For a = √5: what is a², and what
    stands below the 2?
    Hint: 2 or 0.3333: the root is missing. 0.7862: a is not squared. 0.2357: the root covers the 2
    only. 1.4142 for both: a is not used.
    Hint: Inside out: square the slope, add 1, divide 2 by that, and draw the root last, over the
    whole fraction.
    Hint: Another formula, √(1 / (1 - v²)) for v = 0.6: `math.sqrt(1 / (1 - 0.6**2))` is √(1/0.64) =
    1.25. Square, bracket, fraction, and the root last.
    """
    assert kaiming_init.leaky_relu_gain() == pytest.approx(1.414214, abs=1e-6), tr(
        "√(2 / (1 + 0²)) = √2 = 1.414214, got {got}", got=kaiming_init.leaky_relu_gain()
    )
    assert kaiming_init.leaky_relu_gain(math.sqrt(5)) == pytest.approx(0.577350, abs=1e-6), tr(
        "√(2 / (1 + 5)) = √(1/3) = 0.577350, got {got}",
        got=kaiming_init.leaky_relu_gain(math.sqrt(5)),
    )


def test_kaiming_uniform_reaches_gain_times_root_three_over_fan_in():
    """Uniform values up to gain·√(3 / fan_in), here with a slope of 0.

    Hint: With a pencil: the gain is √2 and fan_in is 288. Print the bound in your function, then
    weight.min() and weight.max().
    Hint: A bound of 0.0833: the 3 is missing. 0.1021: the gain is missing, or fan_out was taken.
    0.4330: the taps are missing. A right bound with half the spread: all values are of one sign.
    Hint: A uniform draw on ±bound has the variance bound²/3, so the bound is √3 times the standard
    deviation gain/√fan_in. Draw from minus the bound to plus the bound; the 3 stands under the root
    with fan_in.
    Hint: To draw numbers with a standard deviation of 0.5, √3·0.5 = 0.866 is the bound:
    `torch.zeros(5000).uniform_(-0.866, 0.866).std()` is about 0.5.
    """
    torch.manual_seed(0)
    weight = kaiming_init.kaiming_uniform_(conv_weight())
    check_uniform(weight, 0.144338, "√2·√(3/288) = √(1/48)")


def test_kaiming_uniform_with_the_slope_root_five_is_the_default_of_pytorch():
    """The argument a = √5 makes the bound 1/√fan_in.

    Hint: Print leaky_relu_gain(math.sqrt(5)), which is 0.577350, and the gain that kaiming_uniform_
    works with when a is √5.
    Hint: A largest magnitude of 0.1443: a never reaches the gain. 0.2282: a itself is taken for the
    gain. 0.0802: a is not squared in the gain.
    Hint: Only the gain depends on a: hand a on to the function that computes it. The √(1/3) then
    cancels the √3 of the bound; no case of its own is needed for √5.
    Hint: The area of a ring hands both radii on: `def ring(r, hole=1.0): return disc(r) -
    disc(hole)`. With `disc(1.0)` at the end the argument hole would do nothing.
    """
    torch.manual_seed(0)
    weight = kaiming_init.kaiming_uniform_(conv_weight(), a=math.sqrt(5))
    check_uniform(weight, 0.058926, "√(1/3)·√(3/288) = 1/√288")


def test_kaiming_normal_has_a_standard_deviation_of_gain_over_root_fan_in():
    """Normal values with the standard deviation gain/√fan_in.

    Hint: With a pencil: √2/√288 = 1/12 = 0.0833. Print weight.std(), and the number you hand to the
    draw.
    Hint: 0.0069 is 1/144, the variance. 0.0589: the gain is missing, or fan_out was taken. 0.25:
    the taps are missing. 0.1443 is the bound of the uniform form. The right spread with 57.7 %
    within it: the draw is uniform.
    Hint: normal_ takes a mean and a standard deviation, not a variance. The mean is 0, and there is
    no √3 here: that belongs to the uniform form alone.
    Hint: Numbers with a mean of 5 and a variance of 9: `torch.empty(1000).normal_(5, 3)`. The
    second argument is 3, the root of 9.
    """
    torch.manual_seed(0)
    weight = kaiming_init.kaiming_normal_(conv_weight())
    spread = weight.std().item()
    assert spread == pytest.approx(1 / 12, rel=0.05), tr(
        "the standard deviation is √2/√288 = 1/12 = 0.083333, got {spread:.6f}", spread=spread
    )
    within = (weight.abs() < 1 / 12).double().mean().item()
    assert within == pytest.approx(0.683, abs=0.02), tr(
        "a normal distribution has 68.3 % of its values within one standard deviation "
        "(a uniform one 57.7 %), got {got:.1f} %",
        got=100 * within,
    )


def test_xavier_uniform_averages_both_fans():
    """Uniform values whose bound looks at fan_in and fan_out together.

    Hint: With a pencil: fan_in is 288, fan_out 576, and the bound √(6 / 864) = 1/12. Print both
    fans and the bound in your function.
    Hint: A largest magnitude of 0.1443: fan_in alone. 0.1021: fan_out alone. 0.1179: the mean of
    the fans where their sum was due, or a gain of √2. 0.0481: that is the standard deviation.
    Hint: 6 is 3·2, the 3 of a uniform draw and the 2 of Glorot's variance, and it is divided by the
    sum of the fans. The gain is the argument as it comes, 1 by default; leaky_relu_gain has no part
    in it.
    Hint: A pair that a function returns is taken apart by `whole, rest = divmod(17, 5)`, which
    gives 3 and 2. Then `math.sqrt(20 / (whole + rest))` is √4 = 2: sum, fraction, and the root
    last.
    """
    torch.manual_seed(0)
    weight = kaiming_init.xavier_uniform_(conv_weight())
    check_uniform(weight, 1 / 12, "√(6 / (288 + 576)) = √(1/144)")


def test_bias_uniform_takes_its_bound_from_the_weight():
    """A bias is filled with U(±1/√fan_in), with the fan_in of the weight beside it.

    Hint: Print bias.shape and weight.shape: (5000,) and (5000, 16). How many inputs does one output
    sum?
    Hint: An IndexError: the fans were asked of the bias, which has one dimension. 0.0141 is
    1/√5000, the outputs. 0.4330 or 0.6124: the √3, or also the gain, of the Kaiming bound. Zeros:
    it was the weight that got filled.
    Hint: Two tensors with two roles: the weight is only asked for its fan_in, the bias is filled
    and returned. There is no gain in this bound and no 3, only one over a root.
    Hint: To fill one tensor with numbers from 0 to the largest of another: `target.uniform_(0,
    source.max().item())`. source is asked and stays as it is; target is filled.
    """
    torch.manual_seed(0)
    bias = kaiming_init.bias_uniform_(torch.zeros(5000), torch.zeros(5000, 16))
    check_uniform(bias, 0.25, "1/√16")


@pytest.mark.parametrize("name", FILLERS)
def test_the_given_tensor_is_filled_and_returned(name):
    """The tensor handed in is the one that is filled, and the one that comes back.

    Hint: Print id(tensor) in the first line of your function and once more before it ends. Is it
    still the same object, and does the function return anything?
    Hint: None came back: there is no return. Another tensor came back and this one is still zeros:
    `tensor = …` gave the name to a new tensor, and the caller's was not touched.
    Hint: Methods whose names end in an underscore (uniform_, normal_, mul_, copy_) write into the
    tensor they are called on and return that same tensor. Reach the values with these only, and
    never assign to the name.
    Hint: After `def halve_(x): return x.mul_(0.5)`, `halve_(t) is t` is True and t holds half of
    what it held. With `x = x * 0.5` inside, t would stay as it was.
    """
    weight = conv_weight()
    returned = getattr(kaiming_init, name)(weight)
    assert returned is weight, tr(
        "{name} returns the tensor it was given, not another one", name=name
    )
    assert weight.std().item() > 0, tr(
        "{name} left the tensor it was given full of zeros", name=name
    )


@pytest.mark.parametrize("name", FILLERS)
def test_a_parameter_is_filled_without_a_trace_in_autograd(name):
    """After the filling a parameter is a leaf that requires a gradient, as before.

    Hint: Read the error: "a leaf Variable that requires grad is being used in an in-place
    operation". Without an error, print weight.requires_grad and weight.grad_fn after the call.
    Hint: The initial values are not part of the way from the weights to the loss, so autograd has
    nothing to record here. requires_grad is False afterwards: it was turned off, where the
    recording should have been.
    Hint: Fill inside torch.no_grad(): there, changing a leaf in place is allowed and not recorded,
    and requires_grad stays what it was. Each of the three functions needs it.
    Hint: To set the bias of an nn.Linear to zeros: `with torch.no_grad(): layer.bias.zero_()`. Its
    requires_grad stays True and its grad_fn None.
    """
    weight = nn.Parameter(conv_weight())
    getattr(kaiming_init, name)(weight)
    assert (weight.is_leaf, weight.requires_grad, weight.grad_fn) == (True, True, None), tr(
        "after {name} a parameter is still a leaf that requires a gradient; got "
        "is_leaf={is_leaf}, requires_grad={requires_grad}, grad_fn={grad_fn}",
        name=name,
        is_leaf=weight.is_leaf,
        requires_grad=weight.requires_grad,
        grad_fn=weight.grad_fn,
    )


@pytest.mark.parametrize("name", FILLERS)
def test_the_same_generator_seed_gives_the_same_numbers(name):
    """Equal seeds give equal numbers, different seeds different ones.

    Hint: Call the function twice, each time with a new generator of seed 1, and print the first
    row. Which of the two claims fails?
    Hint: Seed 1 twice, and different numbers: the generator was taken but never reached the draw,
    which then uses the global one. Equal numbers for seeds 1 and 2: a seed is set inside, or the
    numbers are not random.
    Hint: uniform_ and normal_ take a keyword generator, and so do torch.rand and torch.randn. Hand
    on what you were given; None stands for the global generator there, so no case has to be told
    apart.
    Hint: A shuffle that can be repeated: `order = torch.randperm(5, generator=generator)`. Two
    generators of seed 1 give the same order; None takes the global generator.
    """
    fill = getattr(kaiming_init, name)
    first, again, other = (
        fill(torch.zeros(8, 4), generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again), tr(
        "{name}: two generators with seed 1 gave different numbers", name=name
    )
    assert not torch.equal(first, other), tr(
        "{name}: seeds 1 and 2 gave the same numbers", name=name
    )


def test_nothing_is_left_to_torch_nn_init(monkeypatch):
    """All functions work even where those of torch.nn.init are refused.

    Hint: The traceback names the line of kaiming_init.py from which torch.nn.init was reached. In
    which of the functions does it stand?
    Hint: nn.init.uniform_ and the tensor's own method uniform_ share a name, and only the first is
    refused. A new nn.Linear or nn.Conv2d is refused too, since it fills its weights through
    nn.init.
    Hint: Three ingredients do: the fans from the shape, the bound or the standard deviation by the
    math module, and the random numbers from the tensor's own methods, bias included.
    Hint: Waiting times with a mean of 1/2, drawn by the tensor's own method:
    `torch.zeros(3).exponential_(2.0)`. torch.nn.init has no part in it.
    """

    def refuse(*_args, **_kwargs):
        raise AssertionError(tr("a function of torch.nn.init was called: fill the tensor yourself"))

    for name in [*FILLERS, "uniform_", "normal_", "_calculate_fan_in_and_fan_out"]:
        monkeypatch.setattr(torch.nn.init, name, refuse)
    for name in FILLERS:
        getattr(kaiming_init, name)(torch.zeros(8, 4))
    kaiming_init.bias_uniform_(torch.zeros(8), torch.zeros(8, 4))
