"""Modules of one submission side by side, and the limit of what a hidden test computes itself.

Lanes are threads of which one computes at a time, whoever has the turn: the broker gives it up while it waits
for a worker. So a worker computes beside the grader, and beside the worker of another lane.
"""

import contextvars
import ctypes
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from autograder.broker import Broker, Times, Turn
from autograder.errors import GraderFault
from tower_student.language import tr

LOOK_SECONDS = 1.0
"""Between two looks at what a lane computes."""
CALL_OFF_SECONDS = 5.0
"""For a lane to stop. One that does not is left to the end of the process."""


class Timeout(BaseException):
    """Our own side took too long. No Exception: what tidies up after those must not swallow it."""


@dataclass(frozen=True)
class _Limit:
    """So many seconds, beside those that are waited meanwhile."""

    seconds: float
    times: Times
    started: float
    waited: float

    def is_over(self, patience: float = 0.0) -> bool:
        waited = self.times.waited - self.waited
        return time.monotonic() - self.started - waited >= self.seconds + patience


_limits: dict[int, _Limit] = {}
"""Those of the lanes, by thread."""


@contextmanager
def limited(seconds: float, times: Times) -> Iterator[None]:
    """Raise Timeout in the body after so many seconds beside those that are waited meanwhile.

    In a lane, or in the main thread, where signals are heard; not in other threads.

    Args:
        times: those of this thread.
    """
    limit = _Limit(seconds, times, time.monotonic(), times.waited)
    if threading.current_thread() is threading.main_thread():
        with _alarmed(limit):
            yield
        return
    _limits[threading.get_ident()] = limit
    try:
        yield
    except Timeout:
        raise _timeout(limit) from None
    finally:
        del _limits[threading.get_ident()]


@contextmanager
def _alarmed(limit: _Limit) -> Iterator[None]:
    def stop(number: int, frame: object) -> None:
        if limit.is_over():
            raise _timeout(limit)

    handler = signal.signal(signal.SIGALRM, stop)
    # And again: for the time that is waited, and where an exception cannot leave, as in a __del__.
    left, interval = signal.setitimer(signal.ITIMER_REAL, limit.seconds, LOOK_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler or signal.SIG_DFL)
        if left:  # whoever else waits for an alarm
            left = max(left - (time.monotonic() - limit.started), 1e-3)
            signal.setitimer(signal.ITIMER_REAL, left, interval)


def _timeout(limit: _Limit) -> Timeout:
    return Timeout(tr("The hidden test took longer than {seconds:g} s.", seconds=limit.seconds))


class Lanes:
    """Does named jobs side by side, in their order, but none before those that it needs have begun.

    So it can wait for these when it has to: each is at work, or waits for one that began earlier.

    Args:
        broker: whose turn is given to one lane at a time.
        count: of the lanes.
        needs: for each job those that it needs, without a circle.
    """

    def __init__(
        self,
        broker: Broker,
        count: int,
        jobs: Mapping[str, Callable[[], None]],
        needs: Mapping[str, Collection[str]],
    ) -> None:
        self._broker, self._needs = broker, needs
        self._turn = Turn()
        self._waiting = dict(jobs)
        self._done = {job: threading.Event() for job in jobs}
        self._raised: list[BaseException] = []
        given = contextvars.copy_context  # each lane has its own
        self._threads = [
            threading.Thread(target=given().run, args=[self._lane], daemon=True)
            for _ in range(count)
        ]

    def run(self) -> None:
        """Do all jobs.

        Raises what a job raises first. The others are interrupted then, as all are by Ctrl-C, when they next
        wait. Raises GraderFault where a limit is over and the job does not stop.
        """
        self._broker.turn = self._turn
        try:
            for thread in self._threads:
                thread.start()
            while any(thread.is_alive() for thread in self._threads):
                for thread in self._threads:
                    thread.join(LOOK_SECONDS)
                    _look(thread)
        finally:
            self._call_off()
            for thread in self._threads:
                if thread.is_alive():  # Ctrl-C may come before it has begun
                    thread.join(CALL_OFF_SECONDS)
            self._broker.turn = None
        if self._raised:
            raise self._raised[0]

    def wait_for(self, job: str) -> None:
        """Give up the turn, in a job, until another one is done. Raises KeyboardInterrupt as run says."""
        if job in self._done and not self._done[job].is_set():
            times = self._broker.times
            until_now = times.queued - time.monotonic()
            with self._broker.waiting():
                self._done[job].wait()
            times.queued = until_now + time.monotonic()

    def _lane(self) -> None:
        with self._turn.lock:
            while self._waiting and not self._turn.is_called_off:
                job = next(filter(self._may_begin, self._waiting))
                try:
                    self._waiting.pop(job)()
                except BaseException as error:
                    self._raised.append(error)
                    self._call_off()
                self._done[job].set()

    def _call_off(self) -> None:
        self._turn.is_called_off = True
        for done in self._done.values():
            done.set()

    def _may_begin(self, job: str) -> bool:
        return self._waiting.keys().isdisjoint(self._needs[job])


def _look(thread: threading.Thread) -> None:
    """Raise Timeout in a lane whose time is over, when it next runs a line of Python.

    Raises GraderFault where that is not soon, as in the middle of a system call.
    """
    limit = _limits.get(thread.ident or 0)
    if limit is None or limit.times.is_waiting or not limit.is_over():
        return
    if limit.is_over(CALL_OFF_SECONDS):
        raise GraderFault(str(_timeout(limit)))
    number = ctypes.c_ulong(thread.ident or 0)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(number, ctypes.py_object(Timeout))
