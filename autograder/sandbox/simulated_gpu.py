"""A GPU where there is none: tensors that say they lie on one, and compute on the CPU.

Code that asks `input.is_cuda` or `input.device` takes its GPU path; what it makes without a device lies
on the CPU and does not mix with them, as on a real one. What they compute, and how gradients flow, is real.
"""

from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from .torch_private import is_transformed, parse_to

DEVICE = torch.device("cuda", 0)
_MIXED = (
    "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!"
)
_NUMPY = (
    "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host "
    "memory first."
)
_MAY_MIX = {
    *("__getitem__", "__setitem__", "__get__", "__set__", "__delete__"),
    "_has_compatible_shallow_copy_type",
}
"""An index may lie on the CPU; so may what an attribute is set to, or replaced by."""
_STREAM = SimpleNamespace(device=DEVICE, is_capturing=lambda: False, synchronize=lambda: None)
_DRIVER: dict[Any, dict[str, Any]] = {
    torch.cuda: {
        "is_available": True,
        "device_count": 1,
        "current_device": 0,
        "synchronize": None,
        "is_current_stream_capturing": False,
    },
    torch.accelerator: {
        "is_available": True,
        "device_count": 1,
        "current_accelerator": torch.device("cuda"),
        "current_stream": _STREAM,
        "synchronize": None,
    },
}
"""Functions that ask for the GPU, and what they return: a build of torch with CUDA would ask its driver, as
the optimizers' step does. Which of them there are depends on the version."""


