"""The `student` fixture: the submission's functions and layers, as if they were here.

    layer = student.Dense(20, 30)       # a handle to a layer that lives in a worker
    layer.load(oracle)                  # weights go in through load_state_dict
    layer(x)                            # values come back

A name in CamelCase makes a layer, a name in snake_case calls a function. Whatever goes wrong on the
other side becomes a CheckFailed whose text a student can act on.
"""

import ast
import difflib
import itertools
import json
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import msgspec
import torch
from torch import Tensor, nn

from autograder.broker import Broker, Question, Worker, WorkerLost
from autograder.course import FILE as COURSE
from autograder.course import Course
from autograder.errors import CourseError, GraderFault
from autograder.report import Figure, Measured, Place
from autograder.sandbox import protocol, values, wire
from autograder.sandbox.importer import defined
from autograder.sandbox.worker import COURSE_FILE, LIBRARIES, STAND_IN
from autograder.suite.failures import CheckFailed, Killed, TooSlow
from tower_student.raised import likely_cause
from tower_student.submission import Submission
from tower_student.text import one_line, quote, word, words

MAX_HELD_BACK = 64 << 10
"""Bytes of tensors that wait until something is asked."""
MAX_TOLD = 32
"""Things that wait; their replies fit into a pipe."""
MAX_READ = 1000
"""Characters of an exception's message that are looked at."""
_OF_THE_MACHINE = re.compile(r"^(ImportError|ModuleNotFoundError|MemoryError|OSError)\b|allocat")
"""Exceptions that a right line may raise where a library or memory is missing."""
UNREADABLE = "What came back cannot be read as an answer."
MAX_NAMES = 5000
"""Of a module, that are searched for one that resembles the name that is missing."""


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

    `layout` is contiguous, transposed, strided, offset or channels_last. Raises GraderFault for another.
    """

    tensor: Tensor
    layout: str = "contiguous"
    requires_grad: bool = False

    def __post_init__(self) -> None:
        if self.layout not in values.LAYOUTS:
            raise GraderFault(
                f"A hidden test asks for the memory layout {self.layout!r}, which does not exist."
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


class Parameter(NamedTuple):
    """A registered parameter, as the worker describes it."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    device: str
    requires_grad: bool


