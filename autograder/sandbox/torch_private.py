"""The internals of torch that the grader and its workers touch: all of them, and nowhere else.

tower_student/lean.py has those that importing less takes. tests/kit/test_torch_private.py has a test for
each, which says in which version it came or changed.
"""

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch._C._profiler import _ExperimentalConfig
from torch.autograd.profiler import profile
from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["TorchDispatchMode"]


@contextlib.contextmanager
def profiled() -> Iterator[Counter[str]]:
    """Let torch's profiler count the operators that run, by their names, in every thread.

    The names are there when the context has ended: "aten::addmm", "autograd::engine::…".
    """
    names: Counter[str] = Counter()
    events: Any = profile(experimental_config=_ExperimentalConfig(profile_all_threads=True))
    with events:
        yield names
    names.update(event.name() for event in events.kineto_results.events())


class Dispatched(TorchDispatchMode):
    """Counts the operators that compute something below autograd in this thread, by the profiler's names.

    It runs each operator itself, so that the profiler sees twice as many. Views are left out, since of
    Tensor.data the profiler sees the half.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names: Counter[str] = Counter()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Count an operator and run it."""
        label = func.namespace == "profiler"  # which an optimizer puts round its step
        self.names[func._schema.name] += not func.is_view and not label
        return func(*args, **(kwargs or {}))


class Skewed(TorchDispatchMode):
    """Lets every derivative that autograd computes be another: what its operators make new is scaled."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run an operator; within a backward pass, scale what it makes."""
        result = func(*args, **(kwargs or {}))
        within = torch._C._current_autograd_node() is not None
        if not within or func.is_view or func._schema.is_mutable or not isinstance(result, Tensor):
            return result
        return result * SKEW if result.is_floating_point() else result


SKEW = 1.25


def parse_to(*args: Any, **kwargs: Any) -> tuple[torch.device | None, torch.dtype | None]:
    """The device and the dtype that arguments of Tensor.to name; None where they name none."""
    device, dtype, *_ = torch._C._nn._parse_to(*args, **kwargs)
    return device, dtype


def is_transformed(tensor: Tensor) -> bool:
    """Whether it is a wrapper that vmap, grad or another transform of torch.func has put around one."""
    return bool(torch._C._functorch.is_functorch_wrapped_tensor(tensor))


def without_subclass() -> Any:
    """A context within which a tensor's class has no say in what is done with it."""
    return torch._C.DisableTorchFunctionSubclass()


def registered_as_none(layer: nn.Module) -> list[str]:
    """The names of a layer's own parameters that are registered as None."""
    return [name for name, parameter in layer._parameters.items() if parameter is None]


def spin(cycles: int) -> None:
    """Keep the current stream of the GPU busy for so many of its cycles."""
    torch.cuda._sleep(cycles)
