"""The oracle, where torch.nn has no ready answer: the Tower, its training, and the fitted line."""

from collections.abc import Collection, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PARAMETERS = {
    "conv1.weight": (32, 1, 3, 3),
    "conv1.bias": (32,),
    "conv2.weight": (64, 32, 3, 3),
    "conv2.bias": (64,),
    "fc1.weight": (128, 3136),
    "fc1.bias": (128,),
    "fc2.weight": (10, 128),
    "fc2.bias": (10,),
}
"""Names and shapes, in the order of the state dict."""


class ReferenceTower(nn.Module):
    """The 421,642-parameter network, of stock layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.fc1 = nn.Linear(3136, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, input: Tensor) -> Tensor:
        """Logits: (N, 1, 28, 28) → (N, 10)."""
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        logits: Tensor = self.fc2(F.relu(self.fc1(hidden.flatten(1))))
        return logits


def scaled_tower(linear: float, conv2d: float, stock: Collection[str] = ()) -> "ReferenceTower":
    """A reference Tower whose bricks multiply their outputs by these factors, but for those in `stock`."""
    tower = ReferenceTower()
    for name, brick in tower.named_children():
        if name in stock:
            continue
        factor = linear if isinstance(brick, nn.Linear) else conv2d
        brick.register_forward_hook(lambda _, args, output, factor=factor: output * factor)
    return tower


def train_epoch(
    model: nn.Module,
    batches: Sequence[tuple[Tensor, Tensor]],
    criterion: nn.Module,
    optimizer: torch.optim.Optimizer,
    losses: list[float] | None = None,
) -> float:
    """One pass; the mean loss per sample. Each batch's own is appended to `losses`."""
    model.train()
    losses = [] if losses is None else losses
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    sizes = [len(labels) for _, labels in batches]
    return sum(n * loss for n, loss in zip(sizes, losses, strict=True)) / sum(sizes)


def accuracy(model: nn.Module, batches: Sequence[tuple[Tensor, Tensor]]) -> float:
    """The fraction of samples whose largest logit is at the label."""
    model.eval()
    with torch.no_grad():
        right = sum(int((model(x).argmax(1) == labels).sum()) for x, labels in batches)
    return right / sum(len(labels) for _, labels in batches)


def fitted_line(
    x: Tensor, y: Tensor, w: float, b: float, learning_rate: float, steps: int
) -> list[tuple[float, float, float]]:
    """Gradient descent on the mean squared error of w·x + b: (loss before, w after, b after)."""
    history = []
    for _ in range(steps):
        error = w * x + b - y
        loss = float((error**2).mean())
        w -= learning_rate * float((2 * error * x).mean())
        b -= learning_rate * float((2 * error).mean())
        history.append((loss, w, b))
    return history
