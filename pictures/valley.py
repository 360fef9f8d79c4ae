"""The loss over w and b, and two ways down: what a learning rate does."""

from itertools import pairwise

import torch
from gradient_loop import train_manual

from pictures.canvas import Point, Sheet

X, Y = 2.0, 5.0
LEFT, TOP, UNIT = 76, 46, 118
W_END, B_START, B_END = 4.2, -0.6, 2.6


def draw() -> str:
    """The valley of the one point x = 2, y = 5."""
    slow, fast = descent(1.0, 0.0, 0.05, 5), descent(0.5, 1.0, 0.2, 2)
    losses = [loss(*at) for at in slow]
    sheet = Sheet(
        500,
        "The loss valley of the line, and two ways down",
        f"Contour lines of the loss over w and b are parallel straight lines; along the middle one, "
        f"2w + b = 5, the loss is 0. With a learning rate of 0.05, steps from w = 1, b = 0 go straight at "
        f"it and halve in length: the loss falls from {losses[0]:g} to {losses[1]:g} and {losses[2]:g}. "
        f"With 0.2, a step from w = 0.5, b = 1 crosses the valley to the same loss of {loss(*fast[1]):g} on "
        f"the other side, and the next one comes back.",
    )
    sheet.line([*contour(4), *reversed(contour(6))], "tint bare", close=True)
    for level in range(1, 11):
        sheet.line(contour(level), "blue thick" if level == Y else "")
        if level >= B_END:  # the others end at an axis
            value = f"{(level - Y) ** 2:g}"
            words = f"loss {value}" if level == 3 else value
            sheet.text(contour(level)[0][0], TOP - 10, words, "middle faint")
    for tick in range(5):
        sheet.text(*place(tick, B_START, 0, 24), tick, "middle faint")
    for tick in range(3):
        sheet.text(*place(0, tick, -10, 6), tick, "end faint")
    corner = place(0, B_START)
    sheet.line([place(0, B_END), corner, place(W_END, B_START)], "ink")
    sheet.text(*place(W_END / 2, B_START, 0, 48), "weight w", "middle")
    sheet.text(*place(0, 1.5, -62, -6), "bias")
    sheet.text(*place(0, 1.5, -62, 18), "b")

    for start, stop in pairwise(slow):
        sheet.line([place(*start), place(*stop)], "ink thick")
    for at in slow:
        sheet.dot(*place(*at), 6, "ink full thick")
    sheet.text(*place(*slow[0], -6, 32), "w = 1, b = 0", "over middle")
    for number, at in enumerate(slow[1:3], 1):
        sheet.text(*place(*at, 2, 30), number, "over middle")
    for down, words in enumerate(("learning rate 0.05:", "each step goes half", "of what is left")):
        sheet.text(*place(2.35, 0, 0, 24 * down), words, "over" if down else "over bold")

    sheet.arrow(place(*fast[0], 8, 8), place(*fast[1], -10, 18), "red thick dashed")
    sheet.arrow(place(*fast[1], -12, -8), place(*fast[0], 6, -16), "red thick dashed")
    for x, y in (place(*at) for at in fast[:2]):
        sheet.box(x - 7, y - 7, 14, 14, "red thick full")
    for down, words in enumerate(("learning rate 0.2:", "across, and back", "to the same loss")):
        sheet.text(*place(2.68, 1.72, 0, 24 * down), words, "over red" if down else "over red bold")
    return sheet.svg()


def descent(w: float, b: float, learning_rate: float, steps: int) -> list[Point]:
    """Where gradient descent is before and after each step."""
    x, y, *start = torch.tensor([X, Y, w, b], dtype=torch.float64)
    history = train_manual(x, y, start[0], start[1], learning_rate, steps)
    return [(w, b), *((step.w, step.b) for step in history)]


def loss(w: float, b: float) -> float:
    """The squared error there."""
    return round((w * X + b - Y) ** 2, 9)


def contour(level: float) -> list[Point]:
    """Both ends of the line w·x + b = level, within the axes: along it the loss is (level - y)²."""
    ends = (min(max((level - b) / X, 0), W_END) for b in (B_END, B_START))
    return [place(w, level - w * X) for w in ends]


def place(w: float, b: float, right: float = 0, down: float = 0) -> Point:
    """A position on the sheet, and so far off it."""
    return LEFT + w * UNIT + right, TOP + (B_END - b) * UNIT + down
