"""The `student` fixture: the submission's functions and layers, as if they were here.

    layer = student.Dense(20, 30)       # a handle to a layer that lives in a worker
    layer.load(oracle)                  # weights go in through load_state_dict
    layer(x)                            # values come back

A name in CamelCase makes a layer, a name in snake_case calls a function. Whatever goes wrong on the
other side becomes a CheckFailed whose text a student can act on.
"""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import msgspec
import torch
from torch import Tensor, nn

from autograder.broker import Question
from autograder.errors import GraderFault
from autograder.report import Cause, Figure, Measured, SourceLocation
from autograder.sandbox import protocol, values
from autograder.suite import replies, slips
from autograder.suite.failures import NO_RETURN, CheckFailed, why
from autograder.suite.parity import describe
from autograder.suite.replies import Answer, Description
from autograder.suite.session import Session
from tower_student.language import plural, tr
from tower_student.text import word, words

MAX_HELD_BACK = 64 << 10
"""Bytes of tensors that are held back with a pending request."""
MAX_WATCHED = 256
"""Elements of a question's tensors, for it to be recorded by chance."""
WATCHED = 1 / 24
"""Of such questions, the share that is recorded."""
MAX_PENDING = 32
"""Requests; their replies fit into a pipe."""


class Generator(NamedTuple):
    """Stands for torch.Generator().manual_seed(seed), after `skip` draws, among the arguments."""

    seed: int
    skip: int = 0


class Meta(NamedTuple):
    """Stands for an empty tensor on the meta device."""

    shape: tuple[int, ...]
    dtype: torch.dtype = torch.float32


@dataclass(frozen=True)
class Input:
    """A tensor among the arguments, with its memory layout and whether it requires a gradient.

    With `has_grad`, one is left in its .grad from before. `layout` is contiguous, transposed, strided, offset
    or channels_last. Raises GraderFault for another.
    """

    tensor: Tensor
    layout: str = "contiguous"
    requires_grad: bool = False
    has_grad: bool = False

    def __post_init__(self) -> None:
        if self.layout not in values.LAYOUTS:
            raise GraderFault(
                tr(
                    "A hidden test asks for the memory layout {layout!r}, which does not exist.",
                    layout=self.layout,
                )
            )

    def laid_out(self) -> Tensor:
        """Return the tensor as the worker gets it: the same values, in this layout."""
        return values.laid_out(self.tensor, self.layout)


@dataclass(frozen=True)
class Batches:
    """Stands for a list of batches (inputs / 255, labels), cut from two tensors that the worker keeps.

    `inputs` and `labels` are handles, see Student.keep; `size` counts samples, `start` and `stop` batches.
    """

    inputs: int
    labels: int
    size: int
    start: int
    stop: int


@dataclass(frozen=True)
class Once:
    """Stands for an iterator over the items: it has no length, and can be gone through once."""

    items: Sequence[object]


ReportedT = TypeVar("ReportedT")


