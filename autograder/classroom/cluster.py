"""The same work on more than one machine: jobs go to a Dask scheduler's workers, and come back as reports.

Each Dask worker holds the kit and keeps one warm grader in a process of its own; its `--nthreads` is what a
fit may use. Dask does a lost worker's work again; a report is taken once. Jobs and reports travel as JSON.
Scheduler, workers and this process trust each other, as Dask has it; submissions stay in their sandboxes.
"""

import contextlib
import functools
import importlib
import json
import logging
import multiprocessing
import queue
import secrets
import socket
import time
from collections.abc import Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from typing import Any

from distributed import Client, Future, get_worker

from autograder.classroom import Crew, Job, Lost, graded
from autograder.classroom.gradebook import Settings
from autograder.course import Course, course_root, load_course, speak, suite_digest
from autograder.errors import GraderFault, TowerError, UsageError
from autograder.export import json as as_json
from autograder.pool import KILLED, Grader
from autograder.report import Report
from tower_student.language import mark, tr
from tower_student.submission import Submission

CONNECT_SECONDS = 10.0
PATIENCE = 60.0
"""How long a class waits while there is no worker for it."""
POLL_SECONDS = 1.0
GPU = "GPU"
"""The resource that a worker with a GPU offers: dask worker --resources GPU=1."""


def cluster_crew(course: Course, settings: Settings, required: str, address: str) -> Crew:
    """The workers of the scheduler at this address. The crew raises UsageError and GraderFault."""
    return functools.partial(_grade_all, course, settings, required, address)


def _grade_all(
    course: Course, settings: Settings, required: str, address: str, jobs: Iterable[Job]
) -> Iterator[tuple[int, Report | Lost]]:
    _demand_scheduler(address)
    with _quiet(), _client(address) as client:
        suite = suite_digest(course)
        _demand_same_kit(client, suite)
        yield from _Dealer(client, settings, required, suite).deal(enumerate(jobs))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without Dask's log, which holds tracebacks: what goes wrong is said in sentences here."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _client(address: str) -> Client:
    try:
        return Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UsageError(
            tr(
                "--cluster: the scheduler at {address} does not answer: {error}.",
                address=address,
                error=error,
            )
        ) from None


def _demand_scheduler(address: str) -> None:
    """Raise UsageError unless something like a Dask scheduler listens there: it speaks first.

    A client waits without end for a port that takes connections and stays silent.
    """
    scheme, _, rest = address.rpartition("://")
    host, colon, port = rest.rpartition(":")
    if scheme not in ("", "tcp", "tls") or not colon or not port.isdigit():
        raise UsageError(
            tr("--cluster is {address}; write it as in tcp://HOST:8786.", address=address)
        )
    try:
        with socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS) as connection:
            if scheme != "tls":
                connection.settimeout(CONNECT_SECONDS)
                connection.recv(1)
    except (OSError, OverflowError) as error:
        raise UsageError(
            tr(
                "--cluster: no Dask scheduler answers at {address} ({error}). Is it running, and can it be "
                "reached from here?",
                address=address,
                error=error,
            )
        ) from None


def _demand_same_kit(client: Client, suite: str) -> None:
    """Raise UsageError where a worker has no kit, or another one than this."""
    for worker, answer in client.run(_call, "held_suite", on_error="return").items():
        if isinstance(answer, BaseException):
            raise UsageError(
                tr(
                    "The worker at {worker} cannot use the kit: {error}. Install the same checkout there, "
                    "and say where it is with TOWER_COURSE.",
                    worker=worker,
                    error=answer,
                )
            )
        if answer != suite:
            raise _other_kit(worker, answer, suite)


def _other_kit(worker: str, theirs: str, ours: str) -> UsageError:
    return UsageError(
        tr(
            "The worker at {worker} holds another kit (suite {theirs}, here {ours}): its points would not be "
            "comparable. Bring both to the same checkout and course.toml.",
            worker=worker,
            theirs=theirs[:12],
            ours=ours[:12],
        )
    )


