"""Public tests of tower.py. The numbers come from handouts/tower.md; no MNIST is needed."""

import math
from collections import OrderedDict

import pytest
import torch
import tower
from torch import nn
from torch.testing import assert_close

import conv2d
import linear

SHAPES = {
    "conv1.weight": (32, 1, 3, 3),
    "conv1.bias": (32,),
    "conv2.weight": (64, 32, 3, 3),
    "conv2.bias": (64,),
    "fc1.weight": (128, 3136),
    "fc1.bias": (128,),
    "fc2.weight": (10, 128),
    "fc2.bias": (10,),
}


class Probe(nn.Module):
    """A linear layer that notes the mode it is called in."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 3)
        self.modes = set()
        self.grad_modes = set()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Note the mode, then (N, 2) → (N, 3)."""
        self.modes.add("train" if self.training else "eval")
        self.grad_modes.add(torch.is_grad_enabled())
        return self.layer(inputs)


def three_points() -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Make three samples in two batches, of two and of one."""
    torch.manual_seed(0)
    inputs, labels = torch.randn(3, 2), torch.tensor([0, 2, 1])
    return [(inputs[:2], labels[:2]), (inputs[2:], labels[2:])]


def test_parameters_have_the_names_and_shapes_of_the_table():
    shapes = {name: tuple(p.shape) for name, p in tower.TowerOfInsight().named_parameters()}
    wrong = {
        name: (shapes.get(name), SHAPES.get(name))
        for name in shapes | SHAPES
        if shapes.get(name) != SHAPES.get(name)
    }
    assert not wrong, f"these parameters differ, as name: (yours, expected): {wrong}"


def test_the_tower_has_421642_parameters():
    count = tower.count_parameters(tower.TowerOfInsight())
    assert count == 421_642, (
        f"320 + 18,496 + 401,536 + 1,290 = 421,642 trainable elements, counted {count:,}"
    )


def test_count_parameters_leaves_frozen_ones_out():
    model = nn.Linear(3, 2)
    assert tower.count_parameters(model) == 8, (
        f"nn.Linear(3, 2) has 2·3 + 2 = 8, got {tower.count_parameters(model)}"
    )
    model.bias.requires_grad_(False)
    assert tower.count_parameters(model) == 6, (
        f"with the bias frozen 2·3 = 6 are trainable, got {tower.count_parameters(model)}"
    )


def test_the_layers_are_your_own():
    model = tower.TowerOfInsight()
    for name, brick in [
        ("conv1", conv2d.CustomConv2d),
        ("conv2", conv2d.CustomConv2d),
        ("fc1", linear.CustomLinear),
        ("fc2", linear.CustomLinear),
    ]:
        layer = getattr(model, name)
        assert isinstance(layer, brick), (
            f"{name} is a {type(layer).__name__}, expected your {brick.__name__}"
        )


@pytest.mark.parametrize("n", [1, 3])
def test_images_become_ten_logits_each(n):
    shape = tuple(tower.TowerOfInsight()(torch.zeros(n, 1, 28, 28)).shape)
    assert shape == (n, 10), f"({n}, 1, 28, 28) → ({n}, 10), got {shape}"


def test_logits_and_gradients_equal_those_of_the_same_network_of_stock_layers():
    torch.manual_seed(0)
    stock = nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 32, 3, padding=1),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(2),
            conv2=nn.Conv2d(32, 64, 3, padding=1),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(2),
            flatten=nn.Flatten(),
            fc1=nn.Linear(3136, 128),
            relu3=nn.ReLU(),
            fc2=nn.Linear(128, 10),
        )
    ).double()
    mine = tower.TowerOfInsight().double()
    mine.load_state_dict(stock.state_dict())
    images, upstream = torch.randn(2, 1, 28, 28).double(), torch.randn(2, 10).double()

    mine_out, stock_out = mine(images), stock(images)
    assert_close(
        mine_out,
        stock_out,
        msg=lambda m: (
            "the logits differ: is a ReLU or a pool missing or misplaced, or a softmax added?\n" + m
        ),
    )
    mine_out.backward(upstream)
    stock_out.backward(upstream)
    got, wanted = ({n: p.grad for n, p in model.named_parameters()} for model in (mine, stock))
    assert_close(got, wanted, msg=lambda m: f"a gradient differs from the stock network's\n{m}")


def test_a_fresh_tower_guesses():
    torch.manual_seed(0)
    logits = tower.TowerOfInsight()(torch.rand(20, 1, 28, 28))
    loss = nn.functional.cross_entropy(logits, torch.arange(20) % 10).item()
    assert abs(loss - math.log(10)) < 0.3, (
        f"ten classes guessed alike cost -ln(1/10) = ln 10 = 2.303, a fresh tower has {loss:.3f}"
    )


def test_train_epoch_returns_the_mean_loss_per_sample():
    model, batches = nn.Linear(2, 3), three_points()
    criterion = nn.CrossEntropyLoss()
    losses = [criterion(model(inputs), labels).item() for inputs, labels in batches]
    expected = (2 * losses[0] + 1 * losses[1]) / 3

    at_rest = torch.optim.SGD(model.parameters(), lr=0.0)
    mean = tower.train_epoch(model, batches, criterion, at_rest)

    assert isinstance(mean, float), f"the mean loss is a float, got {type(mean).__name__}"
    assert mean == pytest.approx(expected, abs=1e-6), (
        f"batches of 2 and 1 samples with losses {losses[0]:.4f} and {losses[1]:.4f}: "
        f"(2·{losses[0]:.4f} + 1·{losses[1]:.4f}) / 3 = {expected:.4f}, got {mean:.4f}"
    )


def test_train_epoch_takes_one_step_per_batch_with_the_gradient_of_that_batch():
    model, batches = nn.Linear(2, 3), three_points()
    criterion = nn.CrossEntropyLoss()
    weight, bias = (p.detach().clone().requires_grad_() for p in model.parameters())
    for inputs, labels in batches:  # the same two steps, with gradients asked for afresh
        loss = criterion(inputs @ weight.T + bias, labels)
        grad_w, grad_b = torch.autograd.grad(loss, [weight, bias])
        weight = (weight - 0.5 * grad_w).detach().requires_grad_()
        bias = (bias - 0.5 * grad_b).detach().requires_grad_()

    tower.train_epoch(model, batches, criterion, torch.optim.SGD(model.parameters(), lr=0.5))

    assert_close(
        model.weight,
        weight,
        msg=lambda m: (
            "after two batches the weight is not where two clean steps lead: "
            f"are gradients cleared before each backward, and is every batch used?\n{m}"
        ),
        check_stride=False,
    )


def test_train_epoch_trains_and_evaluate_evaluates():
    probe, batches = Probe(), three_points()
    optimizer = torch.optim.SGD(probe.parameters(), lr=0.1)
    probe.eval()
    tower.train_epoch(probe, batches, nn.CrossEntropyLoss(), optimizer)
    assert probe.modes == {"train"}, f"train_epoch calls model.train(); it ran in {probe.modes}"

    probe.modes, probe.grad_modes = set(), set()
    tower.evaluate(probe, batches)
    assert probe.modes == {"eval"}, f"evaluate calls model.eval(); it ran in {probe.modes}"
    assert probe.grad_modes == {False}, "evaluate runs without gradient tracking"


def test_evaluate_is_the_fraction_of_right_answers():
    right, wrong = [0.0, 5.0, 1.0], [5.0, 0.0, 1.0]  # the label is always 1
    batches = [
        (torch.tensor([right, right, right]), torch.tensor([1, 1, 1])),
        (torch.tensor([wrong]), torch.tensor([1])),
    ]
    accuracy = tower.evaluate(nn.Identity(), batches)
    assert isinstance(accuracy, float), f"a float in [0, 1], got {type(accuracy).__name__}"
    assert accuracy == 0.75, (
        f"3 right in the first batch, 0 in the second: 3/4 = 0.75 (the mean of the two batches' "
        f"fractions would be 0.5), got {accuracy}"
    )


def test_the_tower_learns_ten_images_by_heart():
    torch.manual_seed(0)
    batches = [(torch.rand(10, 1, 28, 28), torch.arange(10))]
    model = tower.TowerOfInsight()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(30):
        tower.train_epoch(model, batches, nn.CrossEntropyLoss(), optimizer)
    accuracy = tower.evaluate(model, batches)
    assert accuracy == 1.0, (
        f"after 30 steps on the same ten images all ten should be known, got {10 * accuracy:.0f}"
    )
