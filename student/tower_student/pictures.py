"""Pictures of numbers: as PNG, as SVG, and in characters of a terminal."""

import base64
import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

import torch
from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.text import Text
from torch import Tensor

BLUE, ORANGE = (0.45, 0.72, 1.0), (1.0, 0.55, 0.25)
"""What is positive, and what is negative, on black."""
RAMP = " .:-=+*#%@"
"""From nothing to ink, where a console has no blocks."""
INK = 0.35
"""What counts as ink where there is no grey."""
WIDTH, HEIGHT = 360, 200
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 10, 26
"""Of a picture, and its margins: on a phone a letter is then as large as it is here."""
NARROW, ROW, LABEL, NUMBER = 260, 26, 56, 58
"""Of bars: the picture's width, the height of one with its gap, the widths of its label and of its number."""
SMOOTHED = 21
"""Values of a noisy line that are averaged."""
GAMMA = 0.6
"""Feature maps are mostly faint: what is grey is drawn brighter than it is."""


def grey(image: Tensor) -> Tensor:
    """An image (H, W) from 0 to 1 as pixels: white on black."""
    return (image.clamp(0, 1) * 255).round().byte()[..., None].expand(-1, -1, 3)


def bright(maps: Tensor) -> Tensor:
    """Feature maps (N, H, W), none of them negative, from 0 to 1: 1 is the largest value of all."""
    return (maps / maps.max().clamp(min=1e-9)) ** GAMMA


def signed(image: Tensor, strongest: float) -> Tensor:
    """An image (H, W) with signs as pixels: blue is positive, orange negative, black zero."""
    share = (image / (strongest or 1.0)).clamp(-1, 1)[..., None]
    colours = torch.where(share >= 0, torch.tensor(BLUE), torch.tensor(ORANGE))
    return (colours * share.abs() * 255).round().byte()


def as_png(pixels: Tensor) -> str:
    """Pixels (H, W, 3) of uint8 as the address of an image that a page holds itself."""
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + bytes(row.flatten().tolist()) for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


# SVG


class Line(NamedTuple):
    """A line of a plot: its points, and its class in the style sheet."""

    points: Sequence[tuple[float, float]]
    style: str


def plot(
    lines: Sequence[Line], dots: Sequence[tuple[float, float]], top: float, unit: str, label: str
) -> str:
    """Lines and dots over steps, from 0 to `top`; a unit of "%" shows shares."""
    every = [point for line in lines for point in line.points] + list(dots)
    steps = max((x for x, _ in every), default=1.0) or 1.0

    def x_of(x: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * x / steps

    def y_of(y: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(y, top) / top

    parts = []
    for quarter in range(5):
        value = top * quarter / 4
        said = f"{100 * value:.0f} %" if unit == "%" else f"{value:.3g}"
        y = y_of(value)
        parts.append(
            f'<line class="axis" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>'
        )
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{said}</text>')
    for quarter in range(5):
        step = round(steps * quarter / 4)
        anchor = "end" if quarter == 4 else "middle"
        parts.append(
            f'<text x="{x_of(step):.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}">{step:,}</text>'
        )
    for line in lines:
        points = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in line.points)
        parts.append(f'<polyline class="{line.style}" points="{points}"/>')
    for x, y in dots:
        said = f"{100 * y:.1f} %" if unit == "%" else f"{y:.3g}"
        parts.append(
            f'<circle class="dot" cx="{x_of(x):.1f}" cy="{y_of(y):.1f}" r="4"><title>{said}</title></circle>'
        )
    return _svg(HEIGHT, label, parts)


def smoothed(values: Sequence[float]) -> list[tuple[float, float]]:
    """Means of neighbours, over steps that count from 1."""
    points = []
    for i in range(len(values)):
        near = values[max(0, i - SMOOTHED // 2) : i + SMOOTHED // 2 + 1]
        points.append((i + 1.0, sum(near) / len(near)))
    return points


def bars(values: Mapping[str, float], largest: float, decades: int, label: str) -> str:
    """Bars of positive numbers on a scale of powers of ten that ends with `largest`."""
    top = math.ceil(math.log10(largest)) if largest > 0 else 0
    room = NARROW - LABEL - NUMBER
    parts = []
    for i, (name, value) in enumerate(values.items()):
        share = (1 + (math.log10(value) - top) / decades) if value > 0 else 0.0
        width = max(1.0, room * min(1.0, share))
        y = ROW * i
        parts.append(f'<text x="0" y="{y + 16}">{escape(name[:10])}</text>')
        parts.append(f'<rect class="track" x="{LABEL}" y="{y + 5}" width="{room}" height="14"/>')
        parts.append(f'<rect class="bar" x="{LABEL}" y="{y + 5}" width="{width:.1f}" height="14"/>')
        parts.append(f'<text x="{NARROW - NUMBER + 6}" y="{y + 16}">{value:.1e}</text>')
    return _svg(ROW * len(values), label, parts, NARROW)


def _svg(height: int, label: str, parts: Sequence[str], width: int = WIDTH) -> str:
    size = f'viewBox="0 0 {width} {height}"'
    return f'<svg {size} role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'


# The terminal


def framed(images: Tensor) -> Tensor:
    """Images (N, H, W) without the border that is empty in all of them; of an even height."""
    used = images.amax(0) > 0
    rows, columns = used.any(1).nonzero().flatten(), used.any(0).nonzero().flatten()
    if not len(rows):
        return images
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    cut = images[:, top:bottom, int(columns[0]) : int(columns[-1]) + 1]
    return torch.nn.functional.pad(cut, (0, 0, 0, 1)) if (bottom - top) % 2 else cut


def in_characters(images: Tensor, captions: Sequence[Text], console: Console) -> Text:
    """As many images (N, H, W) from 0 to 1 side by side as there is room for, their captions below.

    Two rows of pixels are one line: half blocks in shades of grey; without colours, of ink alone; where the
    console's encoding has no blocks, characters as dark as the pixels.
    """
    images = framed(images)
    width = max(images.shape[2], max((len(caption) for caption in captions), default=0)) + 2
    shown = max(1, min(len(images), (console.width + 2) // width))
    has_greys = console.color_system in ("256", "truecolor")
    has_blocks = _can_encode("▀▄█", console)
    text = Text(no_wrap=True)
    for upper, lower in zip(images.unbind(1)[::2], images.unbind(1)[1::2], strict=True):
        for image in range(shown):
            for above, below in zip(upper[image].tolist(), lower[image].tolist(), strict=True):
                if has_blocks and has_greys:
                    text.append("▀", Style(color=_shade(above), bgcolor=_shade(below)))
                elif has_blocks:
                    text.append(" ▀▄█"[(above > INK) + 2 * (below > INK)])
                else:
                    mean = min(1.0, max(0.0, (above + below) / 2))
                    text.append(RAMP[round(mean * (len(RAMP) - 1))])
            text.append(" " * (width - images.shape[2]))
        text.append("\n")
    for caption in captions[:shown]:
        text.append_text(caption)
        text.append(" " * (width - len(caption)))
    return text


def _shade(value: float) -> Color:
    level = round(255 * min(1.0, max(0.0, value)))
    return Color.from_rgb(level, level, level)


def _can_encode(characters: str, console: Console) -> bool:
    try:
        characters.encode(console.encoding)
    except (LookupError, UnicodeEncodeError):
        return False
    return True
