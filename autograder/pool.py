"""Several warm graders at once, each in a process of its own with a fork server beside it."""

import gc
import multiprocessing
import multiprocessing.util
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from autograder.broker import Broker
from autograder.course import Course
from autograder.errors import GraderFault

JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")
_warm: tuple[Course, Broker]
"""Of a process of the pool."""


def each(
    work: Callable[[Course, Broker, JobT], ResultT],
    course: Course,
    jobs: Sequence[JobT],
    processes: int,
    *,
    gpu: bool = False,
) -> Iterator[tuple[int, ResultT]]:
    """Do the work of every job; yields (number of the job, its result) as each is done.

    Args:
        work: a function of a module; jobs and results have to be such as pickle knows.
        gpu: whether the brokers may hand out workers that use the GPU.

    Raises what `work` raises, and GraderFault where a process of the pool died. Ends at once, with all
    its processes, when it is interrupted or no more results are asked for.
    """
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(processes, len(jobs)) or 1, context, _open, (course, gpu))
    try:
        numbers = {pool.submit(_do, work, job): i for i, job in enumerate(jobs)}
        for done in as_completed(numbers):
            yield numbers[done], done.result()
    except BrokenProcessPool:
        raise GraderFault(
            "A grading process was killed, perhaps for want of memory. Try again with fewer processes."
        ) from None
    except BaseException:  # such as Ctrl-C: what is half done is not waited for
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _open(course: Course, gpu: bool) -> None:
    """Make a process of the pool as warm as `tower grade` is when it begins to judge."""
    global _warm
    broker = Broker(course.policy, [course.root], gpu=gpu)
    broker.start()  # it imports torch while this process does
    import autograder.grading  # noqa: F401

    gc.freeze()
    multiprocessing.util.Finalize(None, broker.close, exitpriority=1)
    _warm = course, broker


def _do(work: Callable[[Course, Broker, JobT], ResultT], job: JobT) -> ResultT:
    return work(*_warm, job)
