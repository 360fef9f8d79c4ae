"""Public tests of kaiming_init.py. The numbers come from handouts/kaiming_init.md."""

import math

import kaiming_init
import pytest
import torch
from torch import nn

FILLERS = ["kaiming_uniform_", "kaiming_normal_", "xavier_uniform_"]


def conv_weight() -> torch.Tensor:
    """Make a weight of the handout's shape: a 3×3 convolution from 32 channels to 64."""
    return torch.zeros(64, 32, 3, 3)


def check_uniform(values: torch.Tensor, bound: float, formula: str) -> None:
    """Assert that values reach to ±bound, not beyond, with the spread of a uniform draw."""
    largest, spread = values.abs().max().item(), values.std().item()
    assert 0.95 * bound < largest <= bound * (1 + 1e-5), (
        f"the bound is {formula} = {bound:.6f}, the largest magnitude is {largest:.6f}"
    )
    expected = bound / math.sqrt(3)
    assert spread == pytest.approx(expected, rel=0.1), (
        f"U(-bound, bound) has a standard deviation of bound/√3 = {expected:.6f}, got {spread:.6f}"
    )


@pytest.mark.parametrize(
    ("shape", "expected", "arithmetic"),
    [
        ((64, 32, 3, 3), (288, 576), "(32·9, 64·9)"),
        ((10, 4), (4, 10), "(4·1, 10·1): a linear layer has one tap"),
    ],
)
def test_calculate_fan_counts_every_tap_of_the_kernel(shape, expected, arithmetic):
    fans = kaiming_init.calculate_fan(torch.zeros(shape))
    assert tuple(fans) == expected, (
        f"(fan_in, fan_out) of {shape} is {arithmetic} = {expected}, got {tuple(fans)}"
    )


def test_leaky_relu_gain_makes_up_for_what_the_slope_loses():
    assert kaiming_init.leaky_relu_gain() == pytest.approx(1.414214, abs=1e-6), (
        f"√(2 / (1 + 0²)) = √2 = 1.414214, got {kaiming_init.leaky_relu_gain()}"
    )
    assert kaiming_init.leaky_relu_gain(math.sqrt(5)) == pytest.approx(0.577350, abs=1e-6), (
        f"√(2 / (1 + 5)) = √(1/3) = 0.577350, got {kaiming_init.leaky_relu_gain(math.sqrt(5))}"
    )


def test_kaiming_uniform_reaches_gain_times_root_three_over_fan_in():
    torch.manual_seed(0)
    weight = kaiming_init.kaiming_uniform_(conv_weight())
    check_uniform(weight, 0.144338, "√2·√(3/288) = √(1/48)")


def test_kaiming_uniform_with_the_slope_root_five_is_the_default_of_pytorch():
    torch.manual_seed(0)
    weight = kaiming_init.kaiming_uniform_(conv_weight(), a=math.sqrt(5))
    check_uniform(weight, 0.058926, "√(1/3)·√(3/288) = 1/√288")


def test_kaiming_normal_has_a_standard_deviation_of_gain_over_root_fan_in():
    torch.manual_seed(0)
    weight = kaiming_init.kaiming_normal_(conv_weight())
    spread = weight.std().item()
    assert spread == pytest.approx(1 / 12, rel=0.05), (
        f"the standard deviation is √2/√288 = 1/12 = 0.083333, got {spread:.6f}"
    )
    within = (weight.abs() < 1 / 12).double().mean().item()
    assert within == pytest.approx(0.683, abs=0.02), (
        "a normal distribution has 68.3 % of its values within one standard deviation "
        f"(a uniform one 57.7 %), got {100 * within:.1f} %"
    )


def test_xavier_uniform_averages_both_fans():
    torch.manual_seed(0)
    weight = kaiming_init.xavier_uniform_(conv_weight())
    check_uniform(weight, 1 / 12, "√(6 / (288 + 576)) = √(1/144)")


def test_bias_uniform_takes_its_bound_from_the_weight():
    torch.manual_seed(0)
    bias = kaiming_init.bias_uniform_(torch.zeros(5000), torch.zeros(5000, 16))
    check_uniform(bias, 0.25, "1/√16")


@pytest.mark.parametrize("name", FILLERS)
def test_the_given_tensor_is_filled_and_returned(name):
    weight = conv_weight()
    returned = getattr(kaiming_init, name)(weight)
    assert returned is weight, f"{name} returns the tensor it was given, not another one"
    assert weight.std().item() > 0, f"{name} left the tensor it was given full of zeros"


@pytest.mark.parametrize("name", FILLERS)
def test_a_parameter_is_filled_without_a_trace_in_autograd(name):
    weight = nn.Parameter(conv_weight())
    getattr(kaiming_init, name)(weight)
    assert (weight.is_leaf, weight.requires_grad, weight.grad_fn) == (True, True, None), (
        f"after {name} a parameter is still a leaf that requires a gradient; got "
        f"is_leaf={weight.is_leaf}, requires_grad={weight.requires_grad}, "
        f"grad_fn={weight.grad_fn}"
    )


@pytest.mark.parametrize("name", FILLERS)
def test_the_same_generator_seed_gives_the_same_numbers(name):
    fill = getattr(kaiming_init, name)
    first, again, other = (
        fill(torch.zeros(8, 4), generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again), f"{name}: two generators with seed 1 gave different numbers"
    assert not torch.equal(first, other), f"{name}: seeds 1 and 2 gave the same numbers"


def test_nothing_is_left_to_torch_nn_init(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a function of torch.nn.init was called: fill the tensor yourself")

    for name in [*FILLERS, "uniform_", "normal_", "_calculate_fan_in_and_fan_out"]:
        monkeypatch.setattr(torch.nn.init, name, refuse)
    for name in FILLERS:
        getattr(kaiming_init, name)(torch.zeros(8, 4))
    kaiming_init.bias_uniform_(torch.zeros(8), torch.zeros(8, 4))