@dataclass(frozen=True)
class Description:
    """What a layer is made of: parameters in order, state dict keys, names registered as None."""

    parameters: tuple[Parameter, ...]
    state: tuple[str, ...]
    absent: tuple[str, ...]
    bases: tuple[str, ...]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of each parameter by its name, in order."""
        return {parameter.name: parameter.shape for parameter in self.parameters}


@dataclass(frozen=True)
class Seen:
    """What the recorder saw: dispatcher operators, torch's own Python functions, and if it was intact.

    Names are like "addmm", "linear_backward" or "autograd::engine", and "torch.nn.init.normal_".
    """

    operators: frozenset[str]
    functions: frozenset[str]
    intact: bool


class Journey(NamedTuple):
    """Whether an output stayed on the GPU, and how often a tensor was carried to or from it."""

    stayed: bool
    copies: int


@dataclass(frozen=True)
class Answer:
    """What came back from a forward pass or a call.

    Attributes:
        value: the output or the result.
        after: the input, or the list of arguments, as they are afterwards, where asked for.
        gradients: by name; "input" is the gradient of the first argument.
        traits: beside `after`, for each tensor argument: is_result, is_leaf, requires_grad,
            has_grad, moved (it lies elsewhere in memory than before).
        seen: what the recorder saw, with watch=True.
        draw: what the global generator yielded next, as many numbers as asked for.
        meta_shape: the shape of an output on the meta device, which has no values.
        journey: between the GPU and the CPU, of an output that was computed on one.
    """

    value: Any
    after: Any = None
    gradients: Mapping[str, Tensor] = field(default_factory=dict)
    traits: Sequence[Mapping[str, bool]] = ()
    seen: Seen | None = None
    draw: Tensor | None = None
    meta_shape: tuple[int, ...] | None = None
    journey: Journey | None = None


RecordT = TypeVar("RecordT")
ReportedT = TypeVar("ReportedT")
Reply = tuple[dict[str, Any], dict[str, Tensor]]
"""What comes back: fields, and tensors by name."""


class Surveyor:
    """Asks what the texts of a submission say, of a worker in which nothing of it is ever run.

    What it says can be believed therefore, whatever has run elsewhere. Each module is asked for once.
    """

    def __init__(self, broker: Broker, submission: Submission) -> None:
        self._broker, self._submission = broker, submission
        self._worker: Worker | None = None
        self._known: dict[str, dict[str, Any] | CheckFailed] = {}
        self._sound: set[str] = set()
        """The stand-ins that are known to import."""

    def of(self, module: str) -> dict[str, Any]:
        """See sandbox.importer.survey. Raises CheckFailed where Python does not survive the text."""
        if module not in self._known:
            try:
                self._known[module] = self._asked(module)
            except CheckFailed as failure:
                self.close()
                self._known[module] = failure
        found = self._known[module]
        if isinstance(found, CheckFailed):
            raise found
        return found

    def _asked(self, module: str) -> dict[str, Any]:
        self._worker = self._worker or self._broker.worker()
        deadline = time.monotonic() + self._broker.policy.import_seconds
        text = _text(module, self._submission.sources[module])
        try:
            reply, _ = self._worker.ask(protocol.Survey(module), [text], deadline)
        except WorkerLost as lost:
            raise _lost(lost) from None
        return _read(protocol.Surveyed, reply).survey

    def demand_stand_ins(self, course: Course, names: Sequence[str]) -> None:
        """Raise CourseError where a stand-in of the course does not import: no fault of the submission's."""
        if self._sound.issuperset(names):
            return
        self._worker = self._worker or self._broker.worker()
        deadline = time.monotonic() + self._broker.policy.import_seconds
        asked = protocol.Import("", dict.fromkeys(names, 1.0))
        try:
            reply, _ = self._worker.ask(asked, course_texts(course, names), deadline)
        except WorkerLost as lost:
            reply = {"error": {"type": "The worker", "message": str(lost)}}
        self.close()
        if "error" in reply:
            error = reply["error"]
            raise CourseError(
                f"{course.root / COURSE} names {', '.join(course.named)}; what is for workers of these does "
                f"not import: {error.get('type')}: {one_line(str(error.get('message')))}"
            )
        self._sound.update(names)

    def close(self) -> None:
        """End the worker."""
        if self._worker:
            self._worker.close()
            self._worker = None


