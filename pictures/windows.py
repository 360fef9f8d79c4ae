"""A window that slides over a grid, and the columns that im2col makes of it."""

import torch

from pictures.canvas import Sheet

from conv2d import im2col

LEFT, PITCH = 172, 108


def draw() -> str:
    """The worked example: a 3×3 input and a 2×2 kernel."""
    image, kernel = torch.arange(1, 10).reshape(3, 3), torch.arange(1, 5).reshape(2, 2)
    columns = im2col(image.double()[None, None], 2)[0].long()
    sums = (kernel.flatten() @ columns).tolist()
    sheet = Sheet(
        536,
        "im2col: each window becomes a column",
        "A 2 by 2 window takes four positions on a 3 by 3 grid of the numbers 1 to 9. Each window is written "
        f"as a column: {'; '.join(_listed(column) for column in columns.T.tolist())}. The kernel, written as "
        f"the row {_listed(kernel.flatten().tolist())}, times the four columns gives {_listed(sums)}, which "
        "is folded back to 2 by 2.",
    )
    sheet.text(20, 28, "kernel")
    sheet.grid(24, 46, kernel.tolist(), (38, 38), "tint ink")
    for window in range(4):
        x, middle = LEFT + window * PITCH, LEFT + window * PITCH + 45
        down, across = divmod(window, 2)
        sheet.text(middle, 28, f"window {window}", "middle")
        sheet.box(x + across * 30, 40 + down * 30, 60, 60, "tint bare")
        sheet.grid(x, 40, image.tolist(), (30, 30))
        sheet.box(x + across * 30, 40 + down * 30, 60, 60, "blue thick")
        sheet.arrow((middle, 138), (middle, 168), "blue thick")
        sheet.grid(x + 15, 180, columns[:, window : window + 1].tolist(), (60, 40), "tint blue")
        sheet.text(middle, 384, f"= {sums[window]}", "middle bold")
    for tap, weight in enumerate(kernel.flatten().tolist()):
        sheet.text(150, 206 + 40 * tap, f"tap {divmod(tap, 2)} × {weight}", "end")
    sheet.line([(24, 354), (LEFT + 3 * PITCH + 90, 354)], "ink")
    sheet.text(150, 384, "sum", "end")
    sheet.text(150, 474, "folded back", "end")
    sheet.grid(LEFT, 420, torch.tensor(sums).reshape(2, 2).tolist(), (60, 48), "ink")
    sheet.text(LEFT + 150, 462, "the output: one number")
    sheet.text(LEFT + 150, 486, "for each window")
    return sheet.svg()


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))
