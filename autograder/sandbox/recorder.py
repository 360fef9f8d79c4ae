"""Which operators ran, and which of torch's own Python functions were called.

A dispatch mode sees only what composite operators fall apart into: `linear` arrives as `addmm`, like
an honest matrix product. The profiler's trace of the dispatcher has the names themselves
("aten::linear"), by whatever alias, from TorchScript, in every thread and in backward, where
"autograd::engine" shows that derivatives were asked of autograd. torch.nn.init is plain Python,
so a profile hook watches for it. This is a speed bump in the student's own process, no proof.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import torch

from . import protocol
from .torch_private import profiled

SENTINEL = "aten::special_airy_ai"
"""An operator nobody uses by accident: the recorder runs it last, to see that it still records."""


ENGINE = "autograd::engine"


def _operator(name: str) -> str:
    """The dispatcher's name without its library; of autograd's nodes only that there were some.

    A student's own names (of an autograd.Function, of a scripted function, of a profiler's label)
    are no operators; they have no library.
    """
    return ENGINE if name.startswith(ENGINE) else name.partition("::")[2]


class OperatorTrace:
    """What was seen: dispatcher `operators`, and torch's Python `functions` by their full names."""

    def __init__(self) -> None:
        self.operators: set[str] = set()
        self.functions: set[str] = set()
        self.intact = False

    def as_meta(self) -> dict[str, Any]:
        """The trace as it crosses."""
        return vars(
            protocol.OperatorTrace(sorted(self.operators), sorted(self.functions), self.intact)
        )


@contextmanager
def recording() -> Iterator[OperatorTrace]:
    """Record while the body runs; the trace is complete when it ends."""
    trace = OperatorTrace()

    def on_event(frame: FrameType, event: str, argument: object) -> None:
        module = frame.f_globals.get("__name__", "")
        if event == "call" and isinstance(module, str) and module.startswith("torch."):
            trace.functions.add(f"{module}.{frame.f_code.co_qualname}")

    with profiled() as seen:
        sys.setprofile(on_event)
        try:
            yield trace
        finally:
            unhooked = sys.getprofile() is not on_event
            sys.setprofile(None)
            torch.special.airy_ai(torch.zeros(1))
    trace.intact = not unhooked and SENTINEL in seen
    trace.operators = {_operator(name) for name in seen - {SENTINEL} if "::" in name}
