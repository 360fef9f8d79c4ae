"""Grades the solutions over and over while their replies lie, and tells of every fault of the grader.

    python fuzz/fuzz_replies.py --seconds 600

A reply that lies may cost its check; it must never make the grader itself fail, nor any report
unwritable. Each fault is printed once, with the seed that provokes it.
"""

import argparse
import io
import random
import resource
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

from replies_lab import LyingBroker  # noqa: E402
from rich.console import Console  # noqa: E402

from autograder.course import load_course  # noqa: E402
from autograder.export import console, json, junit  # noqa: E402
from autograder.grading import grade, prepare_process  # noqa: E402
from tower_student.submission import read_submission  # noqa: E402

RATES = (0.005, 0.02, 0.1, 0.3)
"""Of replies that lie. The fewer do, the further a check gets before it meets one."""


def main() -> int:
    """Fuzz until the time is up; the exit code is 1 where there was a fault."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=0, help="where to begin")
    options = parser.parse_args()
    prepare_process()
    course = load_course(ROOT)
    submission = read_submission(ROOT / "solutions", course.modules)
    faults: set[str] = set()
    gradings = lies = failed = 0
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        seed = options.seed + gradings
        rng = random.Random(seed)
        broker = LyingBroker(course.policy, list(course.modules), rng, rng.choice(RATES))
        report = grade(course, submission, broker, seed=seed, fit="off")
        json.render(report).encode()
        junit.render(report).encode()
        console.show(report, Console(file=io.StringIO()))
        for fault, trace in report.faults:
            if fault not in faults:
                print(f"--seed {seed}: {fault}\n{trace}\n", flush=True)
                faults.add(fault)
        gradings, lies = gradings + 1, lies + broker.lies
        failed += sum(check.status == "failed" for m in report.modules for check in m.checks)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{gradings:,} gradings, {lies:,} replies that lie, {failed:,} failed checks, "
        f"{len(faults)} faults of the grader; at most {peak:,} MiB"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
