"""Spares a process the imports of torch that it does not need: `tower check`, the grader, and its workers.

Every torch.optim constructor and every step imports torch._dynamo, which takes as long as torch itself and
changes nothing outside torch.compile. A module that stands in its place answers what eager code asks of it
and loads the real one on any other use.

torchvision's wheels are built against torch with CUDA. Beside a CPU-only torch their compiled
operators do not load, and `import torchvision` ends with "operator torchvision::nms does not exist",
since it describes its operators to the meta device whether they are there or not. Data sets and
transforms need none of them, so the descriptions are left out; calling torchvision.ops.nms
and its like still fails, with torch's own message.

It imports nothing of ours, and torch only when called: the workers' fork server loads it by its path,
which is hidden from it afterwards.
"""

import contextlib
import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

COMPILER = "torch._dynamo"
DESCRIPTIONS = "torchvision._meta_registrations"


def make_lean() -> None:
    """Defer the compiler, unless it is loaded already; let torchvision import without CUDA."""
    import torch

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


class _Deferred(ModuleType):
    """In the place of torch._dynamo until someone asks for more than the optimizers do."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        import torch

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
        vars(sys.modules["torch"]).pop("_dynamo", None)
    return importlib.import_module(COMPILER)
