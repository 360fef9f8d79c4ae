"""The process student code runs in: takes requests, answers with values.

Everything after the first import is student territory. This loop is a convenience for asking
questions, not an anchor of trust: the grader checks every byte that comes back, and a verdict is
computed there alone.
"""

import inspect
import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import PurePath
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from . import gpu, lockdown, values, wire
from .importer import SubmissionImporter, from_text, survey
from .recorder import recording
from .simulated_gpu import SimulatedGPU
from .torch_private import registered_as_none

MAX_REQUEST = 256 << 20
REQUESTS, REPLIES = 100, 101
"""Descriptors of the two pipes, the same in every worker."""


class AskError(Exception):
    """The answer is that something is wrong with what was asked for; `fields` says what."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(fields)
        self.fields = fields


def main(
    cell: lockdown.Cell,
    request: Mapping[str, Any],
    requests: int,
    replies: int,
    log: int,
    parent: int,
) -> None:
    """Lock down, say what was reached, and serve until the grader closes its end or kills us."""
    null, user = os.open(os.devnull, os.O_RDONLY), os.getuid()
    for source, target in ((null, 0), (log, 1), (log, 2), (requests, REQUESTS), (replies, REPLIES)):
        os.dup2(source, target, inheritable=False)
    started = time.perf_counter()
    policy, found = request["policy"], {}

    def start_gpu() -> None:
        nonlocal started
        before = time.perf_counter()
        try:
            if cell.sealed:
                raise PermissionError("without Landlock no file can be opened, a GPU's neither")
            found.update(gpu.start(policy["gpu_memory"]))
        except Exception as error:
            found["error"] = f"{type(error).__name__}: {error}"
        found["seconds"] = time.perf_counter() - before
        started += found["seconds"]

    lockdown.enter(
        cell,
        policy,
        request["scratch"],
        {REQUESTS, REPLIES},
        parent,
        request["user"],
        start_gpu if request["gpu"] else None,
    )
    denied = lockdown.probe(request["canary"], request["grader"], parent, user)
    taken = time.perf_counter() - started
    # The one message that can be believed: no byte of the submission has arrived yet.
    _write(wire.encode({"facts": cell.facts, "denied": denied, "seconds": taken, "gpu": found}))
    desk = Desk(gpu.RealGPU() if request["gpu"] else SimulatedGPU())
    while True:
        try:
            meta, raw = wire.read(_receive, MAX_REQUEST)
        except EOFError:
            return
        _write(desk.answer(meta, {item.name: values.from_raw(item) for item in raw}))


def _receive(count: int) -> bytearray:
    data = bytearray(count)
    view = memoryview(data)
    while view:
        received = os.readv(REQUESTS, [view])
        if not received:
            raise EOFError
        view = view[received:]
    return data


def _write(frame: list[memoryview]) -> None:
    while frame:
        frame = wire.after(frame, os.writev(REPLIES, frame[: wire.MAX_BUFFERS]))


LIBRARIES: dict[str, Any] = {"nn": nn, "optim": torch.optim}
"""What a hidden test can have something made of, beside the course's own files."""
STAND_IN, COURSE_FILE = "stand-in ", "file "
"""How the names of texts begin that are the course's."""