class Bench:
    """One worker with one module of the submission imported. Raises CheckFailed where that fails.

    `stand_ins` names the modules in whose place those of the course stand, and what these multiply their
    outputs by. `surveyor` is that of the submission. With `gpu` the worker has a real GPU; without, what is
    asked of it "on the GPU" is done on a simulated one. `worker` is one where other modules of the submission
    are imported already, over the same bricks.
    """

    def __init__(
        self,
        course: Course,
        broker: Broker,
        submission: Submission,
        module: str,
        stand_ins: Mapping[str, float],
        surveyor: Surveyor,
        *,
        gpu: bool = False,
        worker: Worker | None = None,
    ) -> None:
        self.module = module
        self.stand_ins = dict(stand_ins)
        self.gpu = gpu
        self.worker: Worker = worker or broker.worker(gpu=gpu)
        self.gpu_dtypes: Collection[str] = broker.gpu.get("dtypes", ()) if gpu else ()
        """Those that the GPU computes in, by name; none where all do."""
        self._begins = False
        self._handles = itertools.count()
        self.tampers: list[str] = []
        self._submission = submission
        self._course = course
        self.deadline = time.monotonic() + broker.policy.import_seconds
        try:
            self._import(submission, surveyor.of(module))
        except BaseException:
            self.worker.close()
            raise

    def _import(self, submission: Submission, survey: dict[str, Any]) -> None:
        match survey.get("syntax_error"):
            case {"line": int() as line, "message": str() as message}:
                raise CheckFailed(
                    f"{self.module}.py, line {line}: syntax error: {one_line(message)}.\n"
                    f"{quote(submission.line(self.module, line))}".rstrip(),
                    cause="Python cannot read the file at all, so nothing in it can be graded.",
                    place=_place(submission.place(self.module, line)),
                )
        self.tampers = [str(name) for name in survey.get("tampers", [])]
        texts = [_text(name, source) for name, source in submission.sources.items()]
        texts += course_texts(self._course, self.stand_ins)
        self.ask(protocol.Import(self.module, self.stand_ins), texts)

    def begin(self, seconds: float) -> None:
        """Let a check begin, which has so many seconds: this module is asked, and no object is left over."""
        self.deadline = time.monotonic() + seconds
        self._begins = True

    def handle(self) -> int:
        """A number for one more object."""
        return next(self._handles)

    def ask(self, request: protocol.Request, raw: Sequence[wire.RawTensor]) -> None:
        """One question. Raises CheckFailed where the worker is lost or says what is wrong."""
        ((reply, _),) = self.ask_all([Question(request, raw)])
        self.demand(reply)

    def ask_all(self, questions: Sequence[Question]) -> Iterator[Reply]:
        """Questions that are sent at once, see Worker.ask_all. Raises CheckFailed for a lost worker."""
        if self._begins:
            self._begins = False
            questions = [Question(protocol.Begin(self.module)), *questions]
        answers = self.worker.ask_all(questions, self.deadline)
        for question in questions:
            try:
                reply, returned = next(answers)
                tensors = {item.name: values.from_raw(item) for item in returned}
            except WorkerLost as lost:
                raise _lost(lost) from None
            except wire.WireError as error:
                raise CheckFailed(f"The reply was not valid.\n{quote(str(error))}") from None
            if isinstance(question.request, protocol.Begin):
                self.demand(reply)
            else:
                yield reply, tensors

    def demand(self, reply: dict[str, Any]) -> None:
        """Raise CheckFailed where a reply says what is wrong."""
        if "error" in reply:
            raise self._failure(_error(reply["error"]))

    def _failure(self, error: protocol.Error) -> CheckFailed:
        """The error that the worker describes, in words. Every field of it is data."""
        match error:
            case protocol.Missing(name, names):
                name = word(name)
                listed = [word(n) for n in names[:MAX_NAMES]]
                found = difflib.get_close_matches(name, listed, 1)
                near = f" The nearest name in it is {found[0]}." if found else ""
                return CheckFailed(
                    f"{self.module}.py defines no {name}.{near}",
                    cause=f"Rename it: the grader calls exactly {name}." if found else "",
                )
            case protocol.Signature(message):
                return CheckFailed(
                    f"The call itself failed.\n{quote(f'TypeError: {message}')}",
                    cause="The signature is not the one in the skeleton.",
                )
            case protocol.WrongType(got, "a torch.nn.Module" | "a torch.Tensor" as wanted):
                return CheckFailed(f"What came back is a {word(got)}; expected {wanted}.")
            case protocol.NoGraph():
                return CheckFailed(
                    "The output does not require a gradient: autograd has no way back through it.",
                    cause="The output was computed under no_grad, from .data or .detach(), through numpy, "
                    "or by what has no derivative, as argmax and round.",
                )
            case protocol.Raised(kind, message, where):
                return self._raised(kind, message, where)
        return CheckFailed(UNREADABLE)

    def _raised(self, kind: str, message: str, where: object) -> CheckFailed:
        place, within, line_text = None, "", ""
        match where:
            case [str() as module, int() as line] if module in self._submission.sources:
                if line_text := self._submission.line(module, line):
                    place = _place(self._submission.place(module, line))
                    within = f" in {module}.py, line {line}"
        if kind == "NotImplementedError" and "NotImplementedError" in line_text:
            found = f"It is not written yet{within}.\n{quote(message)}".rstrip()
            return CheckFailed(found, place=place)
        quoted = [quote(text) for text in (line_text, f"{kind}: {message}") if text]
        return CheckFailed(
            "\n".join([f"{word(kind)} was raised{within}.", *quoted]),
            reading=likely_cause(kind, message, line_text, self._course.exceptions),
            place=place,
            unproven=place is None or bool(_OF_THE_MACHINE.search(f"{kind}: {message[:MAX_READ]}")),
        )

    def has(self, name: str) -> bool:
        """Whether there is such a thing of torch's or the course's: "nn.Linear", "optim.SGD"."""
        library, _, attribute = name.partition(".")
        if library in LIBRARIES:
            return hasattr(LIBRARIES[library], attribute)
        return attribute in defined(ast.parse(self._course.files.get(library, b"")))

    def definition(self, name: str) -> Place | None:
        """Where the module's text defines a class or a function, if it does at its top."""
        return _place(self._submission.definition(self.module, name))

    def close(self) -> None:
        """End the worker."""
        self.worker.close()


