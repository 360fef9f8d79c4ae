"""What can go wrong with the Tower's forward and backward pass."""

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autograder.report import Cause
from autograder.suite.candidates import Candidate, candidates_of, diagnose, table
from autograder.suite.failures import why
from autograder.suite.registry import candidates_for_gradient, candidates_for_output
from tower_student.language import tr

from misconceptions.windows import SIDES_OF_INPUT_EXCHANGED
from reference import ReferenceTower, scaled_tower

Function = Callable[[Tensor], Tensor]
MAX_POOL: Function = partial(F.max_pool2d, kernel_size=2)
FLATTEN: Function = partial(torch.flatten, start_dim=1)


def _forward(
    oracle: ReferenceTower,
    x: Tensor,
    *,
    activations: Sequence[Function] = (F.relu,) * 3,
    pools: Sequence[Function] = (MAX_POOL, MAX_POOL),
    flatten: Function = FLATTEN,
) -> Tensor:
    hidden = pools[0](activations[0](oracle.conv1(x)))
    hidden = pools[1](activations[1](oracle.conv2(hidden)))
    logits: Tensor = oracle.fc2(activations[2](oracle.fc1(flatten(hidden))))
    return logits


def _wrong_activations(where: str) -> Iterator[tuple[Cause, Function]]:
    """Instead of the ReLU after these layers."""
    return table(
        "tower.activation",
        {"where": where},
        missing=("After {where} no activation takes effect; asked for is a ReLU.", torch.clone),
        tanh=("After {where} stands a tanh; asked for is a ReLU.", torch.tanh),
        sigmoid=("After {where} stands a sigmoid; asked for is a ReLU.", torch.sigmoid),
        leaky_relu=("After {where} stands a leaky ReLU; asked for is a ReLU.", F.leaky_relu),
        gelu=("After {where} stands a GELU; asked for is a ReLU.", F.gelu),
        elu=("After {where} stands an ELU; asked for is a ReLU.", F.elu),
        relu6=("After {where} stands a ReLU6; asked for is a ReLU.", F.relu6),
        softplus=("After {where} stands a softplus; asked for is a ReLU.", F.softplus),
        silu=("After {where} stands a SiLU; asked for is a ReLU.", F.silu),
        absolute=("After {where} stands an absolute value; asked for is a ReLU.", torch.abs),
        input_added=("After {where} stands a ReLU plus its own input; asked for is a ReLU.",
            lambda h: F.relu(h) + h),
        doubled=("After {where} stands a ReLU twice as large; asked for is a ReLU.",
            lambda h: 2 * F.relu(h)),
        softmax=("After {where} stands a softmax; asked for is a ReLU.", lambda h: h.softmax(1)),
    )  # fmt: skip


def _wrong_pools(where: str) -> Iterator[tuple[Cause, Function]]:
    """Instead of the pooling after these layers."""
    return table(
        "tower.pooling",
        {"where": where},
        average=("The pooling after {where} averages instead of taking the largest value.",
            partial(F.avg_pool2d, kernel_size=2)),
        every_other_pixel=(
            "The pooling after {where} keeps every other pixel instead of the largest of four.",
            lambda h: h[..., ::2, ::2]),
        smallest=("The pooling after {where} takes the smallest value instead of the largest.",
            lambda h: -F.max_pool2d(-h, 2)),
        overlapping_windows=(
            "The pooling after {where} has windows that overlap, instead of 2x2 windows side by side.",
            partial(F.max_pool2d, kernel_size=3, stride=2, padding=1)),
    )  # fmt: skip


@candidates_for_output(ReferenceTower)
def of_tower(oracle: ReferenceTower, x: Tensor) -> Iterator[Candidate]:
    """What could have come out of a Tower."""
    run = partial(_forward, oracle, x)
    for layers in _subsets(("conv1", "conv2", "fc1")):
        for cause, activation in _wrong_activations(_joined(layers)):
            chosen = [
                activation if layer in layers else F.relu for layer in ("conv1", "conv2", "fc1")
            ]
            yield Candidate(cause, partial(run, activations=chosen))
    for layers in _subsets(("conv1", "conv2")):
        for cause, pool in _wrong_pools(_joined(layers)):
            pools = [pool if layer in layers else MAX_POOL for layer in ("conv1", "conv2")]
            yield Candidate(cause, partial(run, pools=pools))
    by_four = partial(F.max_pool2d, kernel_size=4)
    yield from candidates_of(
        "tower",
        pooling__first_missing=("The pooling after conv1 is missing, and that after conv2 takes 4x4 pixels.",
            partial(run, pools=(torch.clone, by_four))),
        pooling__second_too_early=("The second pooling stands before conv2; it belongs after its ReLU.",
            partial(run, pools=(by_four, torch.clone))),
        flatten__channels_last=("Before flattening, the channels are moved to the end.",
            partial(run, flatten=lambda h: h.permute(0, 2, 3, 1).flatten(1))),
        flatten__sides_exchanged=("Before flattening, height and width are exchanged.",
            partial(run, flatten=lambda h: h.transpose(2, 3).flatten(1))),
        flatten__batch_mixed=("Flattening mixes the images of the batch.",
            partial(run, flatten=lambda h: h.transpose(0, 1).reshape(len(h), -1))),
    )  # fmt: skip
    for cause, given in _wrong_inputs(x):
        yield Candidate(cause, partial(_forward, oracle, given))
    for name in ("conv1", "conv2", "fc1", "fc2"):
        yield from candidates_of(
            "tower",
            {"name": name},
            bias_missing=("The bias of {name} is never added.",
                partial(_without_bias, oracle, name, x)),
        )  # fmt: skip