class Desk:
    """Holds the objects made on request, by the numbers they are given, and answers one request at a time.

    Args:
        gpu: what `on_gpu` in a request means.
    """

    def __init__(self, gpu: gpu.GPU) -> None:
        self._gpu = gpu
        self._objects: dict[int, Any] = {}
        self._sources: dict[str, bytes] = {}
        self._module: Any = None
        self._modules: dict[str, Any] = {}
        self._libraries = dict(LIBRARIES)
        self._tensors: dict[str, Tensor] = {}
        self._generators: list[torch.Generator] = []

    def answer(self, meta: dict[str, Any], tensors: dict[str, Tensor]) -> list[memoryview]:
        """The reply frame to one request; an exception of any kind becomes an `error` reply."""
        self._tensors = tensors
        encoder = values.Encoder()
        if (module := meta["arguments"].pop("begin", None)) is not None:
            self._objects.clear()
            self._module = self._modules[module]
        try:
            reply = getattr(self, "do_" + meta["op"])(encoder, **meta["arguments"])
        except AskError as error:
            reply = {"error": error.fields}
        except BaseException as error:
            reply = {"error": {"kind": "raised", **self._described(error)}}
        if "error" in reply:
            encoder.tensors.clear()
        reply = {"id": meta["id"], **reply}
        try:
            return wire.encode(reply, encoder.tensors)
        except ValueError:  # a lone surrogate or the like in a text of the student's
            return wire.encode({"id": meta["id"], "error": {"kind": "unsendable"}})

    # The submission

    def do_survey(self, encoder: values.Encoder, module: str) -> dict[str, Any]:
        """Say what the text of a module holds, sent as a tensor of bytes. Nothing is run."""
        return {"survey": survey(self._tensors[module].numpy().tobytes(), f"{module}.py")}

    def do_import(
        self, encoder: values.Encoder, module: str, stand_ins: dict[str, float]
    ) -> dict[str, Any]:
        """Import one module of those sent, with the course's stand-ins in place of those named.

        A stand-in is told by its SCALE what to multiply its outputs by. A worker is sent the same texts each
        time; what is sent after the first is not read.
        """
        if not self._sources:
            texts = {name: text.numpy().tobytes() for name, text in self._tensors.items()}
            self._sources = {name: text for name, text in texts.items() if " " not in name}
            for name, text in texts.items():
                if name.startswith(COURSE_FILE):
                    own = name.removeprefix(COURSE_FILE)
                    self._libraries[own] = from_text(own, text, name)
            SubmissionImporter(self._sources).install()
            for name, scale in stand_ins.items():
                made = from_text(name, texts[STAND_IN + name], STAND_IN + name)
                vars(made)["SCALE"] = scale
                sys.modules[name] = made
        if not module:
            return {}
        self._module = self._modules[module] = __import__(module)
        return {"names": sorted(name for name in vars(self._module) if isinstance(name, str))}

    # Objects

    def do_create(
        self, encoder: values.Encoder, name: str, args: Any, kwargs: Any, seed: int, handle: int
    ) -> dict[str, Any]:
        """Make a layer from a class of the submission; answers with its description."""
        factory = self._named(name)
        _seed_everything(seed)
        # Memory that torch.empty has not filled holds NaN then, not what happened to lie there.
        torch.set_deterministic_debug_mode("warn")
        try:
            made = self._called(factory, self._decoded(args), self._decoded_dict(kwargs))
        finally:
            torch.set_deterministic_debug_mode("default")
        if not isinstance(made, nn.Module):
            raise AskError(kind="type", got=values.type_name(made), wanted="a torch.nn.Module")
        self._objects[handle] = made
        return {"layer": self._description(made)}

    def do_library(
        self, encoder: values.Encoder, name: str, args: Any, kwargs: Any, handle: int
    ) -> dict[str, Any]:
        """Make something that is not the student's: "nn.Linear", "optim.SGD", "probes.ModeProbe"."""
        library, _, attribute = name.partition(".")
        factory = getattr(self._libraries[library], attribute)
        args, kwargs = self._decoded(args), self._decoded_dict(kwargs)
        if name.startswith("optim."):
            args = [args[0].parameters(), *args[1:]]
        self._objects[handle] = factory(*args, **kwargs)
        return {}

    def do_keep(self, encoder: values.Encoder, handles: list[int], on_gpu: bool) -> dict[str, Any]:
        """Keep the tensors of this request for later ones, in the order of their names."""
        for handle, name in zip(handles, sorted(self._tensors), strict=True):
            kept = self._tensors[name]
            self._objects[handle] = self._gpu.carried(kept) if on_gpu else kept
        return {}

    def do_threads(self, encoder: values.Encoder, count: int) -> dict[str, Any]:
        """Compute on so many threads from now on."""
        torch.set_num_threads(count)
        return {}

    def do_method(
        self, encoder: values.Encoder, handle: int, name: str, seed: int | None
    ) -> dict[str, Any]:
        """Call a method of a layer without arguments, such as reset_parameters, train or eval."""
        if seed is not None:
            _seed_everything(seed)
        self._called(getattr(self._objects[handle], name), [], {})
        return {}

    def do_freeze(self, encoder: values.Encoder, handle: int, name: str) -> dict[str, Any]:
        """Let one parameter of a layer require no gradient."""
        self._objects[handle].get_parameter(name).requires_grad_(False)
        return {}

    def do_convert(self, encoder: values.Encoder, handle: int, target: str) -> dict[str, Any]:
        """Move a layer to a dtype or a device, as `layer.to` does."""
        layer = self._objects[handle]
        moves = {gpu.NAME: self._gpu.carry, "cpu": self._gpu.fetch}
        if target in moves:
            moves[target](layer)
        else:
            layer.to(values.DTYPES.get(target, target))
        return {"layer": self._description(layer)}

    def do_load(self, encoder: values.Encoder, handle: int) -> dict[str, Any]:
        """Load the tensors of this request through load_state_dict, strictly."""
        self._objects[handle].load_state_dict(self._tensors, strict=True)
        return {}

    def do_overwrite(self, encoder: values.Encoder, handle: int) -> dict[str, Any]:
        """Change parameters in place, as an optimizer or a careful user does."""
        with torch.no_grad():
            for name, value in self._tensors.items():
                self._objects[handle].get_parameter(name).copy_(value)
        return {}

    def do_state(self, encoder: values.Encoder, handle: int) -> dict[str, Any]:
        """The state dict of a layer."""
        for name, value in self._objects[handle].state_dict().items():
            encoder.tree(value, name)
        return {}

    # Questions

    def do_forward(
        self,
        encoder: values.Encoder,
        handle: int,
        method: str,
        input: Any,
        grad: bool,
        watch: bool,
        again: bool,
        refilled: bool,
        on_gpu: bool,
    ) -> dict[str, Any]:
        """The output of a layer, and the input as it is afterwards.

        With `refilled`, the layer has seen the same tensor before, with other values in it. With
        `on_gpu`, layer and input lie on the GPU, and stay there.

        With an `upstream` tensor beside the input, also the gradients of the input and of every
        parameter; with `again`, those of a second backward pass over the same graph, after another
        forward pass.
        """
        layer, x = self._objects[handle], self._decoded(input)
        upstream = self._tensors.get("upstream")
        function = layer if method == "forward" else getattr(layer, method)
        if refilled:
            held = x.clone()
            with torch.no_grad():
                self._called(function, [x.neg_()], {})
                x.copy_(held)
        if on_gpu:
            self._gpu.carry(layer)
            x = self._gpu.carried(x)
        layer.zero_grad(set_to_none=True)
        with recording() if watch else nullcontext() as record, torch.set_grad_enabled(grad):
            with self._gpu.watched() if on_gpu else nullcontext() as journey:
                output = self._called(function, [x], {})
            stayed = self._gpu.holds(output)
            output = self._gpu.brought_back(output) if stayed else output
            if again:  # what another forward pass does in between must not matter
                self._called(function, [x * 2], {})
            self._backward(output, upstream, keep_graph=again)
            if again:
                layer.zero_grad(set_to_none=True)
                x.grad = None
                self._backward(output, upstream)
        reply = {"output": encoder.tree(output, "output")}
        if isinstance(output, Tensor) and output.is_meta:
            return {"meta_shape": list(output.shape)}
        encoder.tree(x, "input")
        if upstream is not None:
            _encode_gradient(encoder, "grad input", x)
            for name, parameter in layer.named_parameters():
                _encode_gradient(encoder, f"grad {name}", parameter)
        if journey:
            reply |= {"stayed": stayed, "copies": journey.copies}
        return reply | ({"record": record.as_meta()} if record else {})

    def do_stream(self, encoder: values.Encoder, handle: int, method: str) -> dict[str, Any]:
        """The output of a layer on the GPU that is asked on another stream, where its input comes late."""
        layer = self._objects[handle]
        self._gpu.carry(layer)
        function = layer if method == "forward" else getattr(layer, method)
        with self._gpu.in_force(), torch.no_grad():
            output = self._gpu.on_side_stream(
                lambda x: self._called(function, [x], {}), self._tensors["input"]
            )
        return {"output": encoder.tree(output, "output")}

    def do_activations(self, encoder: values.Encoder, handle: int, input: Any) -> dict[str, Any]:
        """What enters and leaves the children of a network, as far as they are called as layers.

        As tensors named "in NAME" and "out NAME"; of a child that is called again, the first time.
        """
        network, seen = self._objects[handle], set()

        def note(name: str, value: Any) -> None:
            if isinstance(value, Tensor) and name not in seen:
                seen.add(name)
                encoder.tree(value, name)

        hooks: list[Any] = []
        for name, child in network.named_children():

            def enter(_: Any, args: Any, kwargs: Any, name: str = name) -> None:
                note(f"in {name}", next(iter((*args, *kwargs.values())), None))

            def leave(_: Any, args: Any, output: Any, name: str = name) -> None:
                note(f"out {name}", output)

            hooks.append(child.register_forward_pre_hook(enter, with_kwargs=True))
            hooks.append(child.register_forward_hook(leave))
        with torch.no_grad():
            self._called(network, [self._decoded(input)], {})
        for hook in hooks:
            hook.remove()
        return {}

    def do_call(
        self,
        encoder: values.Encoder,
        name: str,
        args: Any,
        kwargs: Any,
        seed: int,
        grad: bool,
        watch: bool,
        after: bool,
        draw: int,
        on_gpu: bool,
    ) -> dict[str, Any]:
        """The result of a function of the submission, with `on_gpu` where that may use the GPU.

        With an `upstream` tensor, also the gradient of the first argument; with `after`, the
        tensors among the arguments as they are afterwards; with `draw`, so many numbers that the
        global generator yields next.
        """
        function = self._named(name)
        given, named = self._decoded(args), self._decoded_dict(kwargs)
        upstream = self._tensors.get("upstream")
        held = _held(given)
        places = [tensor.data_ptr() for tensor in _flat_tensors(held)]
        _seed_everything(seed)
        with recording() if watch else nullcontext() as record, torch.set_grad_enabled(grad):
            with self._gpu.in_force() if on_gpu else nullcontext():
                result = self._called(function, given, named)
            grad_mode = torch.is_grad_enabled()
            torch.set_grad_enabled(grad)
            self._backward(result, upstream)
        reply: dict[str, Any] = {
            "result": encoder.tree(result, "result"),
            "grad_mode": grad_mode,
        }
        if after:
            reply["after"] = encoder.tree(held, "after")
            reply["traits"] = [
                {
                    "is_result": tensor is result,
                    "is_leaf": tensor.is_leaf,
                    "requires_grad": tensor.requires_grad,
                    "has_grad": tensor.is_leaf and tensor.grad is not None,
                    "moved": tensor.data_ptr() != place,
                }
                for tensor, place in zip(_flat_tensors(held), places, strict=True)
            ]
        if upstream is not None:
            _encode_gradient(encoder, "grad input", given[0])
        if draw:
            encoder.tree(torch.rand(draw, dtype=torch.float32), "draw")
        return reply | ({"record": record.as_meta()} if record else {})

    # Helpers

    def _description(self, layer: nn.Module) -> dict[str, Any]:
        def entry(name: str, tensor: Tensor) -> list[Any]:
            dtype = str(tensor.dtype).removeprefix("torch.")
            device = gpu.NAME if self._gpu.holds(tensor) else tensor.device.type
            return [name, dtype, list(tensor.shape), device, tensor.requires_grad]

        return {
            "parameters": [entry(name, p) for name, p in layer.named_parameters()],
            "state": list(layer.state_dict()),
            "absent": registered_as_none(layer),
            "bases": [f"{base.__module__}.{base.__qualname__}" for base in type(layer).__mro__],
        }

    def _named(self, name: str) -> Any:
        try:
            return getattr(self._module, name)
        except AttributeError:
            names = sorted(n for n in vars(self._module) if isinstance(n, str))
            raise AskError(kind="missing", name=name, names=names) from None

    def _called(self, function: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]) -> Any:
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            where = self._described(error)
            if where["where"] is None:  # raised by the call itself, before a line of it ran
                raise AskError(kind="signature", message=where["message"]) from None
            raise

    def _backward(self, output: Any, upstream: Tensor | None, *, keep_graph: bool = False) -> None:
        if not isinstance(output, Tensor):
            if upstream is not None:
                raise AskError(kind="type", got=values.type_name(output), wanted="a torch.Tensor")
            return
        if upstream is None:
            return
        if not output.requires_grad:
            raise AskError(kind="no_graph")
        if output.shape != upstream.shape or output.dtype != upstream.dtype:
            return  # the grader sees from the output itself what is wrong with it
        # As output.backward(upstream) does, which would first import sympy to compare two shapes.
        (output * upstream).sum().backward(retain_graph=keep_graph)

    def _described(self, error: BaseException) -> dict[str, Any]:
        """Type, message and the deepest line of the submission that the error came through."""
        where = None
        if isinstance(error, SyntaxError) and self._owns(error.filename):
            where = [PurePath(error.filename or "").stem, error.lineno or 1]
        trace = error.__traceback__
        while trace is not None:
            if self._owns(trace.tb_frame.f_code.co_filename):
                where = [PurePath(trace.tb_frame.f_code.co_filename).stem, trace.tb_lineno]
            trace = trace.tb_next
        try:
            message = str(error)
        except BaseException:
            message = ""
        return {"type": type(error).__name__, "message": message[: values.MAX_TEXT], "where": where}

    def _owns(self, filename: object) -> bool:
        return isinstance(filename, str) and filename.removesuffix(".py") in self._sources

    def _decoded(self, tree: Any) -> Any:
        return values.decode_tree(tree, self._tensors, self._special)

    def _decoded_dict(self, tree: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._decoded(node) for name, node in tree.items()}

    def _special(self, node: dict[str, Any]) -> Any:
        match node:
            case {"tensor": name, "layout": layout, "requires_grad": requires_grad}:
                return values.laid_out(self._tensors[name], layout).requires_grad_(requires_grad)
            case {"meta_tensor": shape, "dtype": dtype}:
                return torch.empty(shape, dtype=values.DTYPES[dtype], device="meta")
            case {"handle": handle}:
                return self._objects[handle]
            case {"dtype": name}:
                return values.DTYPES[name]
            case {"generator": seed, "skip": skip}:
                generator = torch.Generator().manual_seed(seed)
                torch.rand(skip, generator=generator, dtype=torch.float32)
                return generator
            case {"once": items}:
                return iter(self._decoded(items))
            case {"batches": [inputs, labels], "size": size, "start": start, "stop": stop}:
                images, targets = self._objects[inputs], self._objects[labels]
                return [
                    (images[i : i + size].float() / 255, targets[i : i + size])
                    for i in range(start * size, min(stop * size, len(targets)), size)
                ]
        raise wire.WireError("a request holds a node of no known form")


OPERATIONS = {
    name.removeprefix("do_"): frozenset(inspect.signature(method).parameters) - {"self", "encoder"}
    for name, method in vars(Desk).items()
    if name.startswith("do_")
}
"""What a worker can be asked, and the names of its arguments."""


def _seed_everything(seed: int) -> None:
    if torch.cuda.is_initialized():
        torch.manual_seed(seed)
    else:  # without CUDA that notes down a stack trace for each kind of device that may yet come, in 1 ms
        torch.default_generator.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % (1 << 32))


def _encode_gradient(encoder: values.Encoder, name: str, tensor: Tensor) -> None:
    if tensor.grad is not None:
        encoder.tree(tensor.grad, name)


def _flat_tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _flat_tensors(item)


def _held(value: Any) -> Any:
    """The same tensors in lists of our own, so that a call cannot put others in their places."""
    return [_held(item) for item in value] if isinstance(value, list | tuple) else value