class Student:
    """The submission, as a hidden test sees it. Everything it makes lives in one worker.

    Attributes:
        asked: the last thing asked, in words; it opens the message of a check that fails.
        remark: what the report says beside a check that passes.
        measured: the number that the check judges by, where it is one that is reported.
        figures: what is worth a look, and decides nothing, by title.
    """

    def __init__(self, bench: Bench, over: Callable[[Mapping[str, float]], Bench]) -> None:
        self.bench = bench
        self.asked = f"import {bench.module}"
        self.remark = ""
        self.measured: Measured | None = None
        self.figures: dict[str, Figure] = {}
        self._told: list[_Told] = []
        self._over = over

    def over_bricks(self, **scales: float) -> "Student":
        """Return the same module over stand-ins, whose outputs are multiplied by factors, by module.

        A submission that uses what it imports follows the factors. Raises CheckFailed, and CourseError where
        a `stand_in` of course.toml does not import.
        """
        return Student(self._over(scales), self._over)

    def measure(self, name: str, value: float) -> None:
        """Report the number that the check judges by, a share in [0, 1], under a name.

        Raises GraderFault if it is none.
        """
        self.measured = _reportable(Measured(name, value), Measured)

    def show(self, figure: Figure) -> None:
        """Put a figure into the report, in the place of an earlier one with its title.

        Raises GraderFault if it holds what no report can.
        """
        self.figures[figure.title] = _reportable(figure, Figure)

    def settle(self) -> None:
        """Wait until the worker has done everything it was asked. Raises CheckFailed where that failed."""
        if self._told:
            self._exchange([])

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
        self, name: str, args: Sequence[object], kwargs: Mapping[str, object], seed: int = 0
    ) -> "Layer":
        """Make a layer of the submission's class `name` under the given global seed.

        `student.NAME(…, seed=0)` is the same. The worker makes it by the time something is asked of it:
        CheckFailed, for a missing class or an exception, may be raised only then.
        """
        written = _written(name, args, kwargs)
        self.asked = written
        encoder, handle = _RequestEncoder(), self.bench.handle()
        layer = Layer(self, written, handle)
        asked = protocol.Create(
            name,
            encoder.tree(list(args)),
            {key: encoder.tree(value) for key, value in kwargs.items()},
            seed,
            handle,
        )
        self.defer(asked, encoder, layer.describe)
        return layer

    def call(
        self,
        name: str,
        *args: object,
        grad: bool = True,
        watch: bool = False,
        after: bool = False,
        upstream: Tensor | None = None,
        seed: int = 0,
        draw: int = 0,
        on_gpu: bool = False,
        asked: str = "",
        **kwargs: object,
    ) -> Answer:
        """Call a function of the submission; `student.name(…)` returns the value alone. Raises CheckFailed.

        Args:
            grad: whether autograd is on.
            watch: record which operators run.
            after: send the arguments back as they are afterwards.
            upstream: ask for the gradient of the first argument under this upstream gradient.
            seed: of the global generators.
            draw: how many numbers to take from the global generator afterwards.
            on_gpu: let it use the GPU, where the layers and kept tensors among its arguments may lie.
            asked: the call in words, where NAME(ARGUMENTS) would not do.
        """
        self.asked = asked or _written(name, args, kwargs)
        encoder = _RequestEncoder()
        request = protocol.Call(
            name,
            encoder.tree(list(args), "argument"),
            {key: encoder.tree(value, key) for key, value in kwargs.items()},
            seed=seed,
            grad=grad,
            watch=watch,
            after=after,
            draw=draw,
            on_gpu=on_gpu,
        )
        if upstream is not None:
            encoder.tensors.append(values.to_raw("upstream", upstream))
        reply, tensors = self.ask(request, encoder)
        result = _read(protocol.Result, reply)
        if grad and not result.grad_mode:
            raise CheckFailed(
                "After the call autograd is switched off, for everything that follows.",
                cause="torch.set_grad_enabled(False) stays in force after the function has returned; `with "
                "torch.no_grad():` ends with its block.",
            )
        left = _value(result.after, tensors)
        if after and not _mirrors(left, list(args)):
            raise CheckFailed(UNREADABLE)
        return Answer(
            value=_value(result.result, tensors),
            after=left,
            gradients=_gradients(tensors),
            traits=_traits(result, _count_tensors(list(args))) if after else (),
            seen=_seen(result.record) if watch else None,
            draw=tensors.get("draw"),
        )

    def library(self, name: str, *args: object, **kwargs: object) -> "Layer":
        """Make something of torch's or the course's in the worker: "nn.Linear", "optim.SGD", "FILE.CLASS".

        FILE is one of worker.files in course.toml. Raises GraderFault where there is no such thing.
        """
        if not self.bench.has(name):
            raise GraderFault(f"A hidden test asks for {name}, which does not exist.")
        encoder, handle = _RequestEncoder(), self.bench.handle()
        given = {key: encoder.tree(value) for key, value in kwargs.items()}
        self.defer(protocol.Library(name, encoder.tree(list(args)), given, handle), encoder)
        return Layer(self, name, handle)

    def keep(self, *tensors: Tensor, on_gpu: bool = False) -> list[int]:
        """Send tensors that stay in the worker, or on its GPU; return their handles, in order."""
        encoder = _RequestEncoder()
        encoder.tensors += [values.to_raw(f"{i:04}", tensor) for i, tensor in enumerate(tensors)]
        handles = [self.bench.handle() for _ in tensors]
        self.ask(protocol.Keep(handles, on_gpu), encoder)
        return handles

    def definition(self) -> Place | None:
        """Return where the submission defines what was asked last, or None."""
        called = re.match(r"\w+", self.asked)
        return self.bench.definition(called.group()) if called else None

    @property
    def where(self) -> str:
        """Where what is asked "on the GPU" is done, in words."""
        return " on the GPU" if self.bench.gpu else " on a simulated GPU"

    @property
    def tampers(self) -> list[str]:
        """Names in the module's text that only serve to blind the recorder."""
        return self.bench.tampers

    def ask(self, request: protocol.Request, encoder: values.Encoder | None = None) -> Reply:
        """Send what is deferred, and a request with the encoder's tensors; return its reply.

        Raises CheckFailed where the worker is lost, or says what is wrong.
        """
        return self._exchange([Question(request, encoder.tensors if encoder else [])])

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
        self._told.append(_Told(Question(request, held), self.asked, then))
        if not small or len(self._told) == MAX_TOLD:
            self.settle()

    def _exchange(self, asked: Sequence[Question]) -> Reply:
        """Send what was told and what is asked, at most one question; returns the last reply."""
        told, self._told = self._told, []
        now = self.asked
        reply: Reply = {}, {}
        replies = self.bench.ask_all([*(one.question for one in told), *asked])
        failure: CheckFailed | None = None
        for one in [*told, *asked]:
            self.asked = one.asked if isinstance(one, _Told) else now
            reply = next(replies)
            if failure is None:
                try:
                    self.bench.demand(reply[0])
                    if isinstance(one, _Told):
                        one.then(reply[0])
                except CheckFailed as raised:
                    failure, of = raised, self.asked
        if failure is not None:
            self.asked = of
            raise failure
        return reply


