"""What fan_in and fan_out count, for a linear weight and for that of a convolution."""

import torch
from kaiming_init import calculate_fan

from pictures.canvas import Sheet

LINEAR, CONV = (10, 4), (64, 32, 3, 3)
IN, OUT = 40.0, 350.0


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
    sheet.text(20, 32, f"linear, weight {LINEAR}", "bold")
    sheet.text(20, 302, f"convolution, weight {CONV}", "bold")
    sheet.line([(20, 266), (580, 266)])
    for x, y, words in (
        (IN - 20, 218, f"fan_in = {linear[0]}"),
        (OUT, 218, f"fan_out = {linear[1]}"),
        (IN - 20, 502, f"fan_in = {inputs}·{height}·{width} = {conv[0]}"),
        (OUT, 502, f"fan_out = {outputs}·{height}·{width} = {conv[1]}"),
    ):
        sheet.text(x, y, words, "blue bold")
    for y in (242, 526):
        sheet.text(IN - 20, y, "what one output sums")
        sheet.text(OUT, y, "what one input feeds")

    _fan(sheet, IN, linear[0], turned=False)
    _fan(sheet, OUT + 10, linear[1], turned=True)

    _maps(sheet, IN, "32 channels")
    sheet.arrow((IN + 130, 390), (IN + 190, 390), "ink thick")
    sheet.box(IN + 198, 376, 28, 28, "ink thick full")
    sheet.box(OUT, 376, 28, 28, "tint blue thick")
    sheet.arrow((OUT + 36, 390), (OUT + 92, 390), "ink thick")
    _maps(sheet, OUT + 104, "64 maps")
    return sheet.svg()


def _fan(sheet: Sheet, x: float, count: int, *, turned: bool) -> None:
    """`count` neurons in a column, each joined to one beside it: the many are left, or right if turned."""
    many, one = (x + 170, x) if turned else (x, x + 170)
    many_style, one_style = ("ink full", "tint blue") if turned else ("tint blue", "ink full")
    heights = [126 + (i - (count - 1) / 2) * 126 / (count - 1) for i in range(count)]
    for y in heights:
        sheet.line([(many, y), (one, 126)])
    for y in heights:
        sheet.dot(many, y, 6 if turned else 9, f"{many_style} thick")
    sheet.dot(one, 126, 9, f"{one_style} thick")


def _maps(sheet: Sheet, x: float, words: str) -> None:
    """A stack of 3×3 windows, too many to draw."""
    for back in (3, 2, 1, 0):
        left, top = x + 12 * back, 364 - 12 * back
        sheet.box(left, top, 78, 78, "full bare")
        for i in range(9):
            sheet.box(left + 26 * (i % 3), top + 26 * (i // 3), 26, 26, "tint" if x == IN else "")
        sheet.box(left, top, 78, 78, "blue thick" if x == IN else "ink thick")
    sheet.text(x - 20 if x == IN else OUT, 470, f"{words} of 3×3")