class _Dealer:
    """Hands out as many jobs as there are workers, and collects reports."""

    def __init__(self, client: Client, settings: Settings, required: str, suite: str) -> None:
        self._client, self._gpu = client, settings.device == "cuda"
        self._required, self._suite = required, suite
        self._done: queue.SimpleQueue[Future[str]] = queue.SimpleQueue()
        self._running: dict[Any, int] = {}
        self._seen = time.monotonic()

    def deal(self, jobs: Iterator[tuple[int, Job]]) -> Iterator[tuple[int, Report | Lost]]:
        """Yields the number of each job with its report. Raises GraderFault where the cluster is gone."""
        waiting = next(jobs, None)
        while waiting or self._running:
            workers = self._workers()
            while waiting and len(self._running) < workers:
                self._submit(*waiting)
                waiting = next(jobs, None)
            try:
                future = self._done.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
            if future.key in self._running:
                yield self._running.pop(future.key), self._result(future)

    def _workers(self) -> int:
        """How many there are for these jobs."""
        if self._client.status != "running":
            raise GraderFault(tr(LOST_SCHEDULER))
        known = self._client.scheduler_info(n_workers=-1)["workers"].values()
        fit = [w for w in known if not self._gpu or w["resources"].get(GPU, 0) >= 1]
        if fit:
            self._seen = time.monotonic()
        elif time.monotonic() - self._seen > PATIENCE:
            raise GraderFault(
                tr(
                    "The scheduler has had no worker that offers {resource} for {seconds:.0f} s. Start some, "
                    "and run the same command again to go on.",
                    resource=f"{GPU}=1",
                    seconds=PATIENCE,
                )
                if self._gpu
                else tr(
                    "The scheduler has had no worker for {seconds:.0f} s. Start some, and run the same "
                    "command again to go on.",
                    seconds=PATIENCE,
                )
            )
        return len(fit)

    def _submit(self, number: int, job: Job) -> None:
        future = self._client.submit(
            _call,
            "grade_here",
            json.dumps(_packed(job) | {"required": self._required, "suite": self._suite}),
            key=f"grade-{number}-{secrets.token_hex(8)}",
            pure=False,
            resources={GPU: 1} if self._gpu else None,
        )
        self._running[future.key] = number
        future.add_done_callback(self._done.put)

    def _result(self, future: "Future[str]") -> Report | Lost:
        if future.status == "cancelled":
            raise GraderFault(tr(LOST_SCHEDULER))
        try:
            answer = json.loads(future.result(timeout=CONNECT_SECONDS))
        except Exception as error:  # KilledWorker, or whatever a worker's machine may raise
            return Lost(f"{type(error).__name__}: {error}")
        finally:
            future.release()  # a finished job whose future is held is done again when its worker goes
        if "suite" in answer:  # of a worker that has joined since they were asked
            raise _other_kit(answer["worker"], answer["suite"], self._suite)
        if "refused" in answer:
            raise GraderFault(answer["refused"])
        if "lost" in answer:
            return Lost(answer["lost"])
        faults = tuple((fault, trace) for fault, trace in answer["faults"])
        return replace(as_json.load(answer["report"]), faults=faults)


LOST_SCHEDULER = mark(
    "The scheduler is gone. What has been graded is kept; start it again, and run the same command."
)


def _call(name: str, *arguments: Any) -> Any:
    return getattr(importlib.import_module("autograder.classroom.cluster"), name)(*arguments)


# Sent by value: a scheduler needs no kit then, and a worker without one says so, and does not die of it.
_call.__module__ = "__main__"


def _packed(job: Job) -> dict[str, Any]:
    submission = job.submission
    return {
        "name": submission.name,
        "sources": {name: text.decode() for name, text in submission.sources.items()},
        "problems": dict(submission.problems),
        "remarks": dict(submission.remarks),
        "settings": str(job.settings),
        "seed": job.seed,
    }


def _unpacked(content: dict[str, Any]) -> Job:
    sources = {name: text.encode() for name, text in content["sources"].items()}
    return Job(
        Submission(content["name"], sources, content["problems"], content["remarks"]),
        Settings.parse(content["settings"]),
        content["seed"],
    )


# On a worker

_graders: dict[tuple[str, bool], Grader[Job, Report | Lost]] = {}
"""Of this worker, by the isolation that is demanded and the use of the GPU: one in practice."""


@functools.cache
def _held() -> tuple[Course, str]:
    """The course that this worker grades by, and the digest of its suite, read once: as its grader does."""
    course = load_course(course_root())
    speak(course)
    return course, suite_digest(course)


def held_suite() -> str:
    """The digest of the suite that this worker holds. Raises CourseError."""
    return _held()[1]


def grade_here(text: str) -> str:
    """Grade one job in this worker's own process for it; the report, or why there is none, as JSON."""
    content = json.loads(text)
    try:
        course, suite = _held()
        if suite != content["suite"]:
            return json.dumps({"suite": suite, "worker": get_worker().address})
        result = _graded_by_own_process(course, _unpacked(content), content["required"])
    except TowerError as error:
        return json.dumps({"refused": str(error)})
    if isinstance(result, Lost):
        return json.dumps({"lost": result.reason})
    return json.dumps({"report": as_json.render(result), "faults": result.faults})


def _graded_by_own_process(course: Course, job: Job, required: str) -> Report | Lost:
    # A nanny starts its worker as a daemon, which multiprocessing lets have no children.
    multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined]
    key = required, job.settings.device == "cuda"
    if key not in _graders:
        threads = min(course.policy.fit_threads, get_worker().state.nthreads)
        own = replace(course, policy=replace(course.policy, fit_threads=threads))
        _graders[key] = Grader(graded, own, require=required, gpu=key[1])
    for _ in range(2):
        try:
            return _graders[key].submit(job).result()
        except BrokenProcessPool:
            _graders[key].close()
    return Lost(tr(KILLED))
