"""What fan_in and fan_out count, for a linear weight and for that of a convolution."""

import torch
from kaiming_init import calculate_fan

from pictures.canvas import Sheet

LINEAR, CONV = (10, 4), (64, 32, 3, 3)
IN, OUT = 20, 350
"""Where the left and the right half begin."""


def draw() -> str:
    """The two weights of the handout's worked example."""
    linear, conv = calculate_fan(torch.empty(LINEAR)), calculate_fan(torch.empty(CONV))
    outputs, inputs, height, width = CONV
    sheet = Sheet(
        548,
        "fan_in and fan_out",
        f"A linear weight of shape {LINEAR}: one output sums {linear[0]} inputs, one input feeds {linear[1]} "
        f"outputs. A convolution's weight of shape {CONV}: one output sums {height} by {width} pixels in "
        f"each of {inputs} channels, {conv[0]} in all; one pixel feeds {height} by {width} pixels in each of "
        f"{outputs} maps, {conv[1]} in all.",
    )
    sheet.text(IN, 32, f"linear, weight {LINEAR}", "bold")
    _fan(sheet, IN + 20, linear[0], turned=False)
    _fan(sheet, OUT + 10, linear[1], turned=True)
    sheet.line([(IN, 266), (580, 266)])

    sheet.text(IN, 302, f"convolution, weight {CONV}", "bold")
    _maps(sheet, IN + 20, "tint", "blue thick")
    sheet.arrow((IN + 150, 390), (IN + 210, 390), "ink thick")
    sheet.box(IN + 218, 376, 28, 28, "ink thick full")
    sheet.box(OUT, 376, 28, 28, "tint blue thick")
    sheet.arrow((OUT + 36, 390), (OUT + 92, 390), "ink thick")
    _maps(sheet, OUT + 104, "", "ink thick")
    sheet.text(IN, 470, f"{inputs} channels of {height}×{width}")
    sheet.text(OUT, 470, f"{outputs} maps of {height}×{width}")

    for x, y, words in (
        (IN, 218, f"fan_in = {linear[0]}"),
        (OUT, 218, f"fan_out = {linear[1]}"),
        (IN, 502, f"fan_in = {inputs}·{height}·{width} = {conv[0]}"),
        (OUT, 502, f"fan_out = {outputs}·{height}·{width} = {conv[1]}"),
    ):
        sheet.text(x, y, words, "blue bold")
        sheet.text(x, y + 24, "what one output sums" if x == IN else "what one input feeds")
    return sheet.svg()


def _fan(sheet: Sheet, x: float, count: int, *, turned: bool) -> None:
    """`count` neurons in a column, each joined to one beside it: the many are left, or right if turned."""
    many, one = (x + 170, x) if turned else (x, x + 170)
    many_style, one_style = ("ink full", "tint blue") if turned else ("tint blue", "ink full")
    heights = [120 + (i - (count - 1) / 2) * 126 / (count - 1) for i in range(count)]
    for y in heights:
        sheet.line([(many, y), (one, 120)])
    for y in heights:
        sheet.dot(many, y, 6 if turned else 9, f"{many_style} thick")
    sheet.dot(one, 120, 9, f"{one_style} thick")


def _maps(sheet: Sheet, x: float, cells: str, frame: str) -> None:
    """A stack of 3×3 windows, of fewer than there are."""
    for back in (3, 2, 1, 0):
        left, top = x + 12 * back, 364 - 12 * back
        sheet.box(left, top, 78, 78, "full bare")
        sheet.grid(left, top, [[""] * 3] * 3, (26, 26), cells)
        sheet.box(left, top, 78, 78, frame)
