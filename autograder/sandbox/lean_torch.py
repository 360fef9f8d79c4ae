"""torch without its compiler, until someone asks for it.

Every torch.optim constructor and every optimizer step imports torch._dynamo, which takes as long as
torch itself and changes nothing outside torch.compile. A module that stands in its place answers
the two calls the optimizers make (both do nothing outside compilation) and loads the real one on
any other use. Import this before the first optimizer; without it all works, only later.
"""

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch

_NAME = "torch._dynamo"


class _Deferred(ModuleType):
    def graph_break(self, *args: object, **kwargs: object) -> None:
        """Outside compilation there is no graph to break."""

    def disable(self, fn: Callable[..., Any] | None = None, *args: object, **kwargs: object) -> Any:
        """Outside compilation a function runs as it is."""
        return fn if fn is not None else lambda function: function

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(_NAME) is self:
            del sys.modules[_NAME]
            vars(torch).pop("_dynamo", None)
        return getattr(importlib.import_module(_NAME), name)


def defer_compiler() -> None:
    """Put the stand-in where torch._dynamo would be, unless that is loaded already."""
    if _NAME not in sys.modules:
        sys.modules[_NAME] = torch._dynamo = _Deferred(_NAME)