class Student:
    """The submission, as a hidden test sees it. Everything it makes lives in one worker.

    Attributes:
        remark: what the report says beside a check that passes.
        measured: the number that the check judges by, where it is one that is reported.
        figures: what is worth a look, and decides nothing, by title.
        chance: decides which of the small questions are recorded although nobody looks at the record.
    """

    def __init__(
        self,
        session: Session,
        over: Callable[[Mapping[str, float]], Session],
        origin: "Student | None" = None,
    ) -> None:
        self.session = session
        self._origin = origin or self
        self._others: list[Student] = []
        """Those over stand-ins."""
        self._asked = _Asked(f"import {session.module}")
        self.remark = ""
        self.measured: Measured | None = None
        self.figures: dict[str, Figure] = {}
        self._pending: list[_Pending] = []
        self._over = over
        self.chance: random.Random | None = None

    def over_bricks(self, **scales: float) -> "Student":
        """Return the same module over stand-ins, whose outputs are multiplied by factors, by module.

        A submission that uses what it imports follows the factors. Raises CheckFailed, and CourseError where
        a `stand_in` of course.toml does not import.
        """
        self._origin._asked = _Asked(f"import {self.session.module}")
        other = Student(self._over(scales), self._over, self._origin)
        self._others.append(other)
        return other

    @property
    def asked(self) -> str:
        """What was asked last, in words, here or over stand-ins; it opens the message of a failed check."""
        return self._origin._asked.words

    @asked.setter
    def asked(self, words: str) -> None:
        self._origin._asked = self._origin._asked._replace(words=words)

    def _say(self, words: str, called: str) -> None:
        self._origin._asked = _Asked(words, called)

    def measure(self, name: str, value: float) -> None:
        """Report the number that the check judges by, a share in [0, 1], under a name.

        Raises GraderFault if it is none.
        """
        self._origin.measured = _reportable(Measured(name, value), Measured)

    def show(self, figure: Figure) -> None:
        """Put a figure into the report, in the place of an earlier one with its title.

        Raises GraderFault if it holds what no report can.
        """
        self._origin.figures[figure.title] = _reportable(figure, Figure)

    def settle(self) -> None:
        """Wait until the worker has done everything it was asked. Raises CheckFailed where that failed."""
        if self._pending:
            self._sent([])()
        for other in self._others:
            other.settle()

    def watches(self, *args: object) -> bool:
        """Whether to record, by chance, what nobody will look at: a recorder tells nothing then.

        Only where little is computed, since recording takes its time for each operator.
        """
        tensors = [x.tensor if isinstance(x, Input) else x for x in args]
        sizes = [x.numel() for x in tensors if isinstance(x, Tensor)]
        small = 0 < sum(sizes) <= MAX_WATCHED and not any(isinstance(x, Meta) for x in args)
        chance = self._origin.chance
        return small and chance is not None and chance.random() < WATCHED

    def use_threads(self, count: int) -> None:
        """Let the worker compute on this many threads."""
        self.ask(protocol.Threads(count))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name[0].isupper():
            return lambda *args, seed=0, **kwargs: self.create(name, args, kwargs, seed)
        return lambda *args, **kwargs: self.call(name, *args, **kwargs).value

    def create(
        self,
        name: str,
        args: Sequence[object],
        kwargs: Mapping[str, object],
        seed: int = 0,
        default_dtype: torch.dtype | None = None,
    ) -> "Layer":
        """Make a layer of the submission's class `name` under a global seed, and another default dtype.

        `student.NAME(…, seed=0)` is the same. The worker makes it by the time something is asked of it:
        CheckFailed, for a missing class or an exception, may be raised only then.
        """
        kwargs = _unforgiven(kwargs)
        written = _written(name, args, kwargs)
        self._say(
            tr("{call} with {dtype} as the default dtype", call=written, dtype=default_dtype)
            if default_dtype
            else written,
            name,
        )
        encoder, handle = _RequestEncoder(), self.session.handle()
        layer = Layer(self, written, handle)
        request = protocol.Create(
            name,
            encoder.tree(list(args)),
            {key: encoder.tree(value) for key, value in kwargs.items()},
            seed,
            handle,
            values.DTYPE_NAMES[default_dtype] if default_dtype else "",
        )
        self.defer(request, encoder, layer.describe)
        return layer

    def call(self, name: str, *args: object, **asked: Any) -> Answer:
        """Call a function of the submission; `student.name(…)` returns the value alone. Raises CheckFailed.

        It takes what `calling` takes.
        """
        return self.calling(name, *args, **asked)()

    def calling(
        self,
        name: str,
        *args: object,
        grad: bool = True,
        watch: bool = False,
        again: bool = False,
        after: bool = False,
        upstream: Tensor | None = None,
        seed: int = 0,
        draws: int = 0,
        on_gpu: bool = False,
        skewed: bool = False,
        asked: str = "",
        **kwargs: object,
    ) -> Callable[[], Answer]:
        """Ask as call does; return what waits for the answer. The oracle can compute in the meantime.

        Nothing else may be asked before that is called.

        Args:
            grad: whether autograd is on.
            watch: record which operators run.
            again: call it once more, with halved copies of the arguments, before the result is read.
            after: send the arguments back as they are afterwards.
            upstream: ask for the gradient of the first argument under this upstream gradient.
            seed: of the global generators.
            draws: how many numbers to take from the global generator afterwards.
            on_gpu: let it use the GPU, where the layers and kept tensors among its arguments may lie.
            skewed: let autograd compute other derivatives than the right ones.
            asked: the call in words, where NAME(ARGUMENTS) would not do.
        """
        kwargs = _unforgiven(kwargs)
        self._say(asked or _written(name, args, kwargs), name)
        encoder = _RequestEncoder()
        request = protocol.Call(
            name,
            encoder.tree(list(args), "argument"),
            {key: encoder.tree(value, key) for key, value in kwargs.items()},
            seed=seed,
            grad=grad,
            watch=watch or (not on_gpu and self.watches(*args)),
            again=again,
            after=after,
            draws=draws,
            on_gpu=on_gpu,
            skewed=skewed,
        )
        if upstream is not None:
            encoder.tensors.append(values.to_raw("upstream", upstream))
        last = self._asking(request, encoder)

        def answer() -> Answer:
            reply, tensors = last()
            result = replies.read(protocol.Result, reply)
            if grad and not result.grad_mode:
                raise CheckFailed(
                    tr("After the call autograd is switched off, for everything that follows."),
                    cause=why(
                        "gradient.left_off",
                        "torch.set_grad_enabled(False) stays in force after the function has returned; `with "
                        "torch.no_grad():` ends with its block.",
                    ),
                )
            if result.grad_mode and not grad:
                raise CheckFailed(
                    tr("After a call within torch.no_grad(), autograd is switched on again."),
                    cause=why(
                        "gradient.left_on",
                        "torch.set_grad_enabled(True) stays in force after the function has returned; a "
                        "`with` block puts back what was before.",
                    ),
                )
            left = replies.value(result.after, tensors)
            if after and not _mirrors(left, list(args)):
                raise CheckFailed(tr(replies.UNREADABLE))
            return Answer(
                value=replies.value(result.result, tensors),
                after=left,
                gradients=replies.gradients(tensors),
                traits=replies.traits(result, _count_tensors(list(args))) if after else (),
                seen=replies.seen(result.trace) if watch else None,
                draws=tensors.get("draws"),
            )

        return answer

    def library(
        self, name: str, *args: object, param_groups: bool = False, **kwargs: object
    ) -> "Layer":
        """Make something of torch's or the course's in the worker: "nn.Linear", "optim.SGD", "FILE.CLASS".

        FILE is one of worker.files in course.toml. An optimizer takes the layer whose parameters it moves,
        with `param_groups` each in a group of its own. Raises GraderFault where there is no such thing.
        """
        if not self.session.has(name):
            raise GraderFault(tr("A hidden test asks for {name}, which does not exist.", name=name))
        encoder, handle = _RequestEncoder(), self.session.handle()
        given = {key: encoder.tree(value) for key, value in kwargs.items()}
        request = protocol.Library(name, encoder.tree(list(args)), given, handle, param_groups)
        self.defer(request, encoder)
        # What only the suite has a name for is a model to the student.
        shown = name if name.startswith(("nn.", "optim.")) else tr("a model of the grader's")
        return Layer(self, shown, handle)

    def keep(self, *tensors: Tensor, on_gpu: bool = False) -> list[int]:
        """Send tensors that stay in the worker, or on its GPU; return their handles, in order."""
        encoder = _RequestEncoder()
        encoder.tensors += [values.to_raw(f"{i:04}", tensor) for i, tensor in enumerate(tensors)]
        handles = [self.session.handle() for _ in tensors]
        self.ask(protocol.Keep(handles, on_gpu), encoder)
        return handles

    def definition(self) -> SourceLocation | None:
        """Return where the submission defines what was asked last, or None."""
        called = self._origin._asked.called
        return self.session.definition(called) if called else None

    @property
    def where(self) -> str:
        """Where what is asked "on the GPU" is done, in words."""
        return tr("on the GPU") if self.session.gpu else tr("on a simulated GPU")

    @property
    def foreign(self) -> list[str]:
        """What no work by hand needs, and the text names where what was called last leads."""
        return self.session.foreign(self._origin._asked.called)

    def ask(
        self, request: protocol.Request, encoder: values.Encoder | None = None
    ) -> replies.Reply:
        """Send what is deferred, and a request with the encoder's tensors; return its reply.

        Raises CheckFailed where the worker is lost, or says what is wrong.
        """
        return self._asking(request, encoder)()

    def _asking(
        self, request: protocol.Request, encoder: values.Encoder | None
    ) -> Callable[[], replies.Reply]:
        return self._sent([Question(request, encoder.tensors if encoder else [])])

    def defer(
        self,
        request: protocol.Request,
        encoder: values.Encoder | None = None,
        then: Callable[[dict[str, Any]], None] = lambda reply: None,
    ) -> None:
        """Send a request with the next one that needs a reply; `then` is given its own.

        Most requests need none, and waking a process costs more than most of them. Raises CheckFailed where
        one that waited has failed.
        """
        tensors = encoder.tensors if encoder else []
        small = sum(len(tensor.data) for tensor in tensors) <= MAX_HELD_BACK
        # The memory that they show may be written to meanwhile.
        held = [t._replace(data=bytes(t.data)) for t in tensors] if small else tensors
        self._pending.append(_Pending(Question(request, held), self._origin._asked, then))
        if not small or len(self._pending) == MAX_PENDING:
            self.settle()

    def _sent(self, asked: Sequence[Question]) -> Callable[[], replies.Reply]:
        """Send what is pending and what is asked, at most one question; return what waits for the last reply.

        Nothing else may be asked before that is called.
        """
        pending, self._pending = self._pending, []
        now = self._origin._asked
        answers = self.session.ask_all([*(one.question for one in pending), *asked])

        def last() -> replies.Reply:
            reply: replies.Reply = {}, {}
            failure: CheckFailed | None = None
            for one in [*pending, *asked]:
                self._origin._asked = one.asked if isinstance(one, _Pending) else now
                reply = next(answers)
                if failure is None:
                    try:
                        self.session.demand(reply[0])
                        if isinstance(one, _Pending):
                            one.then(reply[0])
                    except CheckFailed as raised:
                        failure, of = raised, self._origin._asked
            if failure is not None:
                self._origin._asked = of
                raise failure
            return reply

        return last


