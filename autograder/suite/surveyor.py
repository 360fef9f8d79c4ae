"""What the texts of a submission say, asked of a worker in which nothing of it is ever run."""

from collections.abc import Iterable, Sequence
from typing import Any

from autograder.broker import Broker, Worker, WorkerLost
from autograder.course import FILE as COURSE
from autograder.course import Course
from autograder.errors import CourseError
from autograder.sandbox import protocol, wire
from autograder.sandbox.worker import COURSE_FILE, STAND_IN
from autograder.suite import replies
from autograder.suite.failures import CheckFailed, OfTheMachine
from tower_student.language import tr
from tower_student.submission import Submission
from tower_student.text import one_line


class Surveyor:
    """Parses the modules of a submission, each once, in a worker that runs none of them.

    Its answers can be trusted therefore, whatever has run in other workers.
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
                with self._broker.undisturbed():
                    self._known[module] = self._asked(module)
            except OfTheMachine:
                self.close()
                raise
            except CheckFailed as failure:
                self.close()
                self._known[module] = failure
        found = self._known[module]
        if isinstance(found, CheckFailed):
            raise found
        return found

    def _asked(self, module: str) -> dict[str, Any]:
        worker = self._started()
        text = text_of(module, self._submission.sources[module])
        try:
            reply, _ = worker.ask(protocol.Survey(module), [text])
        except WorkerLost as lost:
            raise replies.lost_worker(lost) from None
        return replies.read(protocol.Surveyed, reply).survey

    def demand_stand_ins(self, course: Course, names: Sequence[str]) -> None:
        """Raise CourseError where a stand-in of the course does not import: no fault of the submission's."""
        if self._sound.issuperset(names):
            return
        asked = protocol.Import("", dict.fromkeys(names, 1.0))
        for is_last in (False, True):
            try:
                with self._broker.undisturbed():
                    reply, _ = self._started().ask(asked, course_texts(course, names))
            except WorkerLost as lost:
                failure = replies.lost_worker(lost)
                self.close()
                if not isinstance(failure, OfTheMachine):
                    reason = tr("The worker: {reason}", reason=one_line(str(lost)))
                    break
                if is_last:
                    raise failure.fault() from None
            else:
                error = reply.get("error")
                reason = (
                    ""
                    if error is None
                    else f"{error.get('type')}: {one_line(str(error.get('message')))}"
                )
                break
        self.close()
        if reason:
            raise CourseError(
                tr(
                    "{course} names {files}; what is for workers of these does not import: {error}",
                    course=course.root / COURSE,
                    files=", ".join(course.named),
                    error=reason,
                )
            )
        self._sound.update(names)

    def _started(self) -> Worker:
        self._worker = self._worker or self._broker.worker()
        self._worker.allow(self._broker.policy.import_seconds)
        return self._worker

    def close(self) -> None:
        """End the worker."""
        if self._worker:
            self._worker.close()
            self._worker = None


def course_texts(course: Course, stand_ins: Iterable[str]) -> list[wire.RawTensor]:
    """Return the course's own files for a worker, those among them that stand in for modules."""
    texts = [text_of(COURSE_FILE + name, text) for name, text in course.files.items()]
    return texts + [text_of(STAND_IN + name, course.modules[name].stand_in) for name in stand_ins]


def text_of(module: str, source: bytes) -> wire.RawTensor:
    """Return the text of a module, as it is sent."""
    return wire.RawTensor(module, "uint8", (len(source or b"\n"),), source or b"\n")