class OnGPU(Tensor):
    """A tensor that the simulation takes to lie on the GPU."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        copied = memo[id(self)] = SimulatedGPU().carried(self.clone())
        return copied


OnGPU.__name__ = OnGPU.__qualname__ = "Tensor"  # errors name it, and students read these


class Simulation(TorchFunctionMode):
    """Within this context the simulation is in force. `copies` counts what is carried to and fro."""

    def __init__(self) -> None:
        super().__init__()
        self.copies = 0
        self._driver: list[tuple[Any, str, Any]] = []

    def __enter__(self) -> "Simulation":
        for module, answers in _DRIVER.items():
            for name in answers.keys() & vars(module).keys():
                self._driver.append((module, name, getattr(module, name)))
                setattr(module, name, lambda *_, value=answers[name], **__: value)
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)  # type: ignore[no-untyped-call]
        for module, name, function in reversed(self._driver):
            setattr(module, name, function)
        self._driver.clear()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """One call of torch: answered for, or passed on and its results put where they belong."""
        named = dict(kwargs or {})
        first = args[0] if args else None
        if isinstance(first, OnGPU) and func in _ANSWERS:
            return _ANSWERS[func]
        if func in _MOVES:
            return self._moved(func, args, named)
        tensors = list(_tensors((args, named)))
        gpu = any(isinstance(tensor, OnGPU) for tensor in tensors)
        if func in _TO_NUMPY and gpu:
            raise TypeError(_NUMPY)
        if named.get("device") is not None:
            there = torch.device(named["device"]).type == "cuda"
            named["device"] = "cpu" if there else named["device"]
            return _on_device(func(*args, **named), on_gpu=there)
        if gpu and any(map(_lies_on_cpu, tensors)):
            if func is Tensor.copy_:
                self.copies += 1
            elif getattr(func, "__name__", "") not in _MAY_MIX:
                raise RuntimeError(_MIXED)
        result = func(*args, **named)
        return _on_device(result, on_gpu=True) if gpu else result

    def _moved(self, func: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        tensor, *rest = args
        target, dtype = _target(func, rest, named)
        moved = tensor if dtype in (None, tensor.dtype) else tensor.to(dtype)
        if target is None or (target == "cuda") == isinstance(tensor, OnGPU):
            return _on_device(moved, on_gpu=isinstance(tensor, OnGPU))
        if target not in ("cpu", "cuda"):
            return moved.to(target)
        self.copies += 1
        return _on_device(moved, on_gpu=target == "cuda")


_ANSWERS: dict[Any, Any] = {
    Tensor.device.__get__: DEVICE,
    Tensor.is_cuda.__get__: True,  # type: ignore[attr-defined]
    Tensor.is_cpu.__get__: False,  # type: ignore[attr-defined]
    Tensor.get_device: 0,
}
"""What a tensor on the GPU says of itself."""
_MOVES = (Tensor.cpu, Tensor.cuda, Tensor.to, Tensor.type_as)
_TO_NUMPY = (Tensor.numpy, Tensor.__array__)


def _target(
    func: Callable[..., Any], rest: list[Any], named: dict[str, Any]
) -> tuple[str | None, torch.dtype | None]:
    """Where a call that may move a tensor moves it to, and to which dtype; None for neither."""
    if func is Tensor.cpu:
        return "cpu", None
    if func is Tensor.cuda:
        return "cuda", None
    if rest and isinstance(rest[0], Tensor):  # x.to(other), x.type_as(other)
        return "cuda" if isinstance(rest[0], OnGPU) else rest[0].device.type, rest[0].dtype
    named.pop("copy", None)
    device, dtype = parse_to(*rest, **named)
    return (torch.device(device).type if device else None), dtype


class SimulatedGPU:
    """The GPU of a machine without one; its methods are those of gpu.GPU."""

    def carry(self, layer: nn.Module) -> None:
        """Move a layer to the simulated GPU by its own `to`. Parameters are new objects afterwards."""
        self._move(layer, "cuda")

    def fetch(self, layer: nn.Module) -> None:
        """Move a layer to the CPU by its own `to`. Parameters are new objects afterwards."""
        self._move(layer, "cpu")

    def carried(self, tensor: Tensor) -> Tensor:
        """The tensor on the simulated GPU, as a leaf of its own."""
        there: Tensor = tensor.detach().as_subclass(OnGPU)
        return there.requires_grad_(tensor.requires_grad)

    def brought_back(self, tensor: Tensor) -> Tensor:
        """The tensor as an ordinary one, with its graph."""
        plain: Tensor = tensor.as_subclass(Tensor)
        return plain

    def holds(self, value: object) -> bool:
        """Whether it is a tensor that lies on the simulated GPU."""
        return isinstance(value, OnGPU)

    def watched(self) -> Simulation:
        """A context within which code may use the simulated GPU, and copies are counted."""
        return Simulation()

    in_force = watched

    def on_side_stream(self, function: Callable[[Tensor], Any], source: Tensor) -> Any:
        """What `function` returns for the tensor on the simulated GPU, which has one stream only."""
        return function(self.carried(source))

    def _move(self, layer: nn.Module, device: str) -> None:
        before = torch.__future__.get_overwrite_module_params_on_conversion()
        torch.__future__.set_overwrite_module_params_on_conversion(True)
        try:
            with Simulation():
                layer.to(device)
        finally:
            torch.__future__.set_overwrite_module_params_on_conversion(before)


def _on_device(result: Any, *, on_gpu: bool) -> Any:
    if isinstance(result, Tensor):
        if isinstance(result, OnGPU) == on_gpu:
            return result  # the very same: an operation in place returns what it was called on
        return result.as_subclass(OnGPU if on_gpu else Tensor)
    if type(result) in (tuple, list) and any(isinstance(item, Tensor) for item in result):
        return type(result)(_on_device(item, on_gpu=on_gpu) for item in result)
    return result


def _lies_on_cpu(tensor: Tensor) -> bool:
    """Whether a tensor cannot meet one on the GPU: a single number can.

    What has a history comes from the GPU, or was counted when it was carried: TorchScript and transforms as
    vmap hand out tensors that have lost our mark.
    """
    return (
        not isinstance(tensor, OnGPU)
        and tensor.dim() > 0
        and tensor.grad_fn is None
        and not is_transformed(tensor)
    )


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
