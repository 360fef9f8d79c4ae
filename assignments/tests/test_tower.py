"""Public tests of tower.py. The numbers come from handouts/tower.md; no MNIST is needed."""

import math
from collections import OrderedDict

import pytest
import torch
import tower
from torch import nn
from torch.testing import assert_close

from tower_student.language import tr

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


def backward(output: torch.Tensor, upstream: torch.Tensor) -> None:
    """Do what output.backward(upstream) does, without its half second of imports the first time."""
    (output * upstream).sum().backward()


def three_points() -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Make three samples in two batches, of two and of one."""
    torch.manual_seed(0)
    inputs, labels = torch.randn(3, 2), torch.tensor([0, 2, 1])
    return [(inputs[:2], labels[:2]), (inputs[2:], labels[2:])]


def test_parameters_have_the_names_and_shapes_of_the_table():
    """Four layers, eight parameters, with the names and shapes of the table.

    Hint: The message lists (yours, expected) for each name. None on the left: you have no such
    name. None on the right: you have one too many.
    Hint: All eight missing: are the layers in a Python list, or made in forward? Names such as
    features.0.weight come from an nn.Sequential around them. fc1 with 1600 inputs counts without
    padding, with 12,544 after one pool.
    Hint: Assign each layer in __init__ to an attribute of the name in the table: conv1, conv2, fc1,
    fc2. Two convolutions 3×3 with 1 → 32 → 64 channels, then 64·7·7 → 128 → 10 features.
    Hint: The attribute's name begins the parameters' names: `self.stem = nn.Conv1d(4, 6, 5)` in
    __init__ lists stem.weight, of shape (6, 4, 5), and stem.bias, of shape (6,).
    """
    shapes = {name: tuple(p.shape) for name, p in tower.TowerOfInsight().named_parameters()}
    wrong = {
        name: (shapes.get(name), SHAPES.get(name))
        for name in shapes | SHAPES
        if shapes.get(name) != SHAPES.get(name)
    }
    assert not wrong, tr(
        "these parameters differ, as name: (yours, expected): {wrong}", wrong=wrong
    )


def test_the_tower_has_421642_parameters():
    """All trainable numbers of the tower, counted.

    Hint: Print name and numel() of each parameter, and add up per layer: 320, 18,496, 401,536,
    1,290. Which of the four differs?
    Hint: 8 counts tensors, not the numbers in them. 421,408 lacks the biases, 32 + 64 + 128 +
    10 = 234. 0: the layers are not registered. If each layer is right, the mistake is in
    count_parameters.
    Hint: The count of a tensor is the product of its sizes, of whatever number of axes. Add it up
    over everything that model.parameters() yields; what belongs to nested layers is listed there as
    well.
    Hint: One number from many: `sum(len(word) for word in ["red", "green"])` is 3 + 5 = 8 letters,
    where `len(["red", "green"])` counts 2 words. A tensor has a method for its elements.
    """
    count = tower.count_parameters(tower.TowerOfInsight())
    assert count == 421_642, tr(
        "320 + 18,496 + 401,536 + 1,290 = 421,642 trainable elements, counted {count:,}",
        count=count,
    )


def test_count_parameters_leaves_frozen_ones_out():
    """8 elements, and 6 once the bias is frozen.

    Hint: Print requires_grad of each parameter, before and after the bias is frozen. The model here
    is an nn.Linear(3, 2), not a tower.
    Hint: 8 both times: requires_grad is not asked. 2, then 1: tensors are counted, not elements. An
    AttributeError about conv1: the function should work for any model.
    Hint: Walk through model.parameters() and let only those that require a gradient add their
    number of elements. The question goes to each parameter, not to the model.
    Hint: The letters of the long words alone: `sum(len(word) for word in ["of", "red", "green"] if
    len(word) > 2)` is 3 + 5 = 8. The condition at the end is asked of each word.
    """
    model = nn.Linear(3, 2)
    assert tower.count_parameters(model) == 8, tr(
        "nn.Linear(3, 2) has 2·3 + 2 = 8, got {got}", got=tower.count_parameters(model)
    )
    model.bias.requires_grad_(False)
    assert tower.count_parameters(model) == 6, tr(
        "with the bias frozen 2·3 = 6 are trainable, got {got}", got=tower.count_parameters(model)
    )


def test_the_layers_are_your_own():
    """conv1 and conv2 are CustomConv2d layers, fc1 and fc2 CustomLinear layers.

    Hint: Print the model: each line gives the name and the class of a layer.
    Hint: nn.Conv2d or nn.Linear: the values are right, but the brick is not yours. Sequential: the
    attribute holds a layer wrapped together with its ReLU. The right class name and still a
    failure: it is a copy of the class.
    Hint: The imports at the top of tower.py bring both classes; build the four attributes from
    these, with nothing around them. ReLU and pool have no parameters and can stand in forward.
    Hint: After `from wheel import Wheel`, `self.front = Wheel(20)` makes front a Wheel. `self.front
    = nn.Sequential(Wheel(20))` would make it a Sequential with a Wheel inside.
    """
    model = tower.TowerOfInsight()
    for name, brick in [
        ("conv1", conv2d.CustomConv2d),
        ("conv2", conv2d.CustomConv2d),
        ("fc1", linear.CustomLinear),
        ("fc2", linear.CustomLinear),
    ]:
        layer = getattr(model, name)
        assert isinstance(layer, brick), tr(
            "{name} is a {kind}, expected your {expected}",
            name=name,
            kind=type(layer).__name__,
            expected=brick.__name__,
        )


@pytest.mark.parametrize("n", [1, 3])
def test_images_become_ten_logits_each(n):
    """N images give N rows of ten logits, for N = 1 and for N = 3.

    Hint: Print hidden.shape after each stage of forward, and lay it beside the table in the
    docstring of the class.
    Hint: 1600 features: a convolution has no padding. 12,544: a pool is missing. (10,) for one
    image, or 9408 features for three: the batch axis was flattened too. A batch size written into a
    reshape fits no other N.
    Hint: Sizes go 28 → 14 → 7, by two pools of 2. When you flatten, keep axis 0: flatten takes the
    axis at which it begins, and N is then never mentioned.
    Hint: flatten merges the axes from the one that is named: `torch.zeros(5, 2, 3, 4).flatten(2)`
    has the shape (5, 2, 12), and axes 0 and 1 stay.
    """
    shape = tuple(tower.TowerOfInsight()(torch.zeros(n, 1, 28, 28)).shape)
    assert shape == (n, 10), tr(
        "({count}, 1, 28, 28) → ({count}, 10), got {shape}", count=n, shape=shape
    )


def test_logits_and_gradients_equal_those_of_the_same_network_of_stock_layers():
    """With equal weights the tower computes what the same network of nn layers computes.

    Hint: Is it the logits or a gradient that differs? Print mine_out.sum(dim=1) and mine_out.min():
    rows that sum to 1 are a softmax, a minimum of exactly 0 a ReLU at the end.
    Hint: The stock network is listed in the test, line by line; go through it with your forward.
    Rows of mine_out.exp() that sum to 1 are a log-softmax. A gradient of None: that layer is not on
    the way to the output.
    Hint: Three ReLUs, after conv1, conv2 and fc1; two max-pools of 2, no average pools; nothing
    after fc2. If all of this is so, the difference comes from a brick: run the tests of conv2d and
    linear.
    Hint: Two pipelines part where the first difference is, so compare them stage by stage. With x =
    torch.tensor([-1.0, 2.0]), `(F.relu(x) - x).abs().max()` is 1: here one of the two lacks a ReLU.
    """
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
        msg=lambda m: tr(
            "the logits differ: is a ReLU or a pool missing or misplaced, or a softmax added?\n{m}",
            m=m,
        ),
    )
    backward(mine_out, upstream)
    backward(stock_out, upstream)
    got, wanted = ({n: p.grad for n, p in model.named_parameters()} for model in (mine, stock))
    assert_close(
        got, wanted, msg=lambda m: tr("a gradient differs from the stock network's\n{m}", m=m)
    )


def test_a_fresh_tower_guesses():
    """Before any training the cross-entropy is about ln 10.

    Hint: Print logits.std(). Ten numbers that are nearly equal give each class about 1/10; far
    above 1 means that the tower is sure of something already.
    Hint: Print the largest magnitude of each layer's weight: about 0.333, 0.0589, 0.0179 and 0.0884
    are due, each 1/√fan_in. Which layer is out of line? nan, or a huge number, is memory from
    torch.empty that nobody filled.
    Hint: The tower needs no initial values of its own: each brick draws them in its constructor, by
    reset_parameters. If the tests of linear and conv2d pass, look for what in tower.py draws or
    scales them again.
    Hint: The largest magnitudes in another layer: `[p.abs().max().item() for p in nn.Linear(100,
    50).parameters()]` is nearly 0.1 twice, which is 1/√100.
    """
    torch.manual_seed(0)
    logits = tower.TowerOfInsight()(torch.rand(20, 1, 28, 28))
    loss = nn.functional.cross_entropy(logits, torch.arange(20) % 10).item()
    assert abs(loss - math.log(10)) < 0.3, tr(
        "ten classes guessed alike cost -ln(1/10) = ln 10 = 2.303, a fresh tower has {loss:.3f}",
        loss=loss,
    )


def test_train_epoch_returns_the_mean_loss_per_sample():
    """The mean loss over three samples that come in batches of two and of one.

    Hint: With a pencil and the two losses in the message: each is the mean of its batch. How many
    samples does each speak for?
    Hint: A tensor: the loss was added up as it is, without .item(). Half the sum of both losses:
    the mean of the batch means. The loss of one batch alone: it was overwritten, or returned from
    inside the loop.
    Hint: A batch's mean times its number of samples is the sum of its losses. Add up these sums and
    the numbers of samples, and divide once, after the loop. The labels of the batch tell how many
    samples it has.
    Hint: A class of 20 has a mean mark of 2, another of 5 has 4. All 25 together have `(20 * 2 + 5
    * 4) / (20 + 5)` = 60 / 25 = 2.4, not (2 + 4) / 2 = 3.
    """
    model, batches = nn.Linear(2, 3), three_points()
    criterion = nn.CrossEntropyLoss()
    losses = [criterion(model(inputs), labels).item() for inputs, labels in batches]
    expected = (2 * losses[0] + 1 * losses[1]) / 3

    at_rest = torch.optim.SGD(model.parameters(), lr=0.0)
    mean = tower.train_epoch(model, batches, criterion, at_rest)

    assert isinstance(mean, float), tr(
        "the mean loss is a float, got {kind}", kind=type(mean).__name__
    )
    assert mean == pytest.approx(expected, abs=1e-6), tr(
        "batches of 2 and 1 samples with losses {first:.4f} and {second:.4f}: "
        "(2·{first:.4f} + 1·{second:.4f}) / 3 = {expected:.4f}, got {mean:.4f}",
        first=losses[0],
        second=losses[1],
        expected=expected,
        mean=mean,
    )


def test_train_epoch_takes_one_step_per_batch_with_the_gradient_of_that_batch():
    """Each batch moves the weights once, by its own gradient and no other.

    Hint: Print model.weight.grad just before each backward. In the second round, is it None or
    zero, or still the gradient of the first batch?
    Hint: An old gradient there: backward adds to it. A weight that never moved: no step, or the
    gradients were cleared before it. A step too large: was the loss multiplied by the number of
    samples before backward?
    Hint: Four things for each batch, all inside the loop: the optimizer clears the gradients, the
    loss is computed, backward, step. Clearing may stand anywhere but between backward and step;
    weigh the loss for the mean apart from this.
    Hint: A bucket that is emptied in each round: `for cup in cups: bucket.clear();
    bucket.append(cup); poured.append(sum(bucket))`. With cups = [2, 3], poured is [2, 3]; without
    clear it would be [2, 5].
    """
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
        msg=lambda m: tr(
            "after two batches the weight is not where two clean steps lead: "
            "are gradients cleared before each backward, and is every batch used?\n{m}",
            m=m,
        ),
        check_stride=False,
    )


def test_train_epoch_trains_and_evaluate_evaluates():
    """train_epoch runs in training mode; evaluate in evaluation mode, without gradients.

    Hint: See which of the three lines fails. The probe is put into evaluation mode beforehand:
    print model.training in the first line of your loop.
    Hint: {'eval'} after train_epoch: nobody switched. Both modes in the set: the switch came after
    the first batch. The last line fails: eval() changes what dropout and the like do, and leaves
    gradient tracking on.
    Hint: train() and eval() are methods of the model, each called before the loop of its function.
    Gradient tracking is switched off by something else: a context manager around the loop in
    evaluate.
    Hint: For x = torch.ones(3, requires_grad=True), `nn.Dropout(0.5).eval()(x)` is [1, 1, 1] and
    still requires a gradient. `with torch.no_grad(): y = 2 * x` makes a y that requires none.
    """
    probe, batches = Probe(), three_points()
    optimizer = torch.optim.SGD(probe.parameters(), lr=0.1)
    probe.eval()
    tower.train_epoch(probe, batches, nn.CrossEntropyLoss(), optimizer)
    assert probe.modes == {"train"}, tr(
        "train_epoch calls model.train(); it ran in {modes}", modes=probe.modes
    )

    probe.modes, probe.grad_modes = set(), set()
    tower.evaluate(probe, batches)
    assert probe.modes == {"eval"}, tr(
        "evaluate calls model.eval(); it ran in {modes}", modes=probe.modes
    )
    assert probe.grad_modes == {False}, tr("evaluate runs without gradient tracking")


def test_evaluate_is_the_fraction_of_right_answers():
    """3 right of 3, then 0 right of 1: 0.75, as a float.

    Hint: With a pencil: at which index is the largest number of [0, 5, 1], and of [5, 0, 1]? The
    label is 1. Print your count of right answers after each batch.
    Hint: 0.5: the fractions of the batches were averaged. A tensor: the count was never made a
    Python number. 0.0: the largest value was compared with the label where its index was due, or
    the maximum was taken over the samples.
    Hint: The answer of a sample is the index of the largest logit along the axis of the classes.
    Two counters run through all batches, right answers and samples; the one division comes after
    the loop.
    Hint: The place of the smallest price in each row: `torch.tensor([[7, 2], [1,
    9]]).argmin(dim=1)` is [1, 0]. How many flags are up: `torch.tensor([True, False,
    True]).sum().item()` is 2, a Python int.
    """
    right, wrong = [0.0, 5.0, 1.0], [5.0, 0.0, 1.0]  # the label is always 1
    batches = [
        (torch.tensor([right, right, right]), torch.tensor([1, 1, 1])),
        (torch.tensor([wrong]), torch.tensor([1])),
    ]
    accuracy = tower.evaluate(nn.Identity(), batches)
    assert isinstance(accuracy, float), tr(
        "a float in [0, 1], got {kind}", kind=type(accuracy).__name__
    )
    assert accuracy == 0.75, tr(
        "3 right in the first batch, 0 in the second: 3/4 = 0.75 (the mean of the two batches' "
        "fractions would be 0.5), got {accuracy}",
        accuracy=accuracy,
    )


def test_the_tower_learns_ten_images_by_heart():
    """After 30 steps on one batch of ten images the tower knows all ten.

    Hint: Print what train_epoch returns in each of the 30 rounds. It should fall from about 2.3 to
    nearly 0.
    Hint: The loss stays the same: no step reaches the weights. It falls, but never below 1.46:
    there is a softmax at the end. It gets near 0 and the accuracy is still low: then evaluate is
    the place to look.
    Hint: After one backward, list the names of the parameters whose grad is None or all zero. Such
    a layer is not used in forward, or cut off from the loss by a detach, a .data or a no_grad. If
    there is none, are all parameters in the optimizer, and is step called?
    Hint: Of two layers one is used: `two = nn.ModuleList([nn.Linear(2, 1), nn.Linear(2, 1)]);
    two[0](torch.ones(2)).backward()`. Then `[name for name, p in two.named_parameters() if p.grad
    is None]` is ['1.weight', '1.bias'].
    """
    torch.manual_seed(0)
    batches = [(torch.rand(10, 1, 28, 28), torch.arange(10))]
    model = tower.TowerOfInsight()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(30):
        tower.train_epoch(model, batches, nn.CrossEntropyLoss(), optimizer)
    accuracy = tower.evaluate(model, batches)
    assert accuracy == 1.0, tr(
        "after 30 steps on the same ten images all ten should be known, got {got:.0f}",
        got=10 * accuracy,
    )
