"""The Tower from image to logits: the shape after each stage, and where its parameters are."""

import math

import torch
import torch.nn.functional as F
from tower import TowerOfInsight, count_parameters

from pictures.canvas import WIDTH, Sheet

MIDDLE, NAME, RIGHT = 105, 222, WIDTH - 20
PIXEL = 2.5
BAR = 130
"""Length of a bar that stands for all parameters."""


def draw() -> str:
    """A stage per row, with the shapes that an image takes on its way."""
    model = TowerOfInsight()
    image = torch.zeros(1, 1, 28, 28)
    conv1 = model.conv1(image)
    pool1 = F.max_pool2d(conv1, 2)
    conv2 = model.conv2(pool1)
    pool2 = F.max_pool2d(conv2, 2)
    flat = pool2.flatten(1)
    fc1 = model.fc1(flat)
    rows = [  # a stage, what comes out of it, its layer, the height of its row
        ("image", image, None, 92),
        ("conv1, ReLU", conv1, model.conv1, 116),
        ("max-pool 2", pool1, None, 82),
        ("conv2, ReLU", conv2, model.conv2, 92),
        ("max-pool 2", pool2, None, 68),
        ("flatten", flat, None, 64),
        ("fc1, ReLU", fc1, model.fc1, 64),
        ("fc2", model.fc2(fc1), model.fc2, 64),
    ]
    total = count_parameters(model)
    told = "; ".join(
        f"{name}: {_shape(out)}{f', {count_parameters(layer):,} parameters' if layer else ''}"
        for name, out, layer, _ in rows
    )
    sheet = Sheet(
        58 + sum(height for *_, height in rows) + 50,
        "The Tower's stages",
        f"The shape after each stage and the stage's parameters. {told}. Together {total:,} parameters.",
    )
    sheet.text(NAME, 30, "shape after it", "faint")
    sheet.text(RIGHT, 30, "parameters", "end faint")
    y = 52.0
    for name, out, layer, height in rows:
        middle = y + height / 2
        if out is not image:
            sheet.arrow((MIDDLE, y - 9), (MIDDLE, y + 7), "ink")
        _drawn(sheet, out, middle)
        sheet.text(NAME, middle - 4, name, "bold")
        sheet.text(NAME, middle + 20, _shape(out))
        if layer:
            count = count_parameters(layer)
            sheet.text(RIGHT, middle - 4, f"{count:,}", "end bold")
            sheet.box(RIGHT - BAR, middle + 8, BAR, 12)
            sheet.box(RIGHT - BAR, middle + 8, max(2, BAR * count / total), 12, "solid")
        y += height
    sheet.line([(NAME, y + 6), (RIGHT, y + 6)], "ink")
    sheet.text(NAME, y + 34, "together")
    sheet.text(RIGHT, y + 34, f"{total:,}", "end bold")
    return sheet.svg()


def _drawn(sheet: Sheet, out: torch.Tensor, middle: float) -> None:
    """Maps as a stack of squares, of fewer than there are; numbers in a row as a bar."""
    count, *sides = out.shape[1:]
    if sides:
        side, behind = sides[0] * PIXEL, 6 * count // 64
        for back in range(behind, -1, -1):
            off = 5 * (back - behind / 2)
            style = "tint blue" if back == 0 else "full blue"
            sheet.box(MIDDLE - side / 2 + off, middle - side / 2 - off, side, side, style)
    else:
        length = 30 * math.log10(count) + 60
        sheet.box(MIDDLE - length / 2, middle - 8, length, 16, "tint blue")


def _shape(out: torch.Tensor) -> str:
    return " × ".join(map(str, out.shape[1:]))
