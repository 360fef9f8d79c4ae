"""Small models whose numbers tell how a training loop treats them.

The same code runs in the worker under the student's loop and in the grader under the reference, so
that all that is compared is values.
"""

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
    """Many layers within layers, of which every third is frozen, and a number for each."""

    def __init__(self, depth: int, width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(width, width), nn.PReLU()) for _ in range(depth)
        )
        for layer in self.layers[::3]:
            layer.requires_grad_(False)
        self.scales = nn.ParameterList(nn.Parameter(torch.tensor(1.0)) for _ in range(depth))


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
