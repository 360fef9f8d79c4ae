"""The `long_run` fixture: how to run a check that course.toml names as `long`."""

from collections.abc import Callable
from dataclasses import dataclass

from autograder.course import Plan


@dataclass(frozen=True)
class LongRun:
    """What the `long_run` fixture holds.

    Attributes:
        plan: the numbers of the chosen [fits.NAME], by name.
        trial_seconds: limit for the first few steps, by which the time of the rest is estimated.
        seconds: limit for the rest.
        threads: how many the worker may use; see Student.use_threads.
        progress: to be called with the fraction that is done, from 0 to 1.
        on_gpu: whether the worker is to work on its GPU.
    """

    plan: Plan
    trial_seconds: float
    seconds: float
    threads: int
    progress: Callable[[float], None]
    on_gpu: bool = False
