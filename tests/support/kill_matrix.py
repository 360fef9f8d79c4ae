"""The kill matrix: every wrong submission of the bank against every check of its module.

    python tests/support/kill_matrix.py --markdown docs/kill-matrix.md --picture docs/kill-matrix.png

`--again F` writes page and picture anew from what `--json F` has kept. Ends with 1 if a mutant survives,
a variant is harmed, a cause that the bank demands is not named, or a check kills nothing.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from operator import itemgetter
from pathlib import Path

from helpers import without_stand_ins
from matrix_pages import About, Outcome, kills, markdown, picture
from rich.console import Console
from rich.progress import track

from autograder.bank import Bank
from autograder.broker import Broker
from autograder.course import GPU_CHECKS, Course, course_root, load_course
from autograder.errors import CourseError
from autograder.export.view import message
from autograder.pool import each
from tower_student.submission import Submission

SEED = 3


@dataclass(frozen=True, kw_only=True)
class Job(About):
    """One submission to grade: a module of the bank beside the solutions of the others."""

    source: bytes


def jobs(
    course: Course, modules: Sequence[str], only: str, *, machine: bool, fit: bool
) -> Iterator[Job]:
    """The bank, in the order of the course."""
    bank = Bank(course.root)
    for module in modules:
        for mutant in bank.mutants(module):
            if mutant.check.partition(".")[2] not in course.modules[module].weights:
                raise CourseError(
                    f"The mutant {mutant.name} names {mutant.check}, which is no check."
                )
        made = [
            Job(
                kind="mutant",
                module=module,
                name=m.name,
                says=m.misconception,
                aimed_at=m.check.partition(".")[2],
                cause=m.cause,
                source=m.source,
            )
            for m in bank.mutants(module)
            if fit or not course.is_long(m.check)
        ]
        if machine:
            made += [
                Job(
                    kind="machine",
                    module=module,
                    name=m.name,
                    says=m.change,
                    equivalent=m.equivalent,
                    source=m.source,
                )
                for m in bank.machine_mutants(module)
            ]
        made += [
            Job(kind="variant", module=module, name=v.name, source=v.source)
            for v in bank.variants()
            if v.module == module
        ]
        yield from (job for job in made if only in f"{module}.{job.name}")


def judge(course: Course, broker: Broker, job: Job) -> Outcome:
    """Grade one module; the fit only where it is what has to catch the mutant."""
    from autograder.grading import grade

    bank = Bank(course.root)
    solutions = bank.solutions(course.modules)
    submission = Submission(job.name, solutions | {job.module: job.source}, {})
    fit = "quick" if job.aimed_at in course.modules[job.module].long else "off"
    on_gpu = job.kind == "variant" or job.aimed_at.startswith(GPU_CHECKS)
    device = "simulated" if on_gpu else "cpu"
    report = grade(course, submission, broker, seed=SEED, fit=fit, device=device, only=[job.module])
    checks = [check for module in report.modules for check in module.checks]
    failed = {c.id.partition(".")[2]: message(c) for c in checks if c.status == "failed"}
    causes = {c.cause_id: c.cause for c in checks if c.cause_id}
    about = {field.name: getattr(job, field.name) for field in fields(About)}
    return Outcome(
        **about, failed=failed, causes=causes, faults=[fault for fault, _ in report.faults]
    )


def run(course: Course, wanted: Sequence[Job], processes: int) -> list[Outcome]:
    """Grade them all, in so many processes, showing progress."""
    found = each(judge, without_stand_ins(course), wanted, processes)
    shown = track(found, "grading the bank", len(wanted), console=Console(stderr=True))
    return [outcome for _, outcome in sorted(shown, key=itemgetter(0))]


def complaints(outcomes: Sequence[Outcome], course: Course, *, whole: bool) -> Iterator[str]:
    """What must not be: survivors, harmed variants, faults and, in a whole run, idle checks."""
    for o in outcomes:
        where = f"{o.module}.{o.name}"
        if o.faults:
            yield f"{where}: the grader failed: {'; '.join(o.faults)}"
        if o.kind == "variant" and o.failed:
            yield f"{where} is right, and yet failed {', '.join(o.failed)}"
        if o.kind == "mutant" and o.aimed_at not in o.failed:
            yield f"{where} was not caught by {o.aimed_at}: {o.says}"
        if o.kind == "mutant" and o.cause and not o.is_named:
            yield f"{where}: the cause {o.cause} is not named: {list(o.causes)}"
        if o.kind == "machine" and not o.failed and not o.equivalent:
            yield f"{where} survives: {o.says}"
        if o.kind == "machine" and o.failed and o.equivalent:
            yield f"{where} is listed as equivalent, and yet failed {', '.join(o.failed)}"
    if whole:
        caught = kills(o for o in outcomes if o.kind != "variant")
        for module in course.modules.values():
            for check in module.weights:
                if not caught[f"{module.name}.{check}"]:
                    yield f"{module.name}.{check} kills nothing"


def main() -> int:
    """Run, write what is asked for, say what must not be."""
    course = load_course(course_root())
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--module", choices=course.modules, action="append")
    parser.add_argument("--only", default="", help="part of a name")
    parser.add_argument("--no-machine", action="store_true", help="leave out machine-made mutants")
    parser.add_argument("--no-fit", action="store_true", help="leave out what only the fit catches")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--again", type=Path, help="outcomes of an earlier run, as JSON")
    arguments = parser.parse_args()
    chosen = arguments.module or list(course.modules)
    wanted = list(
        jobs(
            course,
            chosen,
            arguments.only,
            machine=not arguments.no_machine,
            fit=not arguments.no_fit,
        )
    )
    started = time.perf_counter()
    if arguments.again:
        outcomes = [Outcome(**kept) for kept in json.loads(arguments.again.read_text())]
    else:
        outcomes = run(course, wanted, arguments.processes)
    taken = time.perf_counter() - started
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(o) for o in outcomes], indent=1))
    if arguments.markdown:
        arguments.markdown.write_text(markdown(outcomes, course), encoding="utf-8")
    if arguments.picture:
        picture(outcomes, course, arguments.picture)
    part = (arguments.only, arguments.module, arguments.no_machine, arguments.no_fit)
    whole = not any(part)
    wrong = list(complaints(outcomes, course, whole=whole))
    print("\n".join(wrong) or "Every wrong submission was caught, and no right one harmed.")
    print(f"{len(outcomes)} submissions in {taken:.0f} s on {arguments.processes} processes")
    return bool(wrong)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CourseError as error:
        sys.exit(str(error))
