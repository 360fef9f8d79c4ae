"""Modules of one submission side by side, and the limit of what a hidden test computes itself.

Lanes are threads of which one computes at a time, whoever has the turn: the broker gives it up while it waits
for a worker. So a worker computes beside the grader, and beside the worker of another lane.
"""

import contextvars
import ctypes
import math
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from autograder.broker import Broker, Times, Turn
from autograder.errors import GraderFault
from tower_student.language import mark, tr

LOOK_SECONDS = 1.0
"""Between two looks at what a lane computes."""
CALL_OFF_SECONDS = 5.0
"""For a lane to stop. One that does not is left to the end of the process."""
NOT_STOPPED = mark("A hidden test took too long, and could not be stopped.")


class Timeout(BaseException):
    """Our own side took too long. No Exception: what tidies up after those must not swallow it."""


@contextmanager
def limited(seconds: float, times: Times) -> Iterator[None]:
    """Raise Timeout in the body after so many seconds beside those that are waited meanwhile.

    In a lane, or in the main thread, where signals are heard; not in other threads.

    Args:
        times: those of this thread.
    """
    times.limit = times.own + seconds
    is_main = threading.current_thread() is threading.main_thread()
    try:
        if is_main:
            with _alarmed(seconds, times):
                yield
        else:
            yield
    except Timeout:
        text = tr("The hidden test took longer than {seconds:g} s.", seconds=seconds)
        raise Timeout(text) from None
    finally:
        times.limit = math.inf


@contextmanager
def _alarmed(seconds: float, times: Times) -> Iterator[None]:
    def stop(number: int, frame: object) -> None:
        if times.own >= times.limit:
            raise Timeout

    started = time.monotonic()
    handler = signal.signal(signal.SIGALRM, stop)
    # And again: for the time that is waited, and where an exception cannot leave, as in a __del__.
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, LOOK_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler or signal.SIG_DFL)
        if left:  # whoever else waits for an alarm
            left = max(left - (time.monotonic() - started), 1e-3)
            signal.setitimer(signal.ITIMER_REAL, left, interval)


@dataclass
class _Lane:
    """A thread that does jobs, and what is known of it.

    Attributes:
        told_at: when it was first told that its time is over.
    """

    thread: threading.Thread
    times: Times = field(default_factory=Times)
    told_at: float = math.inf
    ended: threading.Event = field(default_factory=threading.Event)


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
        self._begun, self._done = ({job: threading.Event() for job in jobs} for _ in range(2))
        self._raised: list[BaseException] = []
        self._lanes = [self._lane() for _ in range(count)]

    def _lane(self) -> _Lane:
        context = contextvars.copy_context()
        lane = _Lane(threading.Thread(target=lambda: context.run(self._work, lane), daemon=True))
        return lane

    def run(self) -> None:
        """Do all jobs.

        Raises what a job raises first. The others are interrupted then, as all are by Ctrl-C, when they next
        wait. Raises GraderFault where a limit is over and the job does not stop.
        """
        started: list[_Lane] = []
        try:
            for lane in self._lanes:
                lane.thread.start()
                started.append(lane)
            while left := [lane for lane in started if not lane.ended.is_set()]:
                left[0].ended.wait(LOOK_SECONDS)
                for lane in left:
                    _look(lane)
        finally:
            self._call_off()
            for lane in started:
                # Not by join: in Python 3.11 one that is interrupted takes the thread for ended.
                lane.ended.wait(CALL_OFF_SECONDS)
        if self._raised:
            raise self._raised[0]

    def begin(self, job: str) -> None:
        """Note that a job is under way; what needs it may ask for what it has found."""
        self._begun[job].set()

    def wait_for(self, job: str, *, begun: bool = False) -> None:
        """Give up the turn, in a job, until another one is done, or under way.

        Raises KeyboardInterrupt as run says.
        """
        event = (self._begun if begun else self._done).get(job)
        if event and not event.is_set():
            times = self._broker.times
            until_now = times.queued - time.monotonic()
            with self._broker.waiting():
                event.wait()
            times.queued = until_now + time.monotonic()

    def is_done(self, job: str) -> bool:
        """Whether a job is done, or none of these."""
        return job not in self._done or self._done[job].is_set()

    def _work(self, lane: _Lane) -> None:
        try:
            with self._turn.lock:
                lane.times = self._broker.times
                lane.times.turn = self._turn
                while self._waiting and not self._turn.is_called_off:
                    job = next(filter(self._may_begin, self._waiting))
                    self._waiting.pop(job)()
                    self._begun[job].set()
                    self._done[job].set()
        except BaseException as error:
            late = isinstance(error, Timeout)  # it came when the case had ended after all
            self._raised.append(GraderFault(tr(NOT_STOPPED)) if late else error)
            self._call_off()
        finally:
            lane.times.turn = None
            lane.ended.set()

    def _call_off(self) -> None:
        self._turn.is_called_off = True
        for event in (*self._begun.values(), *self._done.values()):
            event.set()

    def _may_begin(self, job: str) -> bool:
        return self._waiting.keys().isdisjoint(self._needs[job])


def _look(lane: _Lane) -> None:
    """Raise Timeout in a lane whose time is over, when it next runs a line of Python.

    Raises GraderFault where that is not soon, as in the middle of a system call.
    """
    times = lane.times
    if times.is_waiting or times.own < times.limit:
        lane.told_at = math.inf
        return
    lane.told_at = min(lane.told_at, time.monotonic())
    if time.monotonic() - lane.told_at >= CALL_OFF_SECONDS:
        raise GraderFault(tr(NOT_STOPPED))
    number = ctypes.c_ulong(lane.thread.ident or 0)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(number, ctypes.py_object(Timeout))
