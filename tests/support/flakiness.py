"""Grades right submissions under many seeds: each of them has to pass every check.

    python tests/support/flakiness.py --seeds 500                  # the reference solutions
    python tests/support/flakiness.py --seeds 50 --fit quick
    python tests/support/flakiness.py --seeds 50 --variants        # those of the bank, written differently

Exits with 1 where a check failed or a fault occurred; a seed that it names repeats the run exactly.
"""

import argparse
import os
import sys
import time
from collections.abc import Mapping

from rich.console import Console
from rich.progress import track

from autograder.bank import Bank
from autograder.broker import Broker
from autograder.course import OFF, Course, course_root, load_course
from autograder.export.view import message
from autograder.pool import each
from tower_student.submission import Submission

Job = tuple[int, str, str, Mapping[str, bytes], tuple[str, ...]]
"""A seed, the fit, a name, what differs from solutions/, and the modules to grade."""


def failures(course: Course, broker: Broker, job: Job) -> list[str]:
    """What went wrong under one seed, as sentences."""
    from autograder.grading import grade

    seed, fit, name, changes, only = job
    solutions = Bank(course.root).solutions(course.modules)
    submission = Submission(name, solutions | changes, {})
    report = grade(course, submission, broker, seed=seed, fit=fit, only=only)
    wrong = [
        f"{name}, seed {seed}: {check.id}: {message(check)}"
        for module in report.modules
        for check in module.checks
        if check.status == "failed"
    ]
    return wrong + [
        f"{name}, seed {seed}: the grader failed: {fault}" for fault, _ in report.faults
    ]


def main() -> int:
    """Run, and print what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=500)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--fit", default=OFF)
    parser.add_argument("--only", default="", help="modules, as in linear,conv2d")
    parser.add_argument("--variants", action="store_true", help="those of the bank")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    only = tuple(filter(None, arguments.only.split(",")))
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    course = load_course(course_root())
    submissions: list[tuple[str, Mapping[str, bytes], tuple[str, ...]]] = [("solutions", {}, only)]
    if arguments.variants:
        submissions = [
            (f"{v.module}__{v.name}", {v.module: v.source}, (v.module,))
            for v in Bank(course.root).variants()
            if not only or v.module in only
        ]
    jobs: list[Job] = [(seed, arguments.fit, *one) for seed in seeds for one in submissions]
    started = time.perf_counter()
    done = each(failures, course, jobs, arguments.processes)
    shown = track(done, "grading what is right", len(jobs), console=Console(stderr=True))
    wrong = [sentence for _, sentences in shown for sentence in sentences]
    print("\n".join(wrong))
    print(
        f"{len(jobs)} gradings of {len(submissions)} with --fit {arguments.fit}, seeds {seeds.start} to "
        f"{seeds.stop - 1}: {len(wrong)} failures, in {time.perf_counter() - started:.0f} s"
    )
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