class _Asked(NamedTuple):
    """What was asked, in words, and the class or function of the submission that was called; "" for none."""

    words: str
    called: str = ""


class _Pending(NamedTuple):
    """A request that needs no reply by itself, how it is called, and who is given its reply."""

    question: Question
    asked: _Asked
    then: Callable[[dict[str, Any]], None]


class Layer:
    """A handle to a module that lives in the worker."""

    def __init__(self, student: Student, written: str, handle: int) -> None:
        self._student = student
        self._written = written
        self._class = written.partition("(")[0]
        self.handle = handle
        self._evaluates = False
        self._made: Description | None = None
        self._names: set[str] | None = None

    def _say(self, words: str) -> None:
        self._student._say(words, self._class)

    def describe(self, reply: dict[str, Any]) -> None:
        """Take what the worker says that the layer is made of. Raises CheckFailed."""
        self._made = replies.description(reply)
        self._names = self._names or set(self._made.state)

    @property
    def made(self) -> Description:
        """What the layer is made of, as it was created."""
        if self._made is None:
            self._student.settle()
        assert self._made is not None
        return self._made

    def default_dtype(self) -> torch.dtype:
        """Return the dtype that a layer of torch's has in this worker where none is asked for."""
        beside = self._student.library("nn.Linear", 1, 1)
        return next(iter(beside.state().values())).dtype

    def copy(self) -> "Layer":
        """Return a handle to a deep copy of the layer. CheckFailed is raised when it is asked something."""
        self._say(f"copy.deepcopy({self._written})")
        copied = Layer(self._student, self._written, self._student.session.handle())
        copied._made, copied._names = self._made, self._names
        self._student.defer(protocol.Copy(self.handle, copied.handle))
        return copied

    def load(self, state: nn.Module | Mapping[str, Tensor]) -> None:
        """Load a state dict, strictly, after moving the layer to the state's dtype."""
        tensors = state.state_dict() if isinstance(state, nn.Module) else state
        self._say(f"{self._written}.load_state_dict({', '.join(tensors)})")
        self._send(protocol.Load(self.handle), tensors)
        self._names = set(tensors)

    def settle(self) -> None:
        """Wait until everything is done that was asked of it. Raises CheckFailed where that failed."""
        self._student.settle()

    def overwrite(self, parameters: Mapping[str, Tensor]) -> None:
        """Change parameters in place, one by one."""
        self._send(protocol.Overwrite(self.handle), parameters)

    def _send(self, request: protocol.Request, tensors: Mapping[str, Tensor]) -> None:
        encoder = _RequestEncoder()
        encoder.tensors += [values.to_raw(name, tensor) for name, tensor in tensors.items()]
        self._student.defer(request, encoder)

    def to(self, device: str) -> Description:
        """Move the layer to "cpu", "cuda" or "meta"; return what it is made of there.

        Raises CheckFailed, and GraderFault for another device.
        """
        if device not in ("cpu", "cuda", "meta"):
            raise GraderFault(
                tr(
                    "A hidden test asks for the device {device!r}, which does not exist.",
                    device=device,
                )
            )
        found: list[Description] = []
        self._say(f"{self._written}.to({device})")
        self._student.defer(
            protocol.Convert(self.handle, device),
            then=lambda reply: found.append(replies.description(reply)),
        )
        self._student.settle()
        return found[0]

    def do(self, method: str, seed: int | None = 0) -> None:
        """Call a method without arguments: reset_parameters, train, eval; None leaves the seeds alone."""
        self._say(f"{self._written}.{method}()")
        if method in ("train", "eval"):
            self._evaluates = method == "eval"
        self._student.defer(protocol.Method(self.handle, method, seed))

    def freeze(self, parameter: str) -> None:
        """Let one parameter require no gradient."""
        self._student.defer(protocol.Freeze(self.handle, parameter))

    def state(self) -> dict[str, Tensor]:
        """Return the state dict. Raises CheckFailed if its names are no longer those it had."""
        _, returned = self._student.ask(protocol.State(self.handle))
        tensors = {word(name): tensor for name, tensor in returned.items()}
        if self._names is not None and tensors.keys() != self._names:
            raise CheckFailed(
                tr(
                    "The state dict now holds {now}; it held {before}.",
                    now=words(tensors),
                    before=words(self._names),
                ),
                cause=why(
                    "layer.state_dict_changes",
                    "Something is registered, renamed or removed while the code runs.",
                ),
            )
        return tensors

    def computes_in(self, dtype: torch.dtype) -> bool:
        """Return whether the GPU computes in this dtype; the report remarks where it does not."""
        name, known = values.DTYPE_NAMES[dtype], self._student.session.gpu_dtypes
        if not known or name in known:
            return True
        self._student.remark = tr(
            "{dtype} was left out: this GPU does not compute in it.", dtype=name
        )
        return False

    def __call__(self, x: Tensor | Input, method: str = "forward") -> Tensor:
        """Return the output, without gradients. Raises CheckFailed unless it is a tensor."""
        output = self.run(x, method=method, grad=False).value
        if not isinstance(output, Tensor):
            cause = NO_RETURN if output is None else None
            raise CheckFailed(
                tr("the output is {got}; expected a tensor.", got=describe(output)), cause=cause
            )
        return output

    def run(self, x: Tensor | Input | Meta, upstream: Tensor | None = None, **asked: Any) -> Answer:
        """Run a forward pass and, with an upstream gradient, the backward pass. Raises CheckFailed.

        It takes what `running` takes.
        """
        return self.running(x, upstream, **asked)()

    def running(
        self,
        x: Tensor | Input | Meta,
        upstream: Tensor | None = None,
        *,
        method: str = "forward",
        grad: bool = True,
        inference: bool = False,
        watch: bool = False,
        again: bool = False,
        refilled: bool = False,
        on_gpu: bool = False,
    ) -> Callable[[], Answer]:
        """Ask as run does; return what waits for the answer. The oracle can compute in the meantime.

        Nothing else may be asked before that is called.

        Args:
            upstream: of the output's shape; asks for the gradients of the input and of every parameter.
            method: the one that computes the output.
            grad: whether autograd is on.
            inference: use inference mode where it is off.
            watch: record which operators run, forward and backward.
            again: run another forward pass before the output is read, and return the gradients of a second
                backward pass over the same graph.
            refilled: let the input tensor have held other values in an earlier forward pass.
            on_gpu: put the input on the GPU, and the layer, which stays there.
        """
        name = self._written if method == "forward" else f"{self._written}.{method}"
        self._say(_of_input(name, x, self._student.where if on_gpu else ""))
        if upstream is not None and not isinstance(x, Meta):
            x = (
                Input(x, requires_grad=True)
                if isinstance(x, Tensor)
                else Input(x.tensor, x.layout, True)
            )
        encoder = _RequestEncoder()
        request = protocol.Forward(
            self.handle,
            encoder.tree(x, "x"),
            method=method,
            grad=grad,
            inference=inference,
            watch=watch or (not on_gpu and self._student.watches(x)),
            again=again,
            refilled=refilled,
            on_gpu=on_gpu,
        )
        if upstream is not None:
            encoder.tensors.append(values.to_raw("upstream", upstream))
        last = self._student._asking(request, encoder)

        def answer() -> Answer:
            try:
                reply, tensors = last()
            except CheckFailed as failure:
                cut = failure.cause and failure.cause.id == "gradient.no_graph"
                if not (self._evaluates and cut):
                    raise
                raise failure.because(
                    lambda: self._only_when_evaluating(lambda: self.run(x, upstream, method=method))
                ) from None
            output = replies.read(protocol.Output, reply)
            if output.meta_shape is not None and isinstance(x, Meta):
                return Answer(None, meta_shape=replies.shape(output.meta_shape))
            return Answer(
                value=replies.value(output.output, tensors),
                after=tensors.get("input"),
                gradients=replies.gradients(tensors),
                seen=replies.seen(output.trace) if watch else None,
                transfers=replies.transfers(output) if on_gpu else None,
            )

        return answer

    def _only_when_evaluating(self, run: Callable[[], object]) -> Cause | None:
        """The cause of a pass without a graph that has one in training mode."""
        self.do("train")
        try:
            run()
        except CheckFailed:
            return None
        return why(
            "gradient.no_graph_in_evaluation",
            "This is so in evaluation mode alone: eval() changes what a dropout does, not whether gradients "
            "are tracked.",
        )

    def on_other_stream(self, x: Tensor, method: str = "forward") -> object:
        """Return the output on the GPU on a stream of its own, where the input comes late."""
        self._say(
            tr(
                "{layer} on an input of shape {shape} {where}, on another stream than the default one",
                layer=self._written,
                shape=tuple(x.shape),
                where=self._student.where,
            )
        )
        encoder = _RequestEncoder()
        encoder.tensors.append(values.to_raw("input", x))
        reply, tensors = self._student.ask(protocol.Stream(self.handle, method), encoder)
        return replies.value(replies.read(protocol.Output, reply).output, tensors)

    def activations(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return what enters and what leaves each child that is called as a layer, by its name."""
        self._say(_of_input(self._written, x, ""))
        encoder = _RequestEncoder()
        request = protocol.Activations(self.handle, encoder.tree(x, "x"))
        _, tensors = self._student.ask(request, encoder)
        return replies.prefixed(tensors, "in "), replies.prefixed(tensors, "out ")


def _reportable(found: ReportedT, declared: Any) -> ReportedT:
    """The same, which fits the report's schema. Raises GraderFault."""
    try:
        msgspec.convert(
            json.loads(json.dumps(msgspec.to_builtins(found), allow_nan=False)), declared
        )
    except (TypeError, ValueError) as error:
        raise GraderFault(
            tr("A hidden test reports what no report can hold: {error}.", error=error)
        ) from None
    return found


class _RequestEncoder(values.Encoder):
    """Knows what stands for objects of the worker."""

    def special(self, value: object) -> dict[str, Any] | None:
        """Return the node that the worker makes such an object of."""
        match value:
            case Layer():
                return {"handle": value.handle}
            case Generator(seed, skip):
                return {"generator": seed, "skip": skip}
            case Meta(size, dtype):
                return {"meta_tensor": list(size), "dtype": values.DTYPE_NAMES[dtype]}
            case Input(tensor, layout, requires_grad, has_grad):
                name = f"laid out {len(self.tensors)}"
                self.tensors.append(values.to_raw(name, tensor))
                traits = {"requires_grad": requires_grad, "grad": has_grad}
                return {"tensor": name, "layout": layout, **traits}
            case Batches(inputs, labels, size, start, stop):
                return {"batches": [inputs, labels], "size": size, "start": start, "stop": stop}
            case Once(items):
                return {"once": self.tree(list(items), f"once {len(self.tensors)}")}
            case torch.dtype():
                return {"dtype": values.DTYPE_NAMES[value]}
        return None

    def opaque(self, what: str) -> dict[str, Any]:
        """Raise GraderFault: a worker would take it for a value of the submission's."""
        raise GraderFault(
            tr("A hidden test sends a worker a value that cannot cross: {type}.", type=what)
        )


def _unforgiven(kwargs: Mapping[str, object]) -> dict[str, object]:
    """The arguments without those whose lack is forgiven."""
    return {n: value for n, value in kwargs.items() if not slips.is_forgiven(slips.keyword(n))}


def _written(name: str, args: Sequence[object], kwargs: Mapping[str, object]) -> str:
    """A call as a student would write it, with tensors by their shapes."""
    parts = [_written_value(value) for value in args]
    parts += [f"{key}={_written_value(value)}" for key, value in kwargs.items()]
    return f"{name}({', '.join(parts)})"


def _written_value(value: object) -> str:
    match value:
        case Tensor():
            return f"tensor{tuple(value.shape)}"
        case Input():
            return _written_value(value.tensor)
        case Layer():
            return value._class
        case Generator():
            return "torch.Generator()"
        case list() | tuple() if any(
            isinstance(item, Tensor | Input | tuple | list) for item in value
        ):
            return plural("[{count} item]", "[{count} items]", len(value))
        case Batches() | Once():
            return "batches"
        case float():
            return f"{value:.6g}"
    return str(value)


def _of_input(name: str, x: Tensor | Input | Meta, where: str) -> str:
    """What is asked of a layer or its method by that name, in words."""
    tensor = x.tensor if isinstance(x, Input) else x
    asked = tr(
        "{layer} on a {dtype} input of shape {shape}",
        layer=name,
        dtype=str(tensor.dtype).removeprefix("torch."),
        shape=tuple(tensor.shape),
    )
    match x:
        case Meta():
            how = tr("on the meta device")
        case Input(layout="transposed"):
            how = tr("in a transposed memory layout")
        case Input(layout="strided"):
            how = tr("in a strided memory layout")
        case Input(layout="offset"):
            how = tr("in an offset memory layout")
        case Input(layout="channels_last"):
            how = tr("in a channels_last memory layout")
        case _:
            how = ""
    return " ".join(filter(None, (asked, how, where)))


def _mirrors(left: object, given: object) -> bool:
    """Whether what is left of the arguments has a tensor wherever one was given."""
    match given:
        case Tensor() | Input():
            return isinstance(left, Tensor)
        case list() | tuple():
            return (
                isinstance(left, list | tuple)
                and len(left) == len(given)
                and all(map(_mirrors, left, given))
            )
    return True


def _count_tensors(given: object) -> int:
    match given:
        case Tensor() | Input():
            return 1
        case Generator() | Meta():
            return 0
        case list() | tuple():
            return sum(map(_count_tensors, given))
    return 0
