"""What the lockdown costs: a worker's start, and the speed of forward and of training inside.

The speed is taken in processes that measure themselves before and after they lock themselves down,
and in as many that do all of it but the locking; these say how far the measurement itself can be
trusted. Two processes cannot be compared with each other: they differ by up to a tenth in where their
memory came to lie. Namespaces are left out: the zygote is in them, not the worker's doing.
"""

import ctypes
import os
import statistics
import struct
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # as in a worker

import time

import torch
from rich.console import Console
from rich.progress import track

from autograder.broker import Broker
from autograder.course import course_root, load_course
from autograder.sandbox import lockdown
from autograder.sandbox.policy import Policy
from tower_student.lean import make_lean

STARTS, PROCESSES, REPEATS = 101, 30, 7
START_LIMIT, SPEED_LIMIT = 15.0, 2.0
"""Milliseconds that lockdown may add to a start; per cent that it may take from speed."""
TASKS = (("forward", 10, 1), ("train", 4, 1), ("train", 4, 2))
"""A function of the source, how often it does its step in one call, and its threads."""
OMP_PAUSE_HARD = 2

SOURCE = b"""
import time
import torch
from torch import nn

torch.manual_seed(0)
tower = nn.Sequential(
    nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Linear(128, 10),
)
optimizer = torch.optim.Adam(tower.parameters(), lr=1e-3)
images, labels = torch.randn(64, 1, 28, 28), torch.randint(10, (64,))


def forward(count):
    started = time.perf_counter()
    with torch.no_grad():
        for _ in range(count):
            tower(images)
    return time.perf_counter() - started


def train(count):
    started = time.perf_counter()
    for _ in range(count):
        optimizer.zero_grad()
        nn.functional.cross_entropy(tower(images), labels).backward()
        optimizer.step()
    return time.perf_counter() - started
"""


def milliseconds_to_start(broker: Broker) -> float:
    """From the request for a worker to its first frame."""
    started = time.perf_counter()
    worker = broker.worker()
    taken = time.perf_counter() - started
    worker.close()
    return 1000 * taken


def seconds_of_lockdown(broker: Broker) -> float:
    """What the worker itself says."""
    with broker.worker() as worker:
        return worker.isolation.seconds


def change(
    spec: lockdown.SandboxSpec,
    policy: Policy,
    folder: str,
    task: tuple[str, int, int],
    *,
    lock: bool,
) -> float:
    """Time after by time before, in one process that locks itself down in between, or does not.

    One process, since two of them differ by up to a tenth in where their memory came to lie.
    """
    name, count, threads = task
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            torch.set_num_threads(threads)
            space: dict[str, Callable[[int], float]] = {}
            exec(SOURCE, space)
            before = _best(space[name], count)
            # The filter binds the calling thread and what it starts from now on, so the others end.
            ctypes.CDLL(_openmp()).omp_pause_resource_all(OMP_PAUSE_HARD)
            if len(os.listdir("/proc/self/task")) > 1:
                raise RuntimeError("OpenMP has kept its threads")
            if lock:
                user = lockdown.user_of(0, 0)
                lockdown.enter(spec, asdict(policy), folder, [sender], os.getppid(), user)
            else:
                os.setsid()  # the scheduler shares the cores out by session
            os.write(sender, struct.pack("d", _best(space[name], count) / before))
            status = 0
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(sender)
    with os.fdopen(receiver, "rb") as file:
        answer = file.read()
    os.waitpid(child, 0)
    if not answer:
        raise SystemExit("A process of the benchmark has failed; its error is above.")
    return float(struct.unpack("d", answer)[0])


def _openmp() -> str:
    """The path of the OpenMP that torch has loaded; its wheels rename the file."""
    maps = Path("/proc/self/maps").read_text().splitlines()
    return next(line.split()[-1] for line in maps if "libgomp" in line)


def _best(function: Callable[[int], float], count: int) -> float:
    """The least seconds of a few calls: what else the machine does only ever adds."""
    function(count)  # allocates
    return min(function(count) for _ in range(REPEATS))


def main() -> None:
    """Measure and print."""
    course = load_course(course_root())
    with (
        Broker(course.policy, [course.root]) as locked,
        Broker(course.policy, require="D", without=lockdown.MECHANISMS) as bare,
    ):
        with locked.worker() as worker:
            print(f"isolation {worker.isolation.level}: {worker.isolation.detail}\n")
        milliseconds_to_start(bare)
        pairs = [
            (milliseconds_to_start(locked), milliseconds_to_start(bare)) for _ in range(STARTS)
        ]
        slow, fast = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(f"a worker's start, locked           {slow:6.1f} ms")
        print(f"a worker's start, bare             {fast:6.1f} ms")
        taken = statistics.median(seconds_of_lockdown(locked) for _ in range(STARTS))
        print(f"lockdown and probes of a locked one {1000 * taken:5.1f} ms (limit {START_LIMIT})")
        print(
            "(a bare one's probes succeed: they fork a process, which takes longer than the lockdown)\n"
        )
    torch.set_num_threads(1)
    make_lean()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)  # a worker may have another user id
        spec = lockdown.prepare([], folder, ["namespaces"], lambda code: None, gpu=False)
        for task in TASKS:
            by_lock: dict[bool, list[float]] = {True: [], False: []}
            for turn in track(
                range(2 * PROCESSES), task[0], console=Console(stderr=True), transient=True
            ):
                lock = turn % 4 in (1, 2)
                by_lock[lock].append(change(spec, course.policy, folder, task, lock=lock))
            name, _, threads = task
            (with_lock, one), (without, other) = (_centre(by_lock[lock]) for lock in (True, False))
            print(
                f"{name}, {threads} thread(s): {with_lock - without:+.2f} % "
                f"(standard error {(one**2 + other**2) ** 0.5:.2f}; limit {SPEED_LIMIT})"
            )


def _centre(ratios: list[float]) -> tuple[float, float]:
    """Median of the changes in per cent, and its standard error.

    That is 1.253 deviations by the root of n (for normal errors); the deviation is taken from the
    quartiles, since a few processes are far off.
    """
    quarters = statistics.quantiles([100 * (ratio - 1) for ratio in ratios], n=4)
    return quarters[1], 1.253 * (quarters[2] - quarters[0]) / 1.349 / len(ratios) ** 0.5


if __name__ == "__main__":
    main()
