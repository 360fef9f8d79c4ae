"""The process student code runs in: takes requests, answers with values.

Everything after the first import is student territory. This loop is a convenience for asking
questions, not an anchor of trust: the grader checks every byte that comes back, and a verdict is
computed there alone.
"""

import builtins
import copy
import os
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from functools import partial
from pathlib import PurePath
from types import ModuleType
from typing import Any, assert_never

import numpy as np
import torch
from torch import Tensor, nn

from . import gpu, lockdown, protocol, values, wire
from .displays import Nothing
from .importer import SubmissionImporter, from_text, survey
from .recorder import recording
from .simulated_gpu import SimulatedGPU
from .startup import Fork, Startup
from .statements import OutOfTime
from .torch_private import Skewed, registered_as_none

MAX_REQUEST = 256 << 20
REQUESTS, REPLIES = 100, 101
"""Descriptors of the two pipes, the same in every worker."""


class AskError(Exception):
    """The answer is that something is wrong with what was asked for; `error` says what."""

    def __init__(self, error: protocol.Error) -> None:
        super().__init__(error)
        self.error = error


def main(
    spec: lockdown.SandboxSpec,
    startup: Startup,
    own: Fork,
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
    found: dict[str, Any] = {}

    def start_gpu() -> None:
        nonlocal started
        before = time.perf_counter()
        try:
            if spec.sealed:
                raise PermissionError("without Landlock no file can be opened, a GPU's neither")
            found.update(gpu.start(own.policy["gpu_memory"]))
        except Exception as error:
            found["error"] = f"{type(error).__name__}: {error}"
        found["seconds"] = time.perf_counter() - before
        started += found["seconds"]

    lockdown.enter(
        spec,
        own.policy,
        own.scratch,
        {REQUESTS, REPLIES},
        parent,
        own.user,
        start_gpu if own.gpu else None,
    )
    denied = lockdown.probe(startup.canary, startup.grader, parent, user)
    taken = time.perf_counter() - started
    # The one message that can be believed: no byte of the submission has arrived yet.
    _write(wire.encode({"facts": spec.facts, "denied": denied, "seconds": taken, "gpu": found}))
    vars(builtins).update(get_ipython=Nothing(), display=Nothing())  # what a notebook has of itself
    sys.modules["__main__"] = ModuleType("__main__")  # instead of ours
    handler = RequestHandler(gpu.RealGPU() if own.gpu else SimulatedGPU(), startup.imports)
    while True:
        try:
            meta, raw = wire.read(_receive, MAX_REQUEST)
        except EOFError:
            return
        _write(handler.answer(meta, {item.name: values.from_raw(item) for item in raw}))


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
LAYERS = {
    layer: f"{layer.__module__}.{layer.__qualname__}"
    for layer in vars(nn).values()
    if isinstance(layer, type)
}
"""Names of torch's layers, taken before a submission can give them others."""
MAX_PASSED_OVER = 100
"""Statements that are noted, and names of each."""
STAND_IN, COURSE_FILE = "stand-in ", "file "
"""How the names of texts begin that are the course's."""


class RequestHandler:
    """Holds the objects made on request, by the numbers they are given, and answers one request at a time.

    Args:
        gpu: what `on_gpu` in a request means.
        imports: what a submission may import beside the usual.
    """

    def __init__(self, gpu: gpu.GPU, imports: Iterable[str] = ()) -> None:
        self._gpu = gpu
        self._imports = imports
        self._passed_over: list[dict[str, Any]] = []
        self._objects: dict[int, Any] = {}
        self._sources: dict[str, bytes] = {}
        self._module: Any = None
        self._modules: dict[str, Any] = {}
        self._libraries = dict(LIBRARIES)
        self._tensors: dict[str, Tensor] = {}
        """Those of the request that is being answered."""
        self._encoder = values.Encoder()
        """That of its reply."""

    def answer(self, meta: dict[str, Any], tensors: dict[str, Tensor]) -> list[memoryview]:
        """Return the frame that replies to a request; what the submission raises becomes an `error` in it.

        A request that is malformed, which is a slip of the grader's, ends this process.
        """
        self._tensors, self._encoder = tensors, values.Encoder()
        asked = protocol.decode_request(meta)
        handler = self._handler(asked)
        if asked.begin:
            self._objects.clear()
            self._module = self._modules[asked.begin]
        reply: protocol.Reply | protocol.Error
        try:
            reply = handler()
        except AskError as error:
            reply = error.error
        except BaseException as error:
            reply = self._described(error)
        if isinstance(reply, protocol.Error):
            self._encoder.tensors.clear()
        number = {"id": meta["id"]}
        try:
            return wire.encode(number | protocol.encode_reply(reply), self._encoder.tensors)
        except ValueError:  # a lone surrogate or the like in a text of the student's
            return wire.encode(number | protocol.encode_reply(protocol.Unsendable()))

    def _handler(self, asked: protocol.Request) -> Callable[[], protocol.Reply]:
        match asked:
            case protocol.Survey():
                return partial(self._survey, asked)
            case protocol.Import():
                return partial(self._import, asked)
            case protocol.Create():
                return partial(self._create, asked)
            case protocol.Copy():
                return partial(self._copy, asked)
            case protocol.Library():
                return partial(self._library, asked)
            case protocol.Keep():
                return partial(self._keep, asked)
            case protocol.Threads():
                return partial(torch.set_num_threads, asked.count)
            case protocol.Method():
                return partial(self._method, asked)
            case protocol.Freeze():
                return partial(self._freeze, asked)
            case protocol.Convert():
                return partial(self._convert, asked)
            case protocol.Load():
                return partial(self._load, asked)
            case protocol.Overwrite():
                return partial(self._overwrite, asked)
            case protocol.State():
                return partial(self._state, asked)
            case protocol.Forward():
                return partial(self._forward, asked)
            case protocol.Stream():
                return partial(self._stream, asked)
            case protocol.Activations():
                return partial(self._activations, asked)
            case protocol.Call():
                return partial(self._call, asked)
        assert_never(asked)

    # The submission

    def _survey(self, asked: protocol.Survey) -> protocol.Surveyed:
        source = self._tensors[asked.module].numpy().tobytes()
        return protocol.Surveyed(survey(source, f"{asked.module}.py"))

    def _import(self, asked: protocol.Import) -> protocol.Imported:
        if not self._sources:
            texts = {name: text.numpy().tobytes() for name, text in self._tensors.items()}
            self._sources = {name: text for name, text in texts.items() if " " not in name}
            for name, text in texts.items():
                if name.startswith(COURSE_FILE):
                    own = name.removeprefix(COURSE_FILE)
                    self._libraries[own] = from_text(own, text, name)
            importer = SubmissionImporter(self._sources, self._failed, asked.seconds, asked.late)
            importer.install(self._imports)
            for name, scale in asked.stand_ins.items():
                made = from_text(name, texts[STAND_IN + name], STAND_IN + name)
                sys.modules[name] = ModuleType(name)  # which does not tell the factor
                vars(sys.modules[name]).update(vars(made) | {"SCALE": 1.0})
                vars(made)["SCALE"] = scale
        if asked.module:
            self._module = self._modules[asked.module] = __import__(asked.module)
        return protocol.Imported(self._passed_over)

    def _failed(self, module: str, line: int, names: list[str], error: BaseException) -> None:
        """Note a statement that was passed over."""
        if len(self._passed_over) < MAX_PASSED_OVER:
            late = isinstance(error, OutOfTime)
            raised = (
                protocol.Raised("TimeoutError", "it takes too long", [module, line])
                if late
                else self._described(error)
            )
            note = protocol.PassedOver(module, line, names[:MAX_PASSED_OVER], late, vars(raised))
            self._passed_over.append(vars(note))

    # Objects

    def _create(self, asked: protocol.Create) -> protocol.Made:
        factory = self._named(asked.name)
        _seed_everything(asked.seed)
        # Memory that torch.empty has not filled holds NaN then, not what happened to lie there.
        torch.set_deterministic_debug_mode("warn")
        default_dtype = torch.get_default_dtype()
        torch.set_default_dtype(values.DTYPES.get(asked.default_dtype, default_dtype))
        try:
            made = self._called(
                factory, self._decoded(asked.args), self._decoded_dict(asked.kwargs)
            )
        finally:
            torch.set_default_dtype(default_dtype)
            torch.set_deterministic_debug_mode("default")
        if not isinstance(made, nn.Module):
            raise AskError(protocol.WrongType(values.type_name(made), "a torch.nn.Module"))
        self._objects[asked.handle] = made
        return self._description(made)

    def _copy(self, asked: protocol.Copy) -> None:
        self._objects[asked.copy] = self._called(copy.deepcopy, [self._objects[asked.handle]], {})

    def _library(self, asked: protocol.Library) -> None:
        library, _, attribute = asked.name.partition(".")
        factory = getattr(self._libraries[library], attribute)
        args, kwargs = self._decoded(asked.args), self._decoded_dict(asked.kwargs)
        if library == "optim":
            parameters = list(args[0].parameters())
            groups = [{"params": [p]} for p in parameters] if asked.groups else parameters
            args = [groups, *args[1:]]
        self._objects[asked.handle] = factory(*args, **kwargs)

    def _keep(self, asked: protocol.Keep) -> None:
        for handle, name in zip(asked.handles, sorted(self._tensors), strict=True):
            kept = self._tensors[name]
            self._objects[handle] = self._gpu.carried(kept) if asked.on_gpu else kept

    def _method(self, asked: protocol.Method) -> None:
        if asked.seed is not None:
            _seed_everything(asked.seed)
        self._called(getattr(self._objects[asked.handle], asked.name), [], {})

    def _freeze(self, asked: protocol.Freeze) -> None:
        self._objects[asked.handle].get_parameter(asked.name).requires_grad_(False)

    def _convert(self, asked: protocol.Convert) -> protocol.Made:
        layer = self._objects[asked.handle]
        moves = {gpu.NAME: self._gpu.carry, "cpu": self._gpu.fetch}
        if asked.target in moves:
            moves[asked.target](layer)
        else:
            layer.to(asked.target)
        return self._description(layer)

    def _load(self, asked: protocol.Load) -> None:
        layer = self._objects[asked.handle]
        if floating := [x.dtype for x in self._tensors.values() if x.is_floating_point()]:
            layer.to(floating[0])
        layer.load_state_dict(self._tensors, strict=True)

    def _overwrite(self, asked: protocol.Overwrite) -> None:
        with torch.no_grad():
            for name, value in self._tensors.items():
                self._objects[asked.handle].get_parameter(name).copy_(value)

    def _state(self, asked: protocol.State) -> None:
        for name, value in self._objects[asked.handle].state_dict().items():
            self._encoder.tree(value, name)

    # Questions

    def _forward(self, asked: protocol.Forward) -> protocol.Output:
        layer, x = self._objects[asked.handle], self._decoded(asked.input)
        upstream = self._tensors.get("upstream")
        function = layer if asked.method == "forward" else getattr(layer, asked.method)
        if asked.refilled:
            held = x.clone()
            with torch.no_grad():
                self._called(function, [x.neg_()], {})
                x.copy_(held)
        if asked.on_gpu:
            self._gpu.carry(layer)
            x = self._gpu.carried(x)
        layer.zero_grad(set_to_none=True)
        with (
            recording() if asked.watch else nullcontext() as trace,
            torch.inference_mode() if asked.inference else torch.set_grad_enabled(asked.grad),
        ):
            with self._gpu.watched() if asked.on_gpu else nullcontext() as transfers:
                output = self._called(function, [x], {})
            stayed = self._gpu.holds(output)
            output = self._gpu.brought_back(output) if stayed else output
            if asked.again:  # what another forward pass does in between must not matter
                self._called(function, [x * 2], {})
            self._backward(output, upstream, keep_graph=asked.again)
            if asked.again:
                layer.zero_grad(set_to_none=True)
                x.grad = None
                self._backward(output, upstream)
        tree = self._encoder.tree(output, "output")
        if isinstance(output, Tensor) and output.is_meta:
            return protocol.Output(meta_shape=list(output.shape))
        self._encoder.tree(x, "input")
        if upstream is not None:
            self._encode_gradient("grad input", x)
            for name, parameter in layer.named_parameters():
                self._encode_gradient(f"grad {name}", parameter)
        return protocol.Output(
            tree,
            stayed=stayed if transfers else None,
            copies=transfers.copies if transfers else None,
            trace=trace.as_meta() if trace else None,
        )

    def _stream(self, asked: protocol.Stream) -> protocol.Output:
        layer = self._objects[asked.handle]
        self._gpu.carry(layer)
        function = layer if asked.method == "forward" else getattr(layer, asked.method)
        with self._gpu.in_force(), torch.no_grad():
            output = self._gpu.on_side_stream(
                lambda x: self._called(function, [x], {}), self._tensors["input"]
            )
        return protocol.Output(self._encoder.tree(output, "output"))

    def _activations(self, asked: protocol.Activations) -> None:
        network, seen = self._objects[asked.handle], set()

        def note(name: str, value: Any) -> None:
            if isinstance(value, Tensor) and name not in seen:
                seen.add(name)
                self._encoder.tree(value, name)

        hooks: list[Any] = []
        for name, child in network.named_children():

            def enter(_: Any, args: Any, kwargs: Any, name: str = name) -> None:
                note(f"in {name}", next(iter((*args, *kwargs.values())), None))

            def leave(_: Any, args: Any, output: Any, name: str = name) -> None:
                note(f"out {name}", output)

            hooks.append(child.register_forward_pre_hook(enter, with_kwargs=True))
            hooks.append(child.register_forward_hook(leave))
        with torch.no_grad():
            self._called(network, [self._decoded(asked.input)], {})
        for hook in hooks:
            hook.remove()

    def _call(self, asked: protocol.Call) -> protocol.Result:
        function = self._named(asked.name)
        given, named = self._decoded(asked.args), self._decoded_dict(asked.kwargs)
        upstream = self._tensors.get("upstream")
        held = _held(given)
        other = copy.deepcopy(given) if asked.again else None
        with torch.no_grad():
            for tensor in _flat_tensors(_held(other or [])):
                tensor.mul_(0.5)
        addresses = [tensor.data_ptr() for tensor in _flat_tensors(held)]
        _seed_everything(asked.seed)
        with (
            recording() if asked.watch else nullcontext() as trace,
            torch.set_grad_enabled(asked.grad),
        ):
            with (
                self._gpu.in_force() if asked.on_gpu else nullcontext(),
                Skewed() if asked.skewed else nullcontext(),  # type: ignore[no-untyped-call]
            ):
                result = self._called(function, given, named)
            grad_mode = torch.is_grad_enabled()
            torch.set_grad_enabled(asked.grad)
            if other is not None:  # what a second call does must not reach back
                self._called(function, other, named)
            self._backward(result, upstream)
        tree, after, traits = self._encoder.tree(result, "result"), None, None
        if asked.after:
            after = self._encoder.tree(held, "after")
            traits = [
                {
                    "is_result": tensor is result,
                    "is_leaf": tensor.is_leaf,
                    "requires_grad": tensor.requires_grad,
                    "has_grad": tensor.is_leaf and tensor.grad is not None,
                    "moved": tensor.data_ptr() != address,
                }
                for tensor, address in zip(_flat_tensors(held), addresses, strict=True)
            ]
        if upstream is not None:
            self._encode_gradient("grad input", given[0])
        if asked.draws:
            self._encoder.tree(torch.rand(asked.draws, dtype=torch.float32), "draws")
        seen = trace.as_meta() if trace else None
        return protocol.Result(tree, grad_mode, after, traits, seen)

    # Helpers

    def _encode_gradient(self, name: str, tensor: Tensor) -> None:
        if tensor.grad is not None:
            self._encoder.tree(tensor.grad, name)

    def _description(self, layer: nn.Module) -> protocol.Made:
        def entry(name: str, tensor: Tensor) -> list[Any]:
            dtype = str(tensor.dtype).removeprefix("torch.")
            device = gpu.NAME if self._gpu.holds(tensor) else tensor.device.type
            return [name, dtype, list(tensor.shape), device, tensor.requires_grad]

        found = protocol.Layer(
            parameters=[entry(name, p) for name, p in layer.named_parameters()],
            state=list(layer.state_dict()),
            absent=registered_as_none(layer),
            bases=[
                LAYERS.get(base) or f"{base.__module__}.{base.__qualname__}"
                for base in type.__dict__["__mro__"].__get__(type(layer))
            ],
        )
        return protocol.Made(vars(found))

    def _named(self, name: str) -> Any:
        try:
            return getattr(self._module, name)
        except AttributeError:
            names = sorted(n for n in vars(self._module) if isinstance(n, str))
            raise AskError(protocol.Missing(name, names)) from None

    def _called(self, function: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]) -> Any:
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            described = self._described(error)
            if described.where is None:  # raised by the call itself, before a line of it ran
                raise AskError(protocol.Signature(described.message)) from None
            raise

    def _backward(self, output: Any, upstream: Tensor | None, *, keep_graph: bool = False) -> None:
        if not isinstance(output, Tensor):
            if upstream is not None:
                raise AskError(protocol.WrongType(values.type_name(output), "a torch.Tensor"))
            return
        if upstream is None:
            return
        if not output.requires_grad:
            raise AskError(protocol.NoGraph())
        if output.shape != upstream.shape:
            return  # the grader sees from the output itself what is wrong with it
        # As output.backward(upstream) does, which would first import sympy to compare two shapes.
        (output * upstream).sum().backward(retain_graph=keep_graph)

    def _described(self, error: BaseException) -> protocol.Raised:
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
        return protocol.Raised(type(error).__name__, message[: values.MAX_TEXT], where)

    def _owns(self, filename: object) -> bool:
        return isinstance(filename, str) and filename.removesuffix(".py") in self._sources

    def _decoded(self, tree: Any) -> Any:
        return values.decode_tree(tree, self._tensors, self._special)

    def _decoded_dict(self, tree: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._decoded(node) for name, node in tree.items()}

    def _special(self, node: dict[str, Any]) -> Any:
        match node:
            case {"tensor": name, "layout": layout, "requires_grad": requires_grad, **rest}:
                tensor = values.laid_out(self._tensors[name], layout).requires_grad_(requires_grad)
                tensor.grad = torch.ones_like(tensor) if rest.get("grad") else None
                return tensor
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


def _seed_everything(seed: int) -> None:
    if torch.cuda.is_initialized():
        torch.manual_seed(seed)
    else:  # without CUDA that notes down a stack trace for each kind of device that may yet come, in 1 ms
        torch.default_generator.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % (1 << 32))


def _flat_tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _flat_tensors(item)


def _held(value: Any) -> Any:
    """The same tensors in lists of our own, so that a call cannot put others among them."""
    return [_held(item) for item in value] if isinstance(value, list | tuple) else value
