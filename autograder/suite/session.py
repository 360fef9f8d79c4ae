"""One worker with a module of the submission imported: requests go out, what is wrong comes back in words."""

import ast
import difflib
import functools
import itertools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from autograder.broker import Broker, Question, Reply, Worker, WorkerLost, in_words
from autograder.course import Course
from autograder.report import Cause, SourceLocation
from autograder.sandbox import protocol, values, wire
from autograder.sandbox.importer import defined
from autograder.sandbox.worker import LIBRARIES
from autograder.suite import passed_over, replies, slips
from autograder.suite.failures import CheckFailed, NotMade, NotWritten, why
from autograder.suite.surveyor import Surveyor, course_texts, text_of
from tower_student.exception_hints import likely_cause
from tower_student.language import tr
from tower_student.submission import Submission
from tower_student.text import one_line, quoted, word

STATEMENTS = 4
"""How many statements of a module may take the longest time in all: see Policy.import_seconds."""
MAX_READ = 1000
"""Characters of an exception's message that are looked at."""
_OF_THE_MACHINE = re.compile(r"^(ImportError|ModuleNotFoundError|MemoryError|OSError)\b|allocat")
"""Exceptions that a right line may raise where a library or memory is missing."""
_UNKNOWN_KEYWORD = re.compile(r"got an unexpected keyword argument '(\w{1,100})'")
MAX_NAMES = 5000
"""Of a module, that are searched for one that resembles the name that is missing."""


