"""The workers of one submission: which checks share one, and whose fault it is when one fails."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from autograder.broker import Broker, Worker
from autograder.course import Course
from autograder.errors import GraderFault
from autograder.isolation import Isolation
from autograder.sandbox.protocol import PassedOver
from autograder.selftest import demand_sound
from autograder.suite.failures import CheckFailed, OfTheMachine
from autograder.suite.session import Session
from autograder.suite.student import Student
from autograder.suite.surveyor import Surveyor
from tower_student.submission import Submission


class WorkerKey(NamedTuple):
    """What checks that share a worker have in common: which bricks are stand-ins, the GPU, and the module
    where these are judged side by side.
    """

    stand_ins: tuple[str, ...]
    gpu: bool
    module: str = ""


class Unimportable(Exception):
    """A module does not import, in two fresh workers: `failure` says why."""

    def __init__(self, failure: CheckFailed) -> None:
        super().__init__(failure.found)
        self.failure = failure


@dataclass(eq=False)
class _Shared:
    """A worker: the modules that are imported in it, and the checks that have used it."""

    worker: Worker
    sessions: dict[str, Session] = field(default_factory=dict)
    users: set[str] = field(default_factory=set)


class Workers:
    """Hands out workers that checks share, one for each worker key at a time.

    Attributes:
        isolation: of its workers, None while there was none.
        passed_over: the statements that failed at the top of each module, in the first worker with it.
    """

    def __init__(self, course: Course, broker: Broker, submission: Submission) -> None:
        self.isolation: Isolation | None = None
        self.passed_over: dict[str, list[PassedOver]] = {}
        self._course, self._broker, self._submission = course, broker, submission
        self._surveyor = Surveyor(broker, submission)
        self._shared: dict[WorkerKey, _Shared] = {}
        self._unimportable: dict[tuple[WorkerKey, str], Unimportable] = {}
        self._unsound: GraderFault | None = None

    def shared(self, key: WorkerKey, module: str, check: str) -> tuple[Session, bool]:
        """Return a module in the worker with a key, and whether no check but this one has used that worker.

        Raises Unimportable, and GraderFault where that is not the submission's fault.
        """
        if (key, module) in self._unimportable:
            raise self._unimportable[key, module]
        if key not in self._shared or module not in self._shared[key].sessions:
            self._import(key, module)
        shared = self._shared[key]
        shared.users.add(check)
        return shared.sessions[module], shared.users == {check}

    def _import(self, key: WorkerKey, module: str) -> None:
        """Import a module: beside others where there are some, then in up to two fresh workers."""
        for is_last in (False, True) if key not in self._shared else (False, False, True):
            shared = self._shared.get(key)
            scales = dict.fromkeys(key.stand_ins, 1.0)
            try:
                session = self._session(module, scales, key.gpu, shared.worker if shared else None)
            except CheckFailed as failure:
                self.discard(key)
                if is_last:
                    self.demand_theirs(failure, key)
                    self._unimportable[key, module] = Unimportable(failure)
                    raise self._unimportable[key, module] from None
            except BaseException:
                self.discard(key)  # it may have been asked by halves
                raise
            else:
                shared = self._shared.setdefault(key, _Shared(session.worker))
                shared.sessions[module] = session
                found = [one for one in session.passed_over if one.module == module]
                self.passed_over.setdefault(module, found)
                return
            finally:
                self.isolation = self._broker.isolation

    @contextmanager
    def student(self, session: Session, seconds: float) -> Iterator[Student]:
        """Let a check begin, which has so many seconds: yields the submission as its test sees it."""
        extra: list[Session] = []

        def over(scales: Mapping[str, float]) -> Session:
            extra.append(self._session(session.module, scales, session.gpu))
            extra[-1].begin(seconds)
            return extra[-1]

        session.begin(seconds)
        try:
            yield Student(session, over)
        finally:
            for other in extra:
                other.close()

    def _session(
        self, module: str, scales: Mapping[str, float], gpu: bool, worker: Worker | None = None
    ) -> Session:
        if scales:
            self._surveyor.demand_stand_ins(self._course, tuple(scales))
        return Session(
            self._course,
            self._broker,
            self._submission,
            module,
            scales,
            self._surveyor,
            gpu=gpu,
            worker=worker,
            late={
                name: [one.line for one in found if one.late]
                for name, found in self.passed_over.items()
            },
        )

    def discard(self, key: WorkerKey) -> None:
        """End the worker with a key, if there is one: the next check gets a fresh one."""
        if shared := self._shared.pop(key, None):
            shared.worker.close()

    def demand_theirs(self, failure: CheckFailed, key: WorkerKey) -> None:
        """Raise GraderFault unless a failure is the submission's, as far as this machine goes."""
        if isinstance(failure, OfTheMachine):
            raise failure.fault()
        if not failure.unproven:
            return
        if self._unsound is None:
            try:
                with self._stopped():
                    demand_sound(self._broker, gpu=key.gpu)
            except GraderFault as fault:
                self._unsound = fault
        if self._unsound is not None:
            raise self._unsound

    @contextmanager
    def _stopped(self) -> Iterator[None]:
        """Let all workers stand still in the body, as those of other lanes."""
        workers = [shared.worker for shared in self._shared.values()]
        for worker in workers:
            worker.stop(go_on=False)
        try:
            yield
        finally:
            for worker in workers:
                worker.stop(go_on=True)

    def discard_all(self, module: str) -> None:
        """End the workers that checks of a module alone share."""
        for key in [key for key in self._shared if key.module == module]:
            self.discard(key)

    def close(self) -> None:
        """Leave no worker behind."""
        for key in list(self._shared):
            self.discard(key)
        self._surveyor.close()
