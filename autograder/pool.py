"""Several warm graders at once, each in a process of its own with a fork server beside it."""

import contextlib
import gc
import multiprocessing
import multiprocessing.util
import os
import secrets
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from types import FrameType
from typing import Generic, TypeVar

from autograder import selftest
from autograder.broker import Broker
from autograder.course import Course, speak
from autograder.errors import GraderFault, TowerError
from autograder.isolation import WEAKEST_ACCEPTED
from autograder.sandbox import kernel
from autograder.sandbox.lockdown import BLOCKS
from tower_student.language import mark, tr

JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")
Work = Callable[[Course, Broker, JobT], ResultT]
_warm: tuple[Course, Broker] | TowerError
"""Of a process of the pool, or why it cannot grade."""

INTERRUPTS = (signal.SIGINT, signal.SIGTERM)
KILLED = mark(
    "A grading process was killed, perhaps for want of memory. Try again with fewer processes."
)


class Grader(Generic[JobT, ResultT]):
    """One grader in a process of its own, started by the first job and again after it has died.

    The process ends with the thread that gave it its first job, however that ends.

    Args:
        require: as for Broker.
        gpu: whether its broker may hand out workers that use the GPU.
        cores: those that it and its workers are kept on; wherever the system likes where empty.
        uid_slot: as for Broker.
    """

    def __init__(
        self,
        work: Work[JobT, ResultT],
        course: Course,
        *,
        require: str = WEAKEST_ACCEPTED,
        gpu: bool = False,
        cores: Sequence[int] = (),
        uid_slot: int | None = None,
    ) -> None:
        self._work = work
        self._settings = (course, require, gpu, tuple(cores), uid_slot)
        self._process: ProcessPoolExecutor | None = None

    def submit(self, job: JobT) -> "Future[ResultT]":
        """Give it a job. The future raises BrokenProcessPool where the process died over it."""
        try:
            return self._started().submit(_do, self._work, job)
        except BrokenProcessPool:  # it died while it had nothing to do
            self.close()
            return self._started().submit(_do, self._work, job)

    def _started(self) -> ProcessPoolExecutor:
        if self._process is None:
            context = multiprocessing.get_context("spawn")
            self._process = ProcessPoolExecutor(1, context, _open, (*self._settings, os.getpid()))
        return self._process

    def close(self) -> None:
        """End the process when it has done its jobs."""
        if self._process:
            self._process.shutdown(cancel_futures=True)
            self._process = None


def each(
    work: Work[JobT, ResultT],
    course: Course,
    jobs: Iterable[JobT],
    processes: int,
    *,
    require: str = WEAKEST_ACCEPTED,
    gpu: bool = False,
    on_death: Callable[[JobT], ResultT] | None = None,
) -> Iterator[tuple[int, ResultT]]:
    """Do the work of every job; yields (number of the job, its result) as each is done.

    Jobs are taken as there are processes for them. One whose process dies is done again, once, in a new one.

    Args:
        work: a function of a module; jobs and results have to be such as pickle knows.
        require: as for Broker.
        gpu: whether the brokers may hand out workers that use the GPU.
        on_death: the result of a job over which two processes have died.

    Raises what `work` raises, and GraderFault where processes die and there is no `on_death`. Ends at once,
    with all its processes, when it is interrupted or no more results are asked for.
    """
    cores = shares_of_cores(processes)
    threads = max(1, min(course.policy.fit_threads, len(cores[0])))
    course = replace(course, policy=replace(course.policy, fit_threads=threads))
    graders = [
        Grader[JobT, ResultT](work, course, require=require, gpu=gpu, cores=own, uid_slot=uid_slot)
        for uid_slot, own in enumerate(cores, secrets.randbelow(BLOCKS))
    ]
    waiting = enumerate(jobs)
    running: dict[Future[ResultT], tuple[int, JobT, Grader[JobT, ResultT], bool]] = {}

    def start(grader: Grader[JobT, ResultT]) -> None:
        for number, job in waiting:
            running[grader.submit(job)] = (number, job, grader, False)
            return

    try:
        for grader in graders:
            start(grader)
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                number, job, grader, again = running.pop(future)
                try:
                    result = future.result()
                except BrokenProcessPool:
                    grader.close()
                    if not again:
                        running[grader.submit(job)] = (number, job, grader, True)
                        continue
                    if on_death is None:
                        raise GraderFault(tr(KILLED)) from None
                    result = on_death(job)
                start(grader)
                yield number, result
    except BaseException:  # such as Ctrl-C: what is half done is not waited for
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    finally:
        for grader in graders:
            grader.close()


def shares_of_cores(processes: int) -> list[list[int]]:
    """The cores of each of so many processes, as equal as can be; none where there are fewer than that.

    A grader and its workers take turns. On one core each finds its data in that core's caches, and waking
    the other costs half of what it costs across cores: a grading takes a quarter less time.
    """
    cores = sorted(os.sched_getaffinity(0))
    count = len(cores) // processes
    return [cores[i * count : (i + 1) * count] for i in range(processes)]


def _open(
    course: Course,
    require: str,
    gpu: bool,
    cores: Sequence[int],
    uid_slot: int | None,
    parent: int,
) -> None:
    """Make a process of the pool ready to judge."""
    global _warm
    kernel.die_with(parent)
    speak(course)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    if cores:
        os.sched_setaffinity(0, cores)
    broker = Broker(
        course.policy,
        [course.root],
        require=require,
        gpu=gpu,
        uid_slot=uid_slot,
        imports=course.imports,
    )
    multiprocessing.util.Finalize(None, broker.close, exitpriority=1)
    try:
        warm(broker)
    except TowerError as error:
        _warm = error
    else:
        from autograder.grading import prepare_process

        prepare_process()
        _warm = course, broker


def warm(broker: Broker) -> None:
    """Start the fork server, and import what grades in the meantime. Before torch is loaded here.

    Raises GraderFault where a worker does not pass the grader's self-test, IsolationError.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as in the broker
    broker.start()  # it imports torch while this process does
    # torchvision has torch make a folder for compiled code, which nobody here compiles.
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(broker.folder))
    with _heard_at_last(), selftest.in_background(broker):
        gc.disable()  # importing makes objects that stay; looking through them for garbage is wasted
        import autograder.grading  # noqa: F401

        gc.freeze()
        gc.enable()


@contextlib.contextmanager
def _heard_at_last() -> Iterator[None]:
    """Ctrl-C that the body swallows, as importing torch may, is heard when it is over."""
    heard = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal heard
        heard = True
        signal.default_int_handler(number, frame)

    ours = [n for n in INTERRUPTS if signal.getsignal(n) is signal.default_int_handler]
    for number in ours:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.default_int_handler)
    if heard:
        raise KeyboardInterrupt


def _do(work: Work[JobT, ResultT], job: JobT) -> ResultT:
    if isinstance(_warm, TowerError):
        raise _warm
    return work(*_warm, job)
