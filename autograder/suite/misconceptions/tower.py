"""What can go wrong with the Tower's forward pass."""

from collections.abc import Callable, Iterator
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autograder.suite.misconceptions.suspects import Suspect
from autograder.suite.reference import ReferenceTower


def of_tower(oracle: ReferenceTower, x: Tensor) -> Iterator[Suspect]:
    """What could have come out of a Tower."""

    def run(
        *,
        rectify: tuple[bool, bool, bool] = (True, True, True),
        activation: Callable[[Tensor], Tensor] = F.relu,
        pool: Callable[[Tensor], Tensor] = lambda h: F.max_pool2d(h, 2),
        flatten: Callable[[Tensor], Tensor] = lambda h: h.flatten(1),
        given: Tensor = x,
    ) -> Tensor:
        first, second, third = (activation if on else _unchanged for on in rectify)
        hidden = pool(first(oracle.conv1(given)))
        hidden = pool(second(oracle.conv2(hidden)))
        logits: Tensor = oracle.fc2(third(oracle.fc1(flatten(hidden))))
        return logits

    places = ("conv1", "conv2", "fc1")
    for missing in [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)]:
        on = (0 not in missing, 1 not in missing, 2 not in missing)
        where = " and ".join(places[i] for i in missing)
        yield Suspect(
            f"There is no ReLU after {where}.",
            partial(run, rectify=on),
        )
    others: dict[str, Callable[[Tensor], Tensor]] = {
        "tanh": torch.tanh,
        "a sigmoid": torch.sigmoid,
        "a leaky ReLU": F.leaky_relu,
        "a GELU": F.gelu,
        "an ELU": F.elu,
        "a ReLU6": F.relu6,
        "a softplus": F.softplus,
        "a SiLU": F.silu,
    }
    for name, activation in others.items():
        yield Suspect(
            f"The activation is {name}, not a ReLU.",
            partial(run, activation=activation),
        )
    pools: dict[str, Callable[[Tensor], Tensor]] = {
        "The pools average instead of taking the largest value.": lambda h: F.avg_pool2d(h, 2),
        "The pools keep one pixel in four (a stride) instead of taking the largest.": lambda h: h[
            ..., ::2, ::2
        ],
        "The pools take the smallest value instead of the largest.": lambda h: -F.max_pool2d(-h, 2),
    }
    for cause, pool in pools.items():
        yield Suspect(cause, partial(run, pool=pool))
    flattens: dict[str, Callable[[Tensor], Tensor]] = {
        "Before flattening, the channels are moved to the end.": lambda h: h.permute(
            0, 2, 3, 1
        ).flatten(1),
        "Before flattening, height and width are exchanged.": lambda h: h.transpose(2, 3).flatten(
            1
        ),
        "Flattening mixes the images of the batch.": lambda h: h.transpose(0, 1).reshape(
            len(h), -1
        ),
    }
    for cause, flatten in flattens.items():
        yield Suspect(cause, partial(run, flatten=flatten))
    scaled = {
        "The input is divided by 255 once more.": x / 255,
        "The input is normalised inside the network.": (x - 0.1307) / 0.3081,
        "The input is centred inside the network.": x - x.mean(),
        "The input is stretched to [-1, 1] inside the network.": 2 * x - 1,
        "Height and width of the input are exchanged.": x.transpose(2, 3),
    }
    for cause, given in scaled.items():
        yield Suspect(cause, partial(run, given=given))
    for name in ("conv1", "conv2", "fc1", "fc2"):
        yield Suspect(
            f"The bias of {name} is never added.", partial(_without_bias, oracle, name, x)
        )


def _unchanged(x: Tensor) -> Tensor:
    return x


def _without_bias(oracle: nn.Module, name: str, x: Tensor) -> Tensor:
    state: dict[str, Tensor] = dict(oracle.named_parameters())
    state[f"{name}.bias"] = torch.zeros_like(state[f"{name}.bias"])
    output: Tensor = torch.func.functional_call(oracle, state, (x,))
    return output
