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


def side_by_side(
    broker: Broker,
    lanes: int,
    jobs: Mapping[str, Callable[[], None]],
    needs: Mapping[str, Collection[str]],
) -> None:
    """Do named jobs, so many at a time, in their order: none before those that it needs are done.

    Raises what a job raises first. The others are interrupted then, as all are by Ctrl-C, when they next wait
    for a worker. Raises GraderFault where a limit is over and the job does not stop.
    """
    turn = Turn()
    changed = threading.Condition(turn.lock)
    waiting, running = dict(jobs), set[str]()
    raised: list[BaseException] = []

    def lane() -> None:
        with changed:
            while waiting and not turn.is_called_off:
                undone = waiting.keys() | running
                ready = next((job for job in waiting if undone.isdisjoint(needs[job])), None)
                if ready is None:
                    changed.wait()
                    continue
                running.add(ready)
                try:
                    waiting.pop(ready)()
                except BaseException as error:
                    raised.append(error)
                    turn.is_called_off = True
                running.remove(ready)
                changed.notify_all()

    threads = [
        threading.Thread(target=contextvars.copy_context().run, args=[lane], daemon=True)
        for _ in range(lanes)
    ]
    broker.turn = turn
    try:
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            for thread in threads:
                thread.join(LOOK_SECONDS)
                _look(thread)
    finally:
        turn.is_called_off = True
        for thread in threads:
            thread.join(CALL_OFF_SECONDS)
        broker.turn = None
    if raised:
        raise raised[0]


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
