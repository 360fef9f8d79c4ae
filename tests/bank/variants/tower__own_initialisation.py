"""Draws its weights anew with its own kaiming_init, a = √5: the distribution they already have."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from conv2d import CustomConv2d
from kaiming_init import bias_uniform_, kaiming_uniform_
from linear import CustomLinear


class TowerOfInsight(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = CustomConv2d(1, 32, 3, padding=1)
        self.conv2 = CustomConv2d(32, 64, 3, padding=1)
        self.fc1 = CustomLinear(64 * 7 * 7, 128)
        self.fc2 = CustomLinear(128, 10)
        for brick in self.children():
            kaiming_uniform_(brick.weight, a=math.sqrt(5))
            bias_uniform_(brick.bias, brick.weight)

    def forward(self, input: Tensor) -> Tensor:
        x = F.max_pool2d(torch.relu(self.conv1(input)), 2)
        x = F.max_pool2d(torch.relu(self.conv2(x)), 2)
        x = torch.cat([image.reshape(1, -1) for image in x])
        return self.fc2(torch.relu(self.fc1(x)))


def count_parameters(model: nn.Module) -> int:
    seen = {id(p): p.numel() for p in model.parameters() if p.requires_grad}
    return sum(seen.values())


def train_epoch(model, batches, criterion, optimizer) -> float:
    if not model.training:
        model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        logits = model(inputs)
        loss = criterion(logits, labels)
        loss.backward(retain_graph=False)
        optimizer.step()
        size = logits.shape[0]
        total, samples = total + size * loss.item(), samples + size
    return total / samples


def evaluate(model, batches) -> float:
    model.eval()
    counts = torch.zeros(2, dtype=torch.long)
    for inputs, labels in batches:
        with torch.no_grad():
            answer = model(inputs).softmax(dim=1).argmax(dim=1)
        counts += torch.tensor([int((answer == labels).sum()), len(labels)])
    right, samples = counts.tolist()
    return right / samples
