"""Registers its layers from the last to the first, so that the state dict has another order."""

import torch
import torch.nn.functional as F
from torch import nn

from conv2d import CustomConv2d
from linear import CustomLinear


class TowerOfInsight(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc2 = CustomLinear(128, 10)
        self.fc1 = CustomLinear(64 * 7 * 7, 128)
        self.conv2 = CustomConv2d(32, 64, kernel_size=3, padding=1)
        self.conv1 = CustomConv2d(1, 32, kernel_size=3, padding=1)

    def forward(self, input):
        stages = [
            self.conv1,
            F.relu,
            lambda x: F.max_pool2d(x, 2),
            self.conv2,
            F.relu,
            lambda x: F.max_pool2d(x, 2),
            lambda x: x.flatten(1),
            self.fc1,
            F.relu,
            self.fc2,
        ]
        for stage in stages:
            input = stage(input)
        return input


def count_parameters(model):
    trainable = [p for p in model.parameters() if p.requires_grad]
    return int(nn.utils.parameters_to_vector(trainable).numel()) if trainable else 0


def train_epoch(model, batches, criterion, optimizer):
    model.train()
    mean, samples = 0.0, 0
    for inputs, labels in batches:
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad = None
        with torch.enable_grad():
            loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        samples += len(labels)
        mean += (loss.item() - mean) * len(labels) / samples  # a running mean
    return mean


def evaluate(model, batches):
    model.eval()
    right, samples = 0, 0
    torch_was_recording = torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    try:
        for inputs, labels in batches:
            right += torch.count_nonzero(model(inputs).argmax(dim=1) == labels).item()
            samples += len(labels)
    finally:
        torch.set_grad_enabled(torch_was_recording)
    return right / samples
