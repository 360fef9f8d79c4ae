"""The tower is an nn.Sequential with named stages; the optimiser steps with a closure."""

from collections import OrderedDict

import torch
from torch import nn

import conv2d
import linear


class TowerOfInsight(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(
            OrderedDict(
                conv1=conv2d.CustomConv2d(1, 32, (3, 3), (1, 1), (1, 1)),
                relu1=nn.ReLU(),
                pool1=nn.MaxPool2d(2),
                conv2=conv2d.CustomConv2d(32, 64, (3, 3), (1, 1), (1, 1)),
                relu2=nn.ReLU(),
                pool2=nn.MaxPool2d(2),
                flatten=nn.Flatten(),
                fc1=linear.CustomLinear(64 * 7 * 7, 128),
                relu3=nn.ReLU(),
                fc2=linear.CustomLinear(128, 10),
            )
        )


def count_parameters(model: nn.Module) -> int:
    return sum(map(torch.numel, filter(lambda p: p.requires_grad, model.parameters())))


def train_epoch(model, batches, criterion, optimizer) -> float:
    model.train(True)
    losses, sizes = [], []
    for inputs, labels in batches:

        def closure():
            optimizer.zero_grad()
            loss = criterion(model(inputs), labels)
            loss.backward()
            losses.append(loss.item())
            return loss

        optimizer.step(closure)
        sizes.append(len(inputs))
    return sum(loss * size for loss, size in zip(losses, sizes)) / sum(sizes)


@torch.no_grad()
def evaluate(model: nn.Module, batches) -> float:
    model.train(False)
    hits: list[torch.Tensor] = []
    for inputs, labels in batches:
        hits.append(model(inputs).argmax(-1).eq(labels))
    return torch.cat(hits).double().mean().item()
