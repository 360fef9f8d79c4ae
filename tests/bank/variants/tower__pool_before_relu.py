"""Pools before the ReLU, which gives the same; bricks called through forward_im2col and by dict."""

import torch
import torch.nn.functional as F
from torch import nn

from conv2d import CustomConv2d
from linear import CustomLinear


class TowerOfInsight(nn.Module):
    def __init__(self):
        super().__init__()
        bricks = {
            "conv1": CustomConv2d(in_channels=1, out_channels=32, kernel_size=3, padding=1),
            "conv2": CustomConv2d(in_channels=32, out_channels=64, kernel_size=3, padding=1),
            "fc1": CustomLinear(in_features=64 * 7 * 7, out_features=128),
            "fc2": CustomLinear(in_features=128, out_features=10),
        }
        for name, brick in bricks.items():
            self.add_module(name, brick)

    def forward(self, input):
        for name in ("conv1", "conv2"):
            convolution = self.get_submodule(name)
            input = F.max_pool2d(convolution.forward_im2col(input), 2).relu()
        hidden = self.fc1(torch.flatten(input, start_dim=1)).relu()
        return self.fc2(hidden)


def count_parameters(model):
    return sum(p.nelement() for _, p in model.named_parameters() if p.requires_grad)


def train_epoch(model, batches, criterion, optimizer):
    """Clears at the end of each iteration, and once before the first."""
    model.train()
    optimizer.zero_grad()
    total, samples = 0.0, 0
    for batch in batches:
        inputs, labels = batch
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        total += float(loss) * labels.numel()
        samples += labels.numel()
    return total / samples


def evaluate(model, batches):
    model.eval()
    right, samples = 0, 0
    for inputs, labels in batches:
        with torch.set_grad_enabled(False):
            logits = model(inputs)
        right += int((logits.topk(1, dim=1).indices.squeeze(1) == labels).sum())
        samples += labels.shape[0]
    return right / samples
