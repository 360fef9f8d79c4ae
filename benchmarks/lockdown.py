"""What the lockdown costs: a worker's start, and the speed of forward and of training inside.

A locked worker and a bare one (a process of its own with resource limits) take turns, so that a
machine whose speed drifts treats them alike. Printed are medians; a cost in per cent is the median of
the ratios of neighbours.
"""

import statistics
import time

from autograder.broker import Broker, Worker
from autograder.course import course_root, load_course
from autograder.sandbox import values, wire
from autograder.sandbox.lockdown import MECHANISMS

STARTS, ROUNDS = 101, 41
START_LIMIT, SPEED_LIMIT = 15.0, 2.0
"""Milliseconds that lockdown may add to a start; per cent that it may take from speed."""

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


def ask(worker: Worker, operation: str, **arguments: object) -> dict[str, object]:
    """One question without tensors."""
    return worker.ask(operation, arguments, [], time.monotonic() + 120)[0]


def with_module(broker: Broker, threads: int) -> Worker:
    """A worker with the module above imported."""
    worker = broker.worker()
    source = wire.RawTensor("linear", "uint8", (len(SOURCE),), SOURCE)
    worker.ask("survey", {"module": "linear"}, [source], time.monotonic() + 120)
    ask(worker, "threads", count=threads)
    ask(worker, "import", module="linear", stand_ins={})
    return worker


def seconds(worker: Worker, name: str, count: int) -> float:
    """What a function of the module says it took."""
    reply = ask(
        worker,
        "call",
        name=name,
        args=values.Encoder().tree([count]),
        kwargs={},
        seed=0,
        grad=True,
        watch=False,
        after=False,
        draw=0,
    )
    return float(values.decode_tree(reply["result"], {}))


def main() -> None:
    """Measure and print."""
    course = load_course(course_root())
    with (
        Broker(course.policy, [course.root]) as locked,
        Broker(course.policy, require="D", without=MECHANISMS) as bare,
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
        for name, count, threads in (("forward", 10, 1), ("train", 3, 1), ("train", 3, 2)):
            one, other = with_module(locked, threads), with_module(bare, threads)
            for worker in (one, other):
                seconds(worker, name, count)  # the first call allocates
            ratios = []
            for turn in range(ROUNDS):
                order = (one, other) if turn % 2 else (other, one)
                times = {worker: seconds(worker, name, count) for worker in order}
                ratios.append(times[one] / times[other])
            quarters = statistics.quantiles(ratios, n=4)
            low, middle, high = (100 * (quarter - 1) for quarter in quarters)
            print(
                f"{name}, {threads} thread(s): {middle:+.2f} % "
                f"(quartiles {low:+.1f} to {high:+.1f}; limit {SPEED_LIMIT})"
            )
            one.close()
            other.close()


if __name__ == "__main__":
    main()
