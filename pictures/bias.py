"""A bias that is added to every row of a batch, and what comes back to it."""

import torch

from pictures.canvas import Sheet

CELL = (54.0, 46.0)


def draw() -> str:
    """The worked example of the layer, with both samples."""
    weight = torch.tensor([[1, 0], [2, -1], [0.5, 3]])
    bias, x = torch.tensor([0.5, 1, -1], requires_grad=True), torch.tensor([[1.0, 2], [3, -1]])
    upstream = torch.tensor([[1.0, 2, -1], [0, 1, 1]])
    sums = x @ weight.T
    output = sums + bias
    output.backward(upstream)
    assert bias.grad is not None
    sheet = Sheet(
        470,
        "A bias is added to every row; its gradient is the sum of the rows",
        f"The products of two samples with the weight are the rows {_rows(sums)}. The bias {_rows(bias)} is "
        f"added to each of them, as if it stood there twice: {_rows(output)}. On the way back the rows of "
        f"the upstream gradient, {_rows(upstream)}, are summed to the bias's gradient: {_rows(bias.grad)}.",
    )
    first, second, third = 12.0, 219.0, 426.0
    for x_, head, shape in (
        (first, "input · weightᵀ", "(2, 3)"),
        (second, "bias", "(3,) used as (2, 3)"),
        (third, "output", "(2, 3)"),
    ):
        sheet.text(x_ + 81, 30, head, "middle bold")
        sheet.text(x_ + 81, 54, shape, "middle faint")
    for x_, sign in ((second, "+"), (third, "=")):
        sheet.text(x_ - 22.5, 122, sign, "middle bold")
    sheet.grid(first, 70, _cells(sums), CELL)
    sheet.grid(second, 70, _cells(bias), CELL, "tint blue thick")
    sheet.grid(second, 116, _cells(bias), CELL, "dashed")
    sheet.grid(third, 70, _cells(output), CELL, "ink")
    sheet.text(second + 81, 188, "the same row again", "middle faint")
    sheet.line([(12, 216), (588, 216)])

    sheet.text(first, 254, "On the way back the rows are summed", "bold")
    sheet.text(first, 308, "upstream gradient")
    sheet.text(first, 332, "(2, 3)", "faint")
    sheet.grid(second, 276, _cells(upstream), CELL)
    for column in range(3):
        at = second + (column + 0.5) * CELL[0]
        sheet.arrow((at, 374), (at, 400), "blue thick")
    sheet.text(first, 428, "gradient of the bias")
    sheet.text(first, 452, "(3,)", "faint")
    sheet.grid(second, 410, _cells(bias.grad), CELL, "tint blue thick")
    sheet.text(third, 394, "one sum")
    sheet.text(third, 418, "for each column,")
    sheet.text(third, 442, "no mean")
    return sheet.svg()


def _cells(tensor: torch.Tensor) -> list[list[str]]:
    return [[f"{value:g}" for value in row] for row in tensor.reshape(-1, 3).tolist()]


def _rows(tensor: torch.Tensor) -> str:
    return " and ".join(f"[{', '.join(row)}]" for row in _cells(tensor))
