"""The internals of torch and torchvision that the kit touches: all of them, and nowhere else.

tests/kit/test_torch_private.py has a test for each, which says in which version it came or changed.

Two things that torch's ecosystem does at import are changed here. Every torch.optim constructor and every
step imports torch._dynamo, which takes as long as torch itself and changes nothing outside torch.compile. A
module that stands in its place answers what eager code asks of it and loads the real one on any other use.

torchvision's wheels are built against torch with CUDA. Beside a CPU-only torch their compiled
operators do not load, and `import torchvision` ends with "operator torchvision::nms does not exist",
since it describes its operators to the meta device whether they are there or not. Data sets and
transforms need none of them, so the descriptions are left out; calling torchvision.ops.nms
and its like still fails, with torch's own message.
"""

import contextlib
import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch._C._profiler import _ExperimentalConfig
from torch.autograd.profiler import profile
from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["TorchDispatchMode"]

COMPILER = "torch._dynamo"
DESCRIPTIONS = "torchvision._meta_registrations"


def make_lean() -> None:
    """Defer the compiler, unless it is loaded already; let torchvision import without CUDA."""
    if COMPILER not in sys.modules:
        sys.modules[COMPILER] = torch._dynamo = _Deferred(COMPILER)
        sys.meta_path.insert(0, _Submodules())
    if torch.version.cuda is None:
        sys.modules.setdefault(DESCRIPTIONS, ModuleType(DESCRIPTIONS))


def no_distributed_tensors() -> None:
    """Spare torch.testing.assert_close the question whether a tensor is spread over several machines.

    It imports all of torch.distributed for it, which takes half as long as torch itself.
    """
    import torch.testing._comparison as comparison

    comparison._HAS_DTENSOR = False


@contextlib.contextmanager
def profiled() -> Iterator[set[str]]:
    """Let torch's profiler note the names of all operators that run, in every thread.

    The names are there when the context has ended: "aten::addmm", "autograd::engine::…".
    """
    names: set[str] = set()
    events: Any = profile(experimental_config=_ExperimentalConfig(profile_all_threads=True))
    with events:
        yield names
    names.update(event.name() for event in events.kineto_results.events())


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


class _Deferred(ModuleType):
    """In the place of torch._dynamo until someone asks for more than the optimizers do."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__ = [str(Path(folder) / "_dynamo") for folder in torch.__path__]
        # torch.func.grad switches off what only runs within torch.compile.
        self.compiled_autograd = SimpleNamespace(_disable=contextlib.nullcontext)

    def graph_break(self, *args: object, **kwargs: object) -> None:
        """Outside compilation there is no graph to break."""

    def is_compiling(self) -> bool:
        """Outside compilation nothing is compiled."""
        return False

    def disable(self, fn: Callable[..., Any] | None = None, *args: object, **kwargs: object) -> Any:
        """Outside compilation a function runs as it is."""
        return fn if fn is not None else lambda function: function

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(_load_compiler(), name)


class _Submodules(MetaPathFinder):
    """`import torch._dynamo.utils` loads the real package first, as it would without us."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(f"{COMPILER}."):
            return None
        _load_compiler()
        loaded = sys.modules.get(fullname)
        return ModuleSpec(fullname, _Loaded(loaded)) if loaded else None


class _Loaded(Loader):
    """Hands out a module that the real package has imported meanwhile, as it is."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._spec = module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec


def _load_compiler() -> ModuleType:
    if isinstance(sys.modules.get(COMPILER), _Deferred):
        del sys.modules[COMPILER]
        vars(torch).pop("_dynamo", None)
    return importlib.import_module(COMPILER)