class _Told(NamedTuple):
    """What a worker is to do, how that is called, and who is told of it."""

    question: Question
    asked: str
    then: Callable[[dict[str, Any]], None]


class Layer:
    """A handle to a module that lives in the worker."""

    def __init__(self, student: Student, written: str, handle: int) -> None:
        self._student = student
        self._written = written
        self.handle = handle
        self._made: Description | None = None
        self._names: set[str] | None = None

    def describe(self, reply: dict[str, Any]) -> None:
        """Take what the worker says that the layer is made of. Raises CheckFailed."""
        self._made = _description(reply)
        self._names = self._names or set(self._made.state)

    @property
    def made(self) -> Description:
        """What the layer is made of, as it was created."""
        if self._made is None:
            self._student.settle()
        assert self._made is not None
        return self._made

    def load(self, state: nn.Module | Mapping[str, Tensor]) -> None:
        """Load a state dict, strictly, after moving the layer to the state's dtype."""
        tensors = state.state_dict() if isinstance(state, nn.Module) else state
        floating = [tensor.dtype for tensor in tensors.values() if tensor.is_floating_point()]
        if floating:
            self._convert(values.DTYPE_NAMES[floating[0]])
        self._student.asked = f"{self._written}.load_state_dict({', '.join(tensors)})"
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
        """Move the layer to a device; return what it is made of there."""
        found: list[Description] = []
        self._convert(device, lambda reply: found.append(_description(reply)))
        self._student.settle()
        return found[0]

    def _convert(
        self, target: str, then: Callable[[dict[str, Any]], None] = lambda reply: None
    ) -> None:
        """Move the layer to a dtype or a device, by its name."""
        self._student.asked = f"{self._written}.to({target})"
        self._student.defer(protocol.Convert(self.handle, target), then=then)

    def do(self, method: str, seed: int | None = 0) -> None:
        """Call a method without arguments: reset_parameters, train, eval; None leaves the seeds alone."""
        self._student.asked = f"{self._written}.{method}()"
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
                f"The state dict now holds {words(tensors)}; it held {words(self._names)}.",
                cause="Something is registered, renamed or removed while the code runs.",
            )
        return tensors

    def computes_in(self, dtype: torch.dtype) -> bool:
        """Return whether the GPU computes in this dtype; the report remarks where it does not."""
        name, known = values.DTYPE_NAMES[dtype], self._student.bench.gpu_dtypes
        if not known or name in known:
            return True
        self._student.remark = f"{name} was left out: this GPU does not compute in it."
        return False

    def __call__(self, x: Tensor | Input, method: str = "forward") -> Tensor:
        """Return the output, without gradients. Raises CheckFailed unless it is a tensor."""
        output = self.run(x, method=method, grad=False).value
        if not isinstance(output, Tensor):
            cause = "A return is missing." if output is None else ""
            raise CheckFailed("What came back is not a tensor.", cause=cause)
        return output

    def run(
        self,
        x: Tensor | Input | Meta,
        upstream: Tensor | None = None,
        *,
        method: str = "forward",
        grad: bool = True,
        watch: bool = False,
        again: bool = False,
        refilled: bool = False,
        on_gpu: bool = False,
    ) -> Answer:
        """Run a forward pass and, with an upstream gradient, the backward pass. Raises CheckFailed.

        Args:
            upstream: of the output's shape; asks for the gradients of the input and of every parameter.
            method: the one that computes the output.
            grad: whether autograd is on.
            watch: record which operators run, forward and backward.
            again: return the gradients of a second backward pass over the same graph.
            refilled: let the input tensor have held other values in an earlier forward pass.
            on_gpu: put the input on the GPU, and the layer, which stays there.
        """
        match x:
            case Meta():
                size, dtype, layout = x.shape, x.dtype, " on the meta device"
            case Input():
                size, dtype = tuple(x.tensor.shape), x.tensor.dtype
                layout = "" if x.layout == "contiguous" else f" in a {x.layout} memory layout"
            case _:
                size, dtype, layout = tuple(x.shape), x.dtype, ""
        layout += self._student.where if on_gpu else ""
        name = f"{self._written}" if method == "forward" else f"{self._written}.{method}"
        self._student.asked = (
            f"{name} on a {str(dtype).removeprefix('torch.')} input of shape {size}{layout}"
        )
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
            watch=watch,
            again=again,
            refilled=refilled,
            on_gpu=on_gpu,
        )
        if upstream is not None:
            encoder.tensors.append(values.to_raw("upstream", upstream))
        reply, tensors = self._student.ask(request, encoder)
        output = _read(protocol.Output, reply)
        if output.meta_shape is not None:
            return Answer(None, meta_shape=_shape(output.meta_shape))
        return Answer(
            value=_value(output.output, tensors),
            after=tensors.get("input"),
            gradients=_gradients(tensors),
            seen=_seen(output.record) if watch else None,
            journey=_journey(output) if on_gpu else None,
        )

    def on_other_stream(self, x: Tensor, method: str = "forward") -> object:
        """Return the output on the GPU on a stream of its own, where the input comes late."""
        self._student.asked = (
            f"{self._written} on an input of shape {tuple(x.shape)}{self._student.where}, on another stream "
            "than the default one"
        )
        encoder = _RequestEncoder()
        encoder.tensors.append(values.to_raw("input", x))
        reply, tensors = self._student.ask(protocol.Stream(self.handle, method), encoder)
        return _value(_read(protocol.Output, reply).output, tensors)

    def activations(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return what enters and what leaves each child that is called as a layer, by its name."""
        encoder = _RequestEncoder()
        request = protocol.Activations(self.handle, encoder.tree(x, "x"))
        _, tensors = self._student.ask(request, encoder)
        return _prefixed(tensors, "in "), _prefixed(tensors, "out ")


def _reportable(found: ReportedT, kind: Any) -> ReportedT:
    """The same, which fits the report's schema. Raises GraderFault."""
    try:
        msgspec.convert(json.loads(json.dumps(msgspec.to_builtins(found), allow_nan=False)), kind)
    except (TypeError, ValueError) as error:
        raise GraderFault(f"A hidden test reports what no report can hold: {error}.") from None
    return found


def _place(found: tuple[str, int] | None) -> Place | None:
    return Place(*found) if found else None


def course_texts(course: Course, stand_ins: Iterable[str]) -> list[wire.RawTensor]:
    """The course's own files for a worker, those among them that stand in for modules."""
    texts = [_text(COURSE_FILE + name, text) for name, text in course.files.items()]
    return texts + [_text(STAND_IN + name, course.modules[name].stand_in) for name in stand_ins]


def _text(module: str, source: bytes) -> wire.RawTensor:
    """The text of a module, as it is sent."""
    return wire.RawTensor(module, "uint8", (len(source or b"\n"),), source or b"\n")


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
            case Input(tensor, layout, requires_grad):
                name = f"laid out {len(self.tensors)}"
                self.tensors.append(values.to_raw(name, tensor))
                return {"tensor": name, "layout": layout, "requires_grad": requires_grad}
            case Batches(inputs, labels, size, start, stop):
                return {"batches": [inputs, labels], "size": size, "start": start, "stop": stop}
            case Once(items):
                return {"once": self.tree(list(items), f"once {len(self.tensors)}")}
            case torch.dtype():
                return {"dtype": values.DTYPE_NAMES[value]}
        return None


def _written(name: str, args: Sequence[object], kwargs: Mapping[str, object]) -> str:
    """A call as a student would write it, with tensors by their shapes."""
    parts = [_written_value(value) for value in args]
    parts += [f"{key}={_written_value(value)}" for key, value in kwargs.items()]
    return f"{name}({', '.join(parts)})"


def _written_value(value: object) -> str:
    match value:
        case Tensor():
            return f"tensor{tuple(value.shape)}" if value.dim() else "tensor"
        case Input():
            return _written_value(value.tensor)
        case Layer():
            return value._written.partition("(")[0]
        case Generator():
            return "torch.Generator()"
        case list() | tuple() if any(
            isinstance(item, Tensor | Input | tuple | list) for item in value
        ):
            return f"[{len(value)} items]"
        case Batches() | Once():
            return "batches"
        case float():
            return f"{value:.6g}"
    return str(value)


def _lost(lost: WorkerLost) -> CheckFailed:
    match lost.reason:
        case "deadline":
            return TooSlow(
                "It did not finish in time: an endless loop, a very slow one, or waiting for input.",
                unproven=True,
            )
        case "died":
            return CheckFailed(
                "The process ended before it answered: os._exit, a crash, or too little memory.",
                unproven=True,
            )
        case "killed":
            return Killed("The process was killed from outside.", unproven=True)
    return CheckFailed(f"It was stopped because {lost}.")


def _read(kind: type[RecordT], reply: Mapping[str, Any]) -> RecordT:
    """The record that a reply holds. Raises CheckFailed where it holds none."""
    try:
        return protocol.read(kind, reply)
    except TypeError:
        raise CheckFailed(UNREADABLE) from None


def _error(described: object) -> protocol.Error:
    """What a reply says is wrong. Raises CheckFailed where it says nothing of a known kind."""
    if isinstance(described, dict) and str(described.get("kind")) in protocol.ERRORS:
        return _read(protocol.ERRORS[str(described["kind"])], described)
    raise CheckFailed(UNREADABLE)


def _value(tree: protocol.Tree, tensors: Mapping[str, Tensor]) -> Any:
    try:
        return values.decode_tree(tree, tensors)
    except wire.WireError as error:
        raise CheckFailed(f"What came back cannot be read as an answer: {error}.") from None


def _gradients(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return _prefixed(tensors, "grad ")


def _prefixed(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Those whose names begin so, by the rest of their names."""
    return {
        word(name.removeprefix(prefix)): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }


def _traits(result: protocol.Result, count: int) -> list[dict[str, bool]]:
    if result.traits is None or len(result.traits) != count:
        raise CheckFailed(UNREADABLE)
    return result.traits


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


def _seen(record: dict[str, Any] | None) -> Seen:
    found = _read(protocol.Record, record or {})
    return Seen(frozenset(found.operators), frozenset(found.functions), found.intact)


def _journey(output: protocol.Output) -> Journey:
    if output.stayed is None or output.copies is None:
        raise CheckFailed(UNREADABLE)
    return Journey(output.stayed, output.copies)


def _description(reply: Mapping[str, Any]) -> Description:
    layer = _read(protocol.Layer, _read(protocol.Made, reply).layer)
    return Description(
        tuple(_parameter(entry) for entry in layer.parameters),
        tuple(map(word, layer.state)),
        tuple(map(word, layer.absent)),
        tuple(layer.bases),
    )


def _parameter(entry: object) -> Parameter:
    match entry:
        case [str() as name, str() as dtype, size, str() as device, bool() as grad]:
            return Parameter(word(name), word(dtype), _shape(size), word(device), grad)
    raise CheckFailed(UNREADABLE)


def _shape(sizes: object) -> tuple[int, ...]:
    """Sizes that a tensor may have; a number without end would be a text without end."""
    match sizes:
        case list() if len(sizes) <= wire.MAX_DIMENSIONS and all(
            type(size) is int and 0 <= size < values.MAX_INT for size in sizes
        ):
            return tuple(sizes)
    raise CheckFailed(UNREADABLE)