class Session:
    """One worker with one module of the submission imported. Raises CheckFailed where that fails.

    `stand_ins` names the modules in whose place those of the course stand, and what these multiply their
    outputs by. `surveyor` is that of the submission. With `gpu` the worker has a real GPU; without, what is
    asked of it "on the GPU" is done on a simulated one. `worker` is one where other modules of the submission
    are imported already, over the same bricks. `late` names the lines of statements that are known to take
    too long, by module.

    Attributes:
        passed_over: the statements that failed, of all modules that are imported in the worker.
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
        late: Mapping[str, list[int]] = MappingProxyType({}),
    ) -> None:
        self.module = module
        self.passed_over: tuple[protocol.PassedOver, ...] = ()
        self.stand_ins = dict(stand_ins)
        self.gpu = gpu
        self.worker: Worker = worker or broker.worker(gpu=gpu)
        self.gpu_dtypes: Collection[str] = broker.gpu.get("dtypes", ()) if gpu else ()
        """Those that the GPU computes in, by name; none where all do."""
        self._begins = False
        self._handles = itertools.count()
        self._names: dict[str, Any] = {}
        self._submission = submission
        self._course = course
        self.allow(broker.policy.import_seconds)
        try:
            self._import(submission, surveyor.of(module), late)
        except BaseException:
            self.worker.close()
            raise

    def _import(
        self, submission: Submission, survey: dict[str, Any], late: Mapping[str, list[int]]
    ) -> None:
        match survey.get("syntax_error"):
            case {"line": int() as line, "message": str() as message}:
                text = submission.line(self.module, line)
                hint = likely_cause("SyntaxError", message, text, self._course.exceptions)
                raise CheckFailed(
                    tr(
                        "{place}: syntax error: {message}.",
                        place=submission.place(self.module, line),
                        message=one_line(message),
                    ),
                    quoted=quoted(text),
                    cause=Cause(*hint) if hint else None,
                    location=_location(submission.location(self.module, line)),
                )
        self._names = survey.get("names", {})
        texts = [text_of(name, source) for name, source in submission.sources.items()]
        texts += course_texts(self._course, self.stand_ins)
        seconds = self._course.policy.import_seconds / STATEMENTS
        asked = protocol.Import(self.module, self.stand_ins, seconds, dict(late))
        ((reply, _),) = self.ask_all([Question(asked, texts)])
        self.demand(reply)
        self.passed_over = passed_over.read(reply, submission)

    def begin(self, seconds: float) -> None:
        """Let a check begin, which has so many seconds: this module is asked, and no object is left over."""
        self.allow(seconds)
        self._begins = True

    def allow(self, seconds: float) -> None:
        """Let what is asked from now on take so many seconds of the worker's own time, see Worker.allow."""
        self.worker.allow(seconds)

    @property
    def used(self) -> float:
        """The seconds that the worker has used so far."""
        return sum(self.worker.used)

    def handle(self) -> int:
        """A number for one more object."""
        return next(self._handles)

    def ask_all(self, questions: Sequence[Question]) -> Iterator[replies.Reply]:
        """Send questions at once; return their answers, see Worker.ask_all.

        Raises CheckFailed for a lost worker, here or where an answer is taken.
        """
        if self._begins:
            self._begins = False
            (request, tensors), *rest = questions
            questions = [Question(replace(request, begin=self.module), tensors), *rest]
        try:
            answers = self.worker.ask_all(questions)
        except WorkerLost as lost:
            raise replies.lost_worker(lost) from None
        return self._read(answers)

    def _read(self, answers: Iterator[Reply]) -> Iterator[replies.Reply]:
        try:
            for reply, returned in answers:
                yield reply, {item.name: values.from_raw(item) for item in returned}
        except WorkerLost as lost:
            raise replies.lost_worker(lost) from None
        except wire.WireError as error:
            raise CheckFailed(
                tr("The reply was not valid."), quoted=quoted(in_words(error))
            ) from None

    def demand(self, reply: dict[str, Any]) -> None:
        """Raise CheckFailed where a reply says what is wrong."""
        if "error" in reply:
            raise self._failure(replies.error(reply["error"]))

    def _failure(self, error: protocol.Error) -> CheckFailed:
        """The error that the worker describes, in words. Every field of it is data."""
        match error:
            case protocol.Missing(name, names):
                if one := passed_over.making(name, self.module, self.passed_over):
                    return self._not_made(name, one)
                name = word(name)
                listed = [word(n) for n in names[:MAX_NAMES]]
                found = difflib.get_close_matches(name, listed, 1)
                if not found:
                    return CheckFailed(
                        tr("{module}.py defines no {name}.", module=self.module, name=name)
                    )
                return CheckFailed(
                    tr(
                        "{module}.py defines no {name}. The nearest name in it is {near}.",
                        module=self.module,
                        name=name,
                        near=found[0],
                    ),
                    cause=why(
                        "name.near", "Rename it: the grader calls exactly {name}.", name=name
                    ),
                )
            case protocol.Signature(message):
                unknown = _UNKNOWN_KEYWORD.search(message[:MAX_READ])
                return CheckFailed(
                    tr("The call itself failed."),
                    quoted=quoted(f"TypeError: {message}"),
                    slip=slips.keyword(unknown[1]) if unknown else "",
                    cause=why("raised.signature", "The signature is not the one in the skeleton."),
                )
            case protocol.WrongType(got, "a torch.nn.Module" | "a torch.Tensor" as wanted):
                return CheckFailed(
                    tr(
                        "What came back is a {got}; expected a {expected}.",
                        got=word(got),
                        expected=wanted.removeprefix("a "),
                    )
                )
            case protocol.NoGraph():
                return CheckFailed(
                    tr(
                        "The output does not require a gradient: autograd has no way back through it."
                    ),
                    cause=why(
                        "gradient.no_graph",
                        "The output was computed under no_grad, from .data or .detach(), through numpy, "
                        "or by what has no derivative, as argmax and round, or it is a new tensor.",
                    ),
                )
            case protocol.Raised(name, message, where):
                return self._lacking(name, message, where) or self._raised(name, message, where)
        return CheckFailed(tr(replies.UNREADABLE))

    def _lacking(self, type: str, message: str, where: object) -> CheckFailed | None:
        """A NameError for want of a statement that was passed over."""
        undefined = passed_over.UNDEFINED.search(message[:MAX_READ])
        match where:
            case [str() as module, _] if type == "NameError" and undefined:
                one = passed_over.making(undefined[1], module, self.passed_over)
                return self._not_made(undefined[1], one) if one else None
        return None

    def _not_made(self, name: str, one: protocol.PassedOver) -> CheckFailed:
        found = tr(
            "{name} is missing, since {place}, failed and was passed over.",
            name=word(name),
            place=self._submission.place(one.module, one.line),
        )
        raised = replies.read(protocol.Raised, one.raised)
        where = raised.where or [one.module, one.line]
        return self._raised(raised.type, raised.message, where, NotMade, found)

    def _raised(
        self,
        name: str,
        message: str,
        where: object,
        kind: type[CheckFailed] = CheckFailed,
        found: str = "",
    ) -> CheckFailed:
        location, line_text, place = None, "", ""
        match where:
            case [str() as module, int() as line] if (
                type(line) is int and module in self._submission.sources
            ):
                if line_text := self._submission.line(module, line):
                    location = _location(self._submission.location(module, line))
                    place = self._submission.place(module, line)
        if name == "NotImplementedError" and "NotImplementedError" in line_text:
            found = tr("It is not written yet: {place}.", place=place)
            return NotWritten(found, quoted=quoted(message), location=location)
        hint = likely_cause(name, message, line_text, self._course.exceptions)
        return kind(
            found
            or (
                tr("{type} was raised in {place}.", type=word(name), place=place)
                if place
                else tr("{type} was raised.", type=word(name))
            ),
            quoted=(*_excerpt(line_text), *_excerpt(f"{name}: {message}" if message else name)),
            reading=Cause(*hint) if hint else None,
            location=location,
            unproven=location is None
            or bool(_OF_THE_MACHINE.search(f"{name}: {message[:MAX_READ]}")),
        )

    def has(self, name: str) -> bool:
        """Whether there is such a thing of torch's or the course's: "nn.Linear", "optim.SGD"."""
        library, _, attribute = name.partition(".")
        if library in LIBRARIES:
            return hasattr(LIBRARIES[library], attribute)
        return attribute in _defined(self._course.files.get(library, b""))

    def foreign(self, name: str) -> list[str]:
        """What no work by hand needs and the text names where a definition leads, see sandbox.reading.

        Everything counts where nothing of the module is called by that name.
        """
        left = ["", name] if name in self._names else list(self._names)
        seen, found = set(left), set()
        while left:
            refers, names = self._names[left.pop()]
            found.update(names)
            left += set(refers) - seen
            seen.update(refers)
        return sorted(found)

    def definition(self, name: str) -> SourceLocation | None:
        """Where the module's text defines a class or a function, if it does at its top."""
        return _location(self._submission.definition(self.module, name))

    def close(self) -> None:
        """End the worker."""
        self.worker.close()


@functools.lru_cache(maxsize=64)  # one text is asked about for each thing that is made of it
def _defined(text: bytes) -> set[str]:
    return defined(ast.parse(text))


MAX_QUOTED = 4
"""Lines of an exception's message that a failure shows; the first says most."""
MAX_QUOTED_LINE = 180
"""Characters of such a line."""


def _excerpt(text: str) -> tuple[str, ...]:
    """The lines of a submission's that a failure shows, not too many nor too long ones."""
    lines = [
        line if len(line) <= MAX_QUOTED_LINE else f"{line[:MAX_QUOTED_LINE].rstrip()} …"
        for line in quoted(text)
    ]
    return (*lines[:MAX_QUOTED], tr("[cut]")) if len(lines) > MAX_QUOTED else tuple(lines)


def _location(found: tuple[str, int] | None) -> SourceLocation | None:
    return SourceLocation(*found) if found else None
