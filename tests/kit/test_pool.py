"""Several warm graders at once: every result arrives, and nothing outlives its use."""

import contextlib
import ctypes
import multiprocessing
import os
import re
import signal
import threading
from pathlib import Path

import pytest

from autograder import pool
from autograder.errors import GraderFault
from autograder.pool import each

pytestmark = pytest.mark.sandbox


def twice(course, broker, job):
    return course.title, 2 * job


def asked(course, broker, job):
    with broker.worker() as worker:
        return worker.isolation.level


def users(course, broker, job):
    """The user of each of a few workers at once, as the system knows them; and whether each has its own."""
    with broker.worker() as one, broker.worker() as other:
        found = []
        for worker in (one, other):
            about = Path(f"/proc/self/fdinfo/{worker._pidfd}").read_text()
            pid = re.search(r"^Pid:\s+(\d+)", about, re.MULTILINE)[1]
            status = Path(f"/proc/{pid}/status").read_text()
            found.append(int(re.search(r"^Uid:\s+(\d+)", status, re.MULTILINE)[1]))
        return found, "own user id" in one.isolation.detail


def dying(course, broker, job):
    os._exit(1)


def endless_but_for_the_first(course, broker, job):
    if job:
        threading.Event().wait()
    return os.getpid()


def prepared(course, broker, job):
    """Whether the process can be traced, and on how many threads it computes."""
    import torch

    get_dumpable = 3
    return ctypes.CDLL(None).prctl(get_dumpable, 0, 0, 0, 0), torch.get_num_threads()


def failing(course, broker, job):
    raise ValueError(f"job {job}")


def test_its_processes_cannot_be_traced_and_compute_on_one_thread(course):
    assert list(each(prepared, course, [0], 1)) == [(0, (0, 1))]


def test_every_result_comes_with_the_number_of_its_job(course):
    found = dict(each(twice, course, [3, 5, 8], 2))
    assert found == {i: (course.title, 2 * job) for i, job in enumerate([3, 5, 8])}


def test_each_process_has_workers_at_hand(course):
    (level,) = {level for _, level in each(asked, course, [0, 0, 0], 2)}
    assert level in ("A+", "A", "B", "C")


def test_a_process_that_dies_is_a_fault_that_says_what_to_do(course):
    with pytest.raises(GraderFault, match="Try again with fewer processes"):
        list(each(dying, course, [0], 1))


def test_what_a_job_raises_is_raised(course):
    with pytest.raises(ValueError, match="job 7"):
        list(each(failing, course, [7], 1))


def test_what_is_not_waited_for_is_ended(course):
    results = each(endless_but_for_the_first, course, [0, 1, 1], 1)
    number, pid = next(results)
    assert number == 0
    results.close()
    assert pid not in {child.pid for child in multiprocessing.active_children()}
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_no_two_workers_of_the_machine_share_a_user(course):
    """The kernel counts threads by user: a submission could use up another's."""
    results = [result for _, result in each(users, course, [0] * 4, 2)]
    (own,) = {own for _, own in results}
    assert own or os.geteuid() != 0
    if own:
        taken = [user for found, _ in results for user in found]
        assert len(set(taken)) == len(taken)


@pytest.mark.parametrize("number", pool.INTERRUPTS)
def test_an_interrupt_that_an_import_swallows_is_heard_afterwards(number):
    def swallow():
        with pool._heard_at_last(), contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(number)

    before = signal.signal(number, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            swallow()
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, before)