def _wrong_inputs(x: Tensor) -> Iterator[tuple[Cause, Tensor]]:
    """What is made of the input first."""
    yield from table(
        "tower.input",
        divided_by_255=("The input is divided by 255 inside the network; it is scaled already.",
            x / 255),
        normalised=("The input is normalised inside the network.", (x - 0.1307) / 0.3081),
        centred=("The input is centred inside the network.", x - x.mean()),
        standardised_by_batch=("The input is standardised by the statistics of the whole batch.",
            (x - x.mean()) / (x.std() + 1e-5)),
        standardised_by_image=("The input is standardised, image by image.",
            F.layer_norm(x, x.shape[1:])),
        stretched=("The input is stretched to [-1, 1] inside the network.", 2 * x - 1),
        sides_exchanged=(SIDES_OF_INPUT_EXCHANGED, x.transpose(2, 3)),
    )  # fmt: skip


def of_entry(shape: tuple[int, ...], expected: tuple[int, ...]) -> Cause | None:
    """What the shape that enters a layer says, where it is not (N, ...) as expected; None where nothing."""
    if shape == (expected[0] * expected[1],) or shape == expected[1:]:
        return why(
            "tower.flatten.batch_gone",
            "The batch is flattened away: flatten(1) keeps the first dimension.",
        )
    if len(expected) == 2 and shape[1:] == expected[1:]:
        return why(
            "tower.flatten.rows_of_images",
            "There are {rows} rows for {images} images: a reshape spreads an image over several rows, or "
            "packs several into one. flatten(1) keeps one to a row.",
            rows=shape[0],
            images=expected[0],
        )
    if len(shape) == len(expected) == 4 and shape[1] == expected[1]:
        return why(
            "tower.size_of_image",
            "The image is {height}x{width} here: padding=1 keeps its size in a convolution, and each "
            "pooling by 2 halves it.",
            height=shape[2],
            width=shape[3],
        )
    return None


def foreign_bricks(
    got: Tensor, oracle: ReferenceTower, factors: dict[str, float], x: Tensor
) -> Cause | None:
    """Which bricks are not the student's own, of a Tower whose own ones multiply by these factors, if any."""

    def logits(stock: tuple[str, ...]) -> Tensor:
        tower = scaled_tower(**factors, stock=stock).double()
        tower.load_state_dict(oracle.state_dict())
        output: Tensor = tower(x)
        return output

    with torch.no_grad():
        candidates = [
            Candidate(
                why(
                    "tower.bricks.not_own",
                    "Not built from your linear.py and conv2d.py: {names}. A layer of torch.nn, a function of "
                    "torch.nn.functional, or a copy pasted into tower.py does its work: import the bricks, as in "
                    "`from linear import CustomLinear`.",
                    names=", ".join(stock),
                ),
                logits(stock),
            )
            for stock in _subsets([name for name, _ in oracle.named_children()])
        ]
        return diagnose(got, oracle(x), candidates)


def _subsets(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for count in range(1, len(names) + 1):
        yield from itertools.combinations(names, count)


def _joined(names: Sequence[str]) -> str:
    return functools.reduce(lambda some, last: tr("{some} and {last}", some=some, last=last), names)


class HiddenActivation(ReferenceTower):
    """A Tower, right in its values, whose backward pass has another derivative at one ReLU."""

    def __init__(self, index: int, backward: Function) -> None:
        super().__init__()
        self._index, self._backward = index, backward

    def forward(self, input: Tensor) -> Tensor:
        """As the Tower's."""

        def hidden(h: Tensor) -> Tensor:
            way = self._backward(h)
            return way + (F.relu(h) - way).detach()

        chosen = [hidden if index == self._index else F.relu for index in range(3)]
        return _forward(self, input, activations=chosen)


@candidates_for_gradient(ReferenceTower)
def of_tower_gradient(
    oracle: ReferenceTower, x: Tensor, upstream: Tensor, name: str
) -> Iterator[Candidate]:
    """What could have come back as the gradient of a parameter, or of the "input"."""
    for index, layer in enumerate(("conv1", "conv2", "fc1")):
        for cause, backward in _wrong_derivatives(layer):
            yield Candidate(
                cause, partial(_hidden_gradient, oracle, index, backward, x, upstream, name)
            )


def _wrong_derivatives(layer: str) -> Iterator[tuple[Cause, Function]]:
    """Functions with other derivatives than the ReLU after this layer."""
    return table(
        "tower.relu_backward",
        {"layer": layer},
        hidden=("The ReLU after {layer} is hidden from autograd, by .data, no_grad or detach.",
            torch.clone),
        zero=("No gradient comes through the ReLU after {layer}.", torch.zeros_like),
        multiplied=(
            "The ReLU after {layer} is multiplied by itself on the way back; its derivative is 0 or 1.",
            lambda h: h.relu() ** 2 / 2),
        multiplied_or_twice=(
            "The ReLU after {layer} is multiplied by itself on the way back, or counted twice.",
            lambda h: 2 * h.relu()),
    )  # fmt: skip


def _hidden_gradient(
    oracle: ReferenceTower, index: int, backward: Function, x: Tensor, upstream: Tensor, name: str
) -> Tensor:
    other = HiddenActivation(index, backward).double()
    other.load_state_dict(oracle.state_dict())
    leaf = x.detach().clone().requires_grad_()
    (other(leaf) * upstream).sum().backward()
    found = leaf.grad if name == "input" else other.get_parameter(name).grad
    if found is None:
        raise ValueError(name)
    return found


def _without_bias(oracle: nn.Module, name: str, x: Tensor) -> Tensor:
    state: dict[str, Tensor] = dict(oracle.named_parameters())
    state[f"{name}.bias"] = torch.zeros_like(state[f"{name}.bias"])
    output: Tensor = torch.func.functional_call(oracle, state, (x,))
    return output
