"""What the stock layers and a GPU buy: layers, the fit, and several submissions at once; see docs/gpu.md.

    python benchmarks/gpu.py --device cuda --write docs

Every figure is a median, every ratio the median of the ratios of neighbours.
"""

import argparse
import datetime
import os
import platform
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from autograder.bank import Bank
from autograder.broker import Broker
from autograder.course import Course, course_root, load_course
from autograder.errors import TowerError
from autograder.gpu import Device, choose
from autograder.pool import each
from tower_student import bench
from tower_student.files import write_whole
from tower_student.submission import Submission

ROUNDS = 5
AT_ONCE = {"cpu": (1, 2), "cuda": (1, 2, 4, 8)}
"""Graders beside each other."""
SUBMISSIONS = 8
"""Of the class that is graded."""

Job = tuple[Device, str, int]
"""The device, the mode of the fit, the seed."""


def graded(course: Course, broker: Broker, job: Job) -> tuple[float, float, float]:
    """Score of the solutions, seconds of the whole and of the fit."""
    from autograder.grading import grade

    device, fit, seed = job
    submission = Submission(f"s{seed}", Bank(course.root).solutions(course.modules), {})
    started = time.perf_counter()
    report = grade(course, submission, broker, seed=seed, fit=fit, device=device)
    taken = time.perf_counter() - started
    checks = {check.id: check for module in report.modules for check in module.checks}
    return report.per_cent, taken, checks["tower.mnist_fit"].seconds


def layers(device: str) -> Iterator[str]:
    """The reference layers beside torch's."""
    machine = bench.measure_machine(device)
    yield (
        f"{machine.name}: {machine.flops / 1e9:,.0f} GFLOP/s in a product of float32 matrices, "
        f"{machine.bandwidth / 1e9:,.0f} GB/s in a copy.\n"
    )
    yield "| layer | input | | torch, ms | ours, ms | ratio | torch reaches | ours reaches |"
    yield "|---|---|---|---:|---:|---:|---:|---:|"
    plan = bench.plan_of(course_root() / "assignments", device)
    loaded = bench.load(course_root() / "solutions", plan.modules)
    for timing in bench.compare(plan, loaded, machine):
        shares = [f"{100 * s:.0f} %" if s else "" for s in (timing.torch_share, timing.share)]
        cells = [
            f"`{timing.title}`",
            "×".join(map(str, timing.shape)),
            timing.what,
            f"{1e3 * timing.torch_seconds:.3f}",
            f"{1e3 * timing.seconds:.3f}",
            f"{timing.ratio:.2f}",
            *shares,
        ]
        yield f"| {' | '.join(cells)} |"


def workers(course: Course, device: Device) -> Iterator[str]:
    """Starting a worker on the device: forked on demand, and with one in reserve."""
    gpu = device == "cuda"
    on_demand, reserved = [], []
    for _ in range(ROUNDS):
        with Broker(course.policy, [course.root], gpu=gpu) as broker:
            broker.start()
            broker._forked(gpu=False).close()  # the zygote has imported torch
            for column in (on_demand, reserved):
                started = time.perf_counter()
                broker.worker(gpu=gpu).close()
                column.append(time.perf_counter() - started)
                if gpu and broker._spare:  # time enough for the reserve, as other checks give it
                    broker._spare.wait()
    yield f"| a worker, on demand | {1e3 * statistics.median(on_demand):.0f} ms |"
    if gpu:
        yield f"| a worker, from the reserve | {1e3 * statistics.median(reserved):.0f} ms |"


def fits(course: Course, device: Device) -> Iterator[str]:
    """The solutions graded with the fit, from end to end."""
    with Broker(course.policy, [course.root], gpu=device == "cuda") as broker:
        broker.start()
        for fit in ("quick", "full") if device == "cpu" else ("quick", "full", "recipe"):
            found = [graded(course, broker, (device, fit, seed)) for seed in range(3)]
            whole, alone = (statistics.median(f[i] for f in found) for i in (1, 2))
            scores = ", ".join(sorted({f"{f[0]:g} %" for f in found}))
            what = f"all checks with the fit `{fit}`, {scores}"
            yield f"| {what} | {whole:.1f} s, of it the fit {alone:.1f} s |"


def together(course: Course, device: Device) -> Iterator[str]:
    """A class graded by so many graders at once, from the moment when each has graded its first."""
    for processes in AT_ONCE[device]:
        jobs: list[Job] = [(device, "quick", seed) for seed in range(SUBMISSIONS + processes)]
        ends = []
        for _, (score, _, _) in each(graded, course, jobs, processes, gpu=device == "cuda"):
            assert score == 100
            ends.append(time.perf_counter())
        rate = 60 * SUBMISSIONS / (ends[-1] - ends[processes - 1])
        yield f"| {processes} graders, fit `quick` | {rate:.1f} submissions a minute |"


def main() -> int:
    """Measure, print, and write what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="auto", help="cpu, cuda or auto")
    parser.add_argument("--write", type=Path, help="write gpu-DEVICE.md into this folder")
    given = parser.parse_args()
    course = load_course(course_root())
    try:
        device = choose(given.device)
    except TowerError as error:
        print(error, file=sys.stderr)
        return 2
    lines = [
        f"Measured on {datetime.date.today():%Y-%m-%d} with torch {torch.__version__}, Python "
        f"{platform.python_version()}, {os.cpu_count()} cores of {platform.machine()}"
        f"{f', CUDA {torch.version.cuda}' if device == 'cuda' else ''}.\n"
    ]
    print(lines[0], flush=True)
    sections = (layers(device), workers(course, device), fits(course, device))
    for section in (*sections, together(course, device)):
        for line in section:
            if line.startswith("| a worker, on demand"):
                lines += ["", "| | |", "|---|---|"]
            print(line, flush=True)
            lines.append(line)
    if given.write:
        title = f"# {'The GPU' if device == 'cuda' else 'The CPU'}, measured\n\n"
        write_whole(given.write / f"gpu-{device}.md", title + "\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
