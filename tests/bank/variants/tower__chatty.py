"""Prints progress, warns, typed throughout, with the sizes of the tower in a dataclass."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from conv2d import CustomConv2d
from linear import CustomLinear

logger = logging.getLogger(__name__)
Batches = Iterable[tuple[Tensor, Tensor]]
print("tower: imported with torch", torch.__version__)


@dataclass(frozen=True)
class Config:
    """The sizes of a tower."""

    side: int = 28
    channels: tuple[int, int, int] = (1, 32, 64)
    hidden: int = 128
    classes: int = 10

    @property
    def features(self) -> int:
        return self.channels[-1] * (self.side // 4) ** 2


class TowerOfInsight(nn.Module):
    def __init__(self, config: Config = Config()) -> None:
        super().__init__()
        self.config = config
        for i in (1, 2):
            brick = CustomConv2d(config.channels[i - 1], config.channels[i], 3, padding=1)
            setattr(self, f"conv{i}", brick)
        self.fc1 = CustomLinear(config.features, config.hidden)
        self.fc2 = CustomLinear(config.hidden, config.classes)
        print(f"a tower of {count_parameters(self):,} parameters")

    def forward(self, input: Tensor) -> Tensor:
        if input.shape[1:] != (1, self.config.side, self.config.side):
            warnings.warn(f"unexpected images: {tuple(input.shape)}")
        logger.info("stage 0: %s", tuple(input.shape))
        stage1 = F.max_pool2d(F.relu(self.conv1(input), inplace=True), 2)
        logger.info("stage 1: %s", tuple(stage1.shape))
        stage2 = F.max_pool2d(F.relu(self.conv2(stage1), inplace=True), 2)
        logger.info("stage 2: %s", tuple(stage2.shape))
        stage3 = F.relu(self.fc1(stage2.flatten(1)), inplace=True)
        logits: Tensor = self.fc2(stage3)
        assert logits.shape == (len(input), self.config.classes)
        return logits


def count_parameters(model: nn.Module) -> int:
    counts = {name: p.numel() for name, p in model.named_parameters() if p.requires_grad}
    for name, count in counts.items():
        print(f"{name:>20} {count:>10,}")
    return sum(counts.values())


def train_epoch(
    model: nn.Module,
    batches: Batches,
    criterion: Callable[[Tensor, Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
) -> float:
    began = time.perf_counter()
    model.train()
    total_loss: float = 0.0
    total_samples: int = 0
    for number, (inputs, labels) in enumerate(batches, start=1):
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total_loss += loss.item() * len(labels)
        total_samples += len(labels)
        if number % 10 == 1:
            print(f"batch {number}: {loss.item():.4f}, {time.perf_counter() - began:.1f} s")
    mean = total_loss / total_samples
    print(f"the epoch's loss is {mean:.4f}")
    return mean


def evaluate(model: nn.Module, batches: Batches) -> float:
    model.eval()
    correct: int = 0
    samples: int = 0
    with torch.no_grad():
        for inputs, labels in batches:
            correct += int((model(inputs).argmax(dim=1) == labels).sum().item())
            samples += len(labels)
    accuracy = correct / samples
    if accuracy < 0.5:
        warnings.warn(f"only {accuracy:.1%}")
    print(f"accuracy {accuracy:.2%}")
    return accuracy
