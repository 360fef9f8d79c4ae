"""Which operators ran, and which of torch's own Python functions were called.

A dispatch mode sees only what composite operators fall apart into: `linear` arrives as `addmm`, like
an honest matrix product. The profiler's trace of the dispatcher has the names themselves
("aten::linear"), by whatever alias, from TorchScript, in every thread and in backward, where
"autograd::engine" shows that derivatives were asked of autograd. The mode is there as well, to see
whether the profiler was switched off meanwhile. torch.nn.init is plain Python, so a profile hook
watches for it, by the files that functions come from. This is a speed bump in the student's own
process, no proof.
"""

import functools
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import torch

from . import protocol
from .torch_private import Dispatched, profiled

SENTINEL = "aten::special_airy_ai"
"""An operator nobody uses by accident: the recorder runs it first and last, to see that it still records."""
LIBRARIES = f"{Path(torch.__file__).parents[1]}/"


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


@functools.lru_cache(maxsize=4096)
def _library_function(code: CodeType) -> str:
    """The full name of a library's function, by the file that its code comes from; "" of any other."""
    if not code.co_filename.startswith(LIBRARIES):
        return ""
    path = code.co_filename.removeprefix(LIBRARIES).removesuffix(".py").removesuffix("/__init__")
    return f"{path.replace('/', '.')}.{code.co_qualname.partition('.<locals>')[0]}"


@contextmanager
def recording() -> Iterator[OperatorTrace]:
    """Record while the body runs; the trace is complete when it ends.

    It is intact if the two observers agree: the profiler has seen whatever passed through the dispatch mode,
    from the first operator to the last, which are ours.
    """
    trace = OperatorTrace()

    def on_event(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and (name := _library_function(frame.f_code)):
            trace.functions.add(name)

    dispatched = Dispatched()
    hooks = sys.getprofile(), threading.getprofile()
    with profiled() as seen:
        sys.setprofile(on_event)
        threading.setprofile(on_event)
        try:
            with dispatched:
                torch.special.airy_ai(torch.zeros(1))
                yield trace
                torch.special.airy_ai(torch.zeros(1))
        finally:
            unhooked = sys.getprofile() is not on_event
            sys.setprofile(hooks[0])
            threading.setprofile(hooks[1])
    gaps = [name for name, count in dispatched.names.items() if seen[name] < 2 * count]
    trace.intact = not unhooked and not gaps and dispatched.names[SENTINEL] == 2
    trace.operators = {_operator(name) for name in seen.keys() - {SENTINEL} if "::" in name}
