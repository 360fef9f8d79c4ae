"""Evaluated under inference mode, batch by batch into tensors; pooling by reshape and amax."""

import torch
from torch import nn

import conv2d
import linear


def half(images):
    n, c, h, w = images.shape
    return images.reshape(n, c, h // 2, 2, w // 2, 2).amax(dim=(3, 5))


class TowerOfInsight(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = conv2d.CustomConv2d(1, 32, (3, 3), padding=(1, 1))
        self.conv2 = conv2d.CustomConv2d(32, 64, (3, 3), padding=(1, 1))
        self.fc1 = linear.CustomLinear(3136, 128)
        self.fc2 = linear.CustomLinear(128, 10)

    def forward(self, input):
        for layer in (self.conv1, self.conv2):
            input = half(layer(input).clamp(min=0))
        hidden = self.fc1(input.reshape(len(input), -1)).relu()
        return self.fc2(hidden)


def count_parameters(model):
    count = 0
    for parameter in model.parameters():
        if parameter.requires_grad:
            count += torch.tensor(parameter.shape).prod().item()
    return count


def train_epoch(model, batches, criterion, optimizer):
    model.train(True)
    losses, sizes = [], []
    for x, y in batches:
        loss = criterion(model(x), y)
        model.zero_grad()
        optimizer.zero_grad(set_to_none=False)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
        sizes.append(y.shape[0])
    return sum(loss * size for loss, size in zip(losses, sizes)) / sum(sizes)


@torch.inference_mode()
def evaluate(model, batches):
    model.train(False)
    hits = [model(x).max(dim=1).indices.eq(y) for x, y in batches]
    return torch.cat(hits).double().mean().item()
