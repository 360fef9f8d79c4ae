"""How large activations are after each of ten layers, for four ways to begin: a run, not a formula."""

from collections.abc import Callable

import torch
from kaiming_init import kaiming_normal_, kaiming_uniform_, xavier_uniform_
from torch import Generator, Tensor

from pictures.canvas import Point, Sheet

DEPTH, FEATURES, SAMPLES = 10, 1024, 256
LEFT, RIGHT, TOP, BOTTOM = 76, 372, 58, 422
LOWEST, HIGHEST = -4, 3


def draw() -> str:
    """Ten linear layers with ReLUs, without biases, fed with standard normal numbers."""
    starts: list[tuple[str, str, Callable[[Tensor, Generator], Tensor], str, str]] = [
        ("Kaiming, doubled", "", _doubled, "red dashed", "square"),
        ("Kaiming", "(a = 0)", lambda w, g: kaiming_normal_(w, generator=g), "blue", "circle"),
        ("Xavier", "", lambda w, g: xavier_uniform_(w, generator=g), "ink", "triangle"),
        ("PyTorch's default", "(a = √5)", _default, "red", "diamond"),
    ]
    sizes = [run(fill) for _, _, fill, _, _ in starts]
    told = "; ".join(
        f"{name}: {_short(at[-1])}" for (name, *_), at in zip(starts, sizes, strict=True)
    )
    sheet = Sheet(
        500,
        "Size of the activations over ten layers, by initialisation",
        f"The root mean square of the activations in a network of {DEPTH} linear layers with ReLU, "
        f"{FEATURES} wide, on a scale of powers of ten. It is 1 before the first. After ten layers: {told}.",
    )
    sheet.text(14, 30, "size of the activations (root mean square)")
    for power in range(LOWEST, HIGHEST + 1):
        _, y = place(0, 10.0**power)
        sheet.line([(LEFT, y), (RIGHT, y)], "ink" if power == 0 else "")
        sheet.text(LEFT - 8, y + 6, f"{10.0**power:g}", "end faint")
    for layer in (0, 5, DEPTH):
        sheet.text(place(layer, 1)[0], BOTTOM + 28, layer, "middle faint")
    sheet.text((LEFT + RIGHT) / 2, BOTTOM + 58, "after layer", "middle")
    for (name, note, _, style, mark), at in zip(starts, sizes, strict=True):
        points = [place(layer, size) for layer, size in enumerate(at)]
        sheet.line(points, f"{style} thick")
        for point in points[2::2]:
            _mark(sheet, mark, point, style.replace("dashed", ""))
        x, y = points[-1]
        sheet.text(x + 18, y, name, "bold")
        sheet.text(x + 18, y + 24, f"{_short(at[-1])} {note}")
    return sheet.svg()


def run(fill: Callable[[Tensor, Generator], Tensor]) -> list[float]:
    """The root mean square before the first layer and after each, in float64 from a fixed seed."""
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(SAMPLES, FEATURES, dtype=torch.float64, generator=generator)
    sizes = [hidden.square().mean().sqrt().item()]
    for _ in range(DEPTH):
        weight = fill(torch.empty(FEATURES, FEATURES, dtype=torch.float64), generator)
        hidden = (hidden @ weight.T).relu()
        sizes.append(hidden.square().mean().sqrt().item())
    return sizes


def place(layer: int, size: float) -> Point:
    """A position on the sheet."""
    power = torch.tensor(size, dtype=torch.float64).log10().item()
    share = (power - LOWEST) / (HIGHEST - LOWEST)
    return LEFT + (RIGHT - LEFT) * layer / DEPTH, BOTTOM - (BOTTOM - TOP) * share


def _doubled(weight: Tensor, generator: Generator) -> Tensor:
    return kaiming_normal_(weight, generator=generator).mul_(2)


def _default(weight: Tensor, generator: Generator) -> Tensor:
    return kaiming_uniform_(weight, a=5**0.5, generator=generator)


def _short(size: float) -> str:
    return f"{float(f'{size:.2g}'):g}"


def _mark(sheet: Sheet, shape: str, point: Point, style: str) -> None:
    x, y = point
    style = f"{style} thick full"
    if shape == "circle":
        sheet.dot(x, y, 6, style)
    else:
        corners = {
            "square": [(-6, -6), (6, -6), (6, 6), (-6, 6)],
            "diamond": [(0, -8), (8, 0), (0, 8), (-8, 0)],
            "triangle": [(0, -8), (8, 6), (-8, 6)],
        }[shape]
        sheet.line([(x + right, y + down) for right, down in corners], style, close=True)
