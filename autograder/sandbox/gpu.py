"""The GPU, as a worker uses it: how it is started, and how layers and tensors get there and back.

There are two with one interface: CUDA's, and a simulated one for machines without a GPU, see simulated_gpu.
Nothing here runs in the zygote: a process that has started CUDA cannot be forked.
"""

import contextlib
import ctypes
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .torch_private import TorchDispatchMode, spin

NAME = "cuda"
_DELAY_CYCLES = 100_000_000
"""What a side stream waits for before its data come: some 50 ms."""
_LONGEST_DELAY = 16 * _DELAY_CYCLES


class Transfers:
    """How often tensors were carried between GPU and CPU while someone watched."""

    def __init__(self) -> None:
        self.copies = 0


class GPU(Protocol):
    """What the worker asks of a GPU."""

    def carry(self, layer: nn.Module) -> None:
        """Move a layer to the GPU by its own `to`."""

    def fetch(self, layer: nn.Module) -> None:
        """Move a layer to the CPU by its own `to`."""

    def carried(self, tensor: Tensor) -> Tensor:
        """The tensor on the GPU, as a leaf of its own."""

    def brought_back(self, tensor: Tensor) -> Tensor:
        """The tensor on the CPU, with its graph."""

    def holds(self, value: object) -> bool:
        """Whether it is a tensor that lies on the GPU."""

    def watched(self) -> Any:
        """A context within which copies are counted; yields a Transfers."""

    def in_force(self) -> Any:
        """A context within which code may use the GPU."""

    def on_side_stream(self, function: Callable[[Tensor], Any], source: Tensor) -> Any:
        """What `function` returns for the tensor on the GPU, which is filled late, on a stream of its own."""


class RealGPU:
    """The first GPU that CUDA sees."""

    def carry(self, layer: nn.Module) -> None:
        """Move a layer to the GPU by its own `to`."""
        layer.to(NAME)

    def fetch(self, layer: nn.Module) -> None:
        """Move a layer to the CPU by its own `to`."""
        layer.to("cpu")

    def carried(self, tensor: Tensor) -> Tensor:
        """The tensor on the GPU, as a leaf of its own."""
        return tensor.detach().to(NAME).requires_grad_(tensor.requires_grad)

    def brought_back(self, tensor: Tensor) -> Tensor:
        """The tensor on the CPU, with its graph."""
        return tensor.to("cpu")

    def holds(self, value: object) -> bool:
        """Whether it is a tensor that lies on the GPU."""
        return isinstance(value, Tensor) and value.is_cuda

    @contextmanager
    def watched(self) -> Iterator[Transfers]:
        """A context within which copies are counted."""
        transfers = Transfers()
        with _CopyCounter(transfers):
            yield transfers

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """A context within which code may use the GPU: any."""
        yield

    def on_side_stream(self, function: Callable[[Tensor], Any], source: Tensor) -> Any:
        """What `function` returns for the tensor on the GPU, which is filled late, on a stream of its own.

        A function that uses another stream reads what lay there before: NaN.
        """
        there = self.carried(source)
        late = torch.full_like(there, torch.nan)
        stream, cycles = torch.cuda.Stream(), _DELAY_CYCLES
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream), torch.no_grad():
            # Loading kernels and taking memory may wait for all that the GPU does: once, now.
            function(there)
            while True:
                stream.synchronize()
                late.fill_(torch.nan)
                spin(cycles)
                late.copy_(there)
                result = function(late)
                if not stream.query() or cycles >= _LONGEST_DELAY:
                    break
                cycles *= 4  # the function sent its work after the delay, which shows nothing
        stream.synchronize()
        return result


class _CopyCounter(TorchDispatchMode):
    """Counts operators that take a tensor from one side and give one, or fill one, on the other."""

    def __init__(self, transfers: Transfers) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._transfers = transfers

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """One operator, passed on."""
        result = func(*args, **(kwargs or {}))
        if func.overloadpacket in _COPYING:
            source = args[1] if func.overloadpacket is torch.ops.aten.copy_ else args[0]
            carried = source.device.type != result.device.type
            self._transfers.copies += carried and source.dim() > 0  # a single number does not count
        return result


_COMPUTE_MODE, _EXCLUSIVE_PROCESS = 20, 3
"""CU_DEVICE_ATTRIBUTE_COMPUTE_MODE and CU_COMPUTEMODE_EXCLUSIVE_PROCESS of CUDA's driver API."""
_COPYING = (torch.ops.aten.copy_, torch.ops.aten._to_copy)


def start(memory: int) -> dict[str, Any]:
    """Start CUDA, set it to compute exactly and the same each time, and say what was found.

    What starts threads or opens files of its own does so here, before the filter: a product, a
    convolution and their backward passes in each dtype, a stream, an event.

    Args:
        memory: bytes on the GPU that torch may take.

    Raises what torch raises where there is no GPU, or none to be had.
    """
    torch.cuda.init()
    properties = torch.cuda.get_device_properties(0)
    torch.cuda.set_per_process_memory_fraction(min(1.0, memory / properties.total_memory), 0)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)  # from Ampere on
    dtypes = [torch.float64, torch.float32, torch.float16, *([torch.bfloat16] if bfloat16 else ())]
    for dtype in dtypes:
        x = torch.ones(2, 3, 8, 8, device=NAME, dtype=dtype, requires_grad=True)
        weight = torch.ones(2, 3, 3, 3, device=NAME, dtype=dtype, requires_grad=True)
        for stride, dilation in ((1, 1), (2, 1), (1, 2)):
            F.relu(F.conv2d(x, weight, None, stride, 1, dilation)).flatten(1).sum().backward()
        F.conv2d(x.contiguous(memory_format=torch.channels_last), weight).sum().backward()
        torch.mm(x[0, 0], x[0, 0]).sum().backward()
    stream, event = torch.cuda.Stream(), torch.cuda.Event()
    event.record(stream)
    event.synchronize()
    torch.cuda.synchronize()
    return {
        "name": properties.name,
        "memory": properties.total_memory,
        "capability": f"{properties.major}.{properties.minor}",
        "cuda": str(torch.version.cuda),
        "cudnn": str(torch.backends.cudnn.version()),
        "dtypes": [str(dtype).removeprefix("torch.") for dtype in dtypes],
        "is_compiled_for": any(
            name.startswith(f"sm_{properties.major}") for name in torch.cuda.get_arch_list()
        ),
        "is_exclusive": _compute_mode() == _EXCLUSIVE_PROCESS,
    }


def _compute_mode() -> int:
    """The first GPU's, in the driver's numbers; 0, the default, where the driver does not say."""
    mode = ctypes.c_int(0)
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libcuda.so.1").cuDeviceGetAttribute(ctypes.byref(mode), _COMPUTE_MODE, 0)
    return mode.value
