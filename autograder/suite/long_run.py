"""How a long check is to be run: one that works as a plan of course.toml says."""

from collections.abc import Callable
from dataclasses import dataclass

from autograder.course import Plan


@dataclass(frozen=True)
class LongRun:
    """What the `long_run` fixture holds.

    Attributes:
        plan: the numbers of the chosen plan.
        trial_seconds: limit for beginning, up to the first steps.
        seconds: limit for the rest.
        threads: that the worker may use.
        progress: told the fraction that is behind.
        on_gpu: whether the worker is to work on its GPU.
    """

    plan: Plan
    trial_seconds: float
    seconds: float
    threads: int
    progress: Callable[[float], None]
    on_gpu: bool = False
