"""Every tolerance of the suite, with where it comes from."""

from typing import NamedTuple

import torch


class Tolerance(NamedTuple):
    """|got - expected| ≤ absolute + relative · |expected|, element by element."""

    relative: float
    absolute: float


FLOAT64 = Tolerance(1e-7, 1e-7)
"""torch.testing.assert_close's default; honest layers differed by 6e-13 at most."""

FLOAT32 = Tolerance(1e-4, 1e-5)
"""Forward only: honest layers differed by 3.8e-6. Float32 gradients are not gated."""

GPU_FLOAT32 = Tolerance(1e-4, 1e-4)
"""Output and gradients on a GPU, with TF32 off. Not measured on one yet."""

HALF = {torch.float16: Tolerance(4e-3, 4e-3), torch.bfloat16: Tolerance(3e-2, 3e-2)}
"""Forward on a GPU, against float64 over the same rounded numbers: some eight roundings of 2^-11 and 2^-8.
Not measured on a GPU yet; honest layers on the simulated one stay below a quarter."""

TRAJECTORY = Tolerance(1e-9, 1e-9)
"""Weights after a few float64 steps: honest loops differed by 2e-13, the mildest bug by 5e-5."""

LINE = Tolerance(1e-12, 1e-12)
"""The fitted line: a handful of float64 operations a step, each within 1.1e-16."""

DEVIATIONS = 6.0
"""Largest deviation of a mean or a variance, in standard deviations: exceeded with 2e-9."""

KOLMOGOROV_SMIRNOV = 3.2
"""Largest √n·D. The chance that an honest tensor exceeds it is 2·exp(-2·3.2²) = 2.6e-9."""
