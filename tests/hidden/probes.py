"""Small models whose numbers tell how a training loop treats them.

The same code runs in the worker under the student's loop and in the grader under the reference, so
that all that is compared is values.
"""

import weakref
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn


class TiedProbe(nn.Module):
    """Two linear layers that share their weight: its elements exist once."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.encoder = nn.Linear(features, features)
        self.decoder = nn.Linear(features, features)
        self.decoder.weight = self.encoder.weight


class DeepProbe(nn.Module):
    """Many layers within layers, of which every third is frozen."""

    def __init__(self, depth: int, width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(width, width), nn.PReLU()) for _ in range(depth)
        )
        for layer in self.layers[::3]:
            layer.requires_grad_(False)


class SquaredLoss(nn.Module):
    """A criterion over labels that are real numbers."""

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Mean of the squared distances: (N, classes) and (N,) → ()."""
        return ((logits.mean(1) - labels) ** 2).mean()


class ModeProbe(nn.Module):
    """A classifier that computes something else in each mode.

    Batch normalisation makes training and evaluation mode differ, and leaves a trace of every
    training pass in the state dict. Evaluated under gradient tracking, it reverses its classes.
    """

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(features)
        self.fc = nn.Linear(features, classes)

    def forward(self, input: Tensor) -> Tensor:
        """Logits: (N, features) → (N, classes)."""
        logits: Tensor = self.fc(self.norm(input))
        tracked = torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
        return logits.flip(1) if tracked and not self.training else logits


class Flags:
    """Tells of each parameter of a model whether it requires a gradient, as if that were its state."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model

    def state_dict(self) -> dict[str, Tensor]:
        """The flags, by the names of the parameters."""
        return {name: torch.tensor(p.requires_grad) for name, p in self._model.named_parameters()}


def cut(inputs: Tensor, labels: Tensor, sizes: list[int]) -> list[tuple[Tensor, Tensor]]:
    """Batches of these sizes."""
    return list(zip(inputs.split(sizes), labels.split(sizes), strict=True))


def stream(inputs: Tensor, labels: Tensor, sizes: list[int]) -> Iterator[tuple[Tensor, Tensor]]:
    """The same, to be gone through once."""
    return iter(cut(inputs, labels, sizes))


class _Token:
    """Lives as long as the graph that holds it."""


class _Held(torch.autograd.Function):
    """The identity; its node in the graph holds a token."""

    @staticmethod
    def forward(ctx: Any, input: Tensor, token: _Token) -> Tensor:
        """Return the input."""
        ctx.token = token
        return input.view_as(input)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Return the gradient."""
        return gradient, None


class GraphProbe(nn.Module):
    """A classifier that counts how many graphs of earlier passes are alive at once: its buffer `graphs`."""

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.fc = nn.Linear(features, classes)
        self.graphs: Tensor
        self.register_buffer("graphs", torch.zeros((), dtype=torch.int64))
        self._tokens: list[weakref.ref[_Token]] = []

    def forward(self, input: Tensor) -> Tensor:
        """Logits: (N, features) → (N, classes)."""
        self._tokens = [token for token in self._tokens if token() is not None]
        self.graphs.clamp_(min=len(self._tokens))
        token = _Token()
        self._tokens.append(weakref.ref(token))
        logits: Tensor = _Held.apply(self.fc(input), token)  # type: ignore[no-untyped-call]
        return logits
