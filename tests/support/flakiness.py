"""Grades the reference solutions under many seeds: each of them has to pass every check.

    python tests/support/flakiness.py --seeds 500
    python tests/support/flakiness.py --seeds 50 --fit quick

Exits with 1 where a check failed or a fault occurred; a seed that it names repeats the run exactly.
"""

import argparse
import os
import sys
import time

from rich.console import Console
from rich.progress import track

from autograder.bank import Bank
from autograder.broker import Broker
from autograder.course import OFF, Course, course_root, load_course
from autograder.export.view import message
from autograder.pool import each
from tower_student.submission import Submission

Job = tuple[int, str, tuple[str, ...]]
"""A seed, the fit, and the modules to grade."""


def failures(course: Course, broker: Broker, job: Job) -> list[str]:
    """What went wrong under one seed, as sentences."""
    from autograder.grading import grade

    seed, fit, only = job
    bank = Bank(course.root)
    solutions = bank.solutions(course.modules)
    report = grade(
        course, Submission("solutions", solutions, {}), broker, seed=seed, fit=fit, only=only
    )
    wrong = [
        f"seed {seed}: {check.id}: {message(check)}"
        for module in report.modules
        for check in module.checks
        if check.status == "failed"
    ]
    return wrong + [f"seed {seed}: the grader failed: {fault}" for fault, _ in report.faults]


def main() -> int:
    """Run, and print what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=500)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--fit", default=OFF)
    parser.add_argument("--only", default="", help="modules, as in linear,conv2d")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    only = tuple(filter(None, arguments.only.split(",")))
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    jobs: list[Job] = [(seed, arguments.fit, only) for seed in seeds]
    started = time.perf_counter()
    done = each(failures, load_course(course_root()), jobs, arguments.processes)
    shown = track(done, "grading solutions/", len(jobs), console=Console(stderr=True))
    wrong = [sentence for _, sentences in shown for sentence in sentences]
    print("\n".join(wrong))
    print(
        f"{len(jobs)} gradings of solutions/ with --fit {arguments.fit}, seeds {seeds.start} to "
        f"{seeds.stop - 1}: {len(wrong)} failures, in {time.perf_counter() - started:.0f} s"
    )
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
