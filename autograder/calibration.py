"""What a long check can tell apart: the solutions over many seeds, and submissions that are wrong.

Its plans hold `threshold`, which is compared with what the check measures: a share between 0 and 1. From the
spread of the reference follows the threshold: the highest at which a right submission fails by chance less
often than once in 10,000. The broken ones show what it is worth.
"""

import io
import json
import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from autograder.bank import Bank
from autograder.broker import Broker
from autograder.course import FILE as COURSE
from autograder.course import Course, Plan
from autograder.errors import CourseError
from autograder.pool import each
from tower_student.files import write_whole
from tower_student.language import plural, tr
from tower_student.submission import Submission

FILE = "calibration.json"
"""Beside course.toml; a picture of the same name, .svg, lies beside it."""
SCHEMA = 1
REFERENCE = "reference"
CHANCE = 1e-4
"""Of a false reject, at most."""
STEP = 0.005
"""Thresholds are multiples of it."""


@dataclass(frozen=True)
class Job:
    """One run of the long check, by its full id, over one subject."""

    subject: str
    sources: Mapping[str, bytes]
    mode: str
    seed: int
    check: str


@dataclass(frozen=True)
class Subject:
    """What one submission reached with each seed; None where the check came to no number."""

    name: str
    says: str
    accuracies: tuple[float | None, ...]

    @property
    def reached(self) -> list[float]:
        """Of the fits that came to an end."""
        return [accuracy for accuracy in self.accuracies if accuracy is not None]


@dataclass(frozen=True)
class Calibration:
    """One mode of the fit, measured."""

    mode: str
    steps: int
    reference: Subject
    broken: tuple[Subject, ...]

    @property
    def mean(self) -> float:
        """Of the reference's accuracies."""
        return statistics.mean(self.reference.reached)

    @property
    def deviation(self) -> float:
        """Standard deviation of the reference's accuracies."""
        return statistics.stdev(self.reference.reached)

    def false_reject(self, threshold: float) -> float:
        """The chance that the reference stays below the threshold in a further fit.

        Logarithms of error rates are taken for normal, since errors multiply; mean and deviation are
        themselves known from these fits alone, so the next one follows Student's t (the prediction
        interval of a normal sample).
        """
        from scipy.stats import t

        logs = [math.log(1 - accuracy) for accuracy in self.reference.reached]
        n = len(logs)
        deviations = (math.log(1 - threshold) - statistics.mean(logs)) / statistics.stdev(logs)
        return float(t.sf(deviations / math.sqrt(1 + 1 / n), n - 1))

    @property
    def threshold(self) -> float:
        """The highest multiple of STEP with a chance of a false reject below CHANCE; 0 where none has."""
        steps = int(max(self.reference.reached) / STEP)
        safe = (i for i in range(steps, 0, -1) if self.false_reject(i * STEP) < CHANCE)
        return round(next(safe, 0) * STEP, 4)

    def as_json(self) -> dict[str, Any]:
        """What is kept of it."""
        return {
            "steps": self.steps,
            "mean": round(self.mean, 5),
            "deviation": round(self.deviation, 5),
            "threshold": self.threshold,
            "false_reject": float(f"{self.false_reject(self.threshold):.2g}"),
            "reference": asdict(self.reference),
            "broken": [asdict(subject) for subject in self.broken],
        }


def measure(
    course: Course,
    mode: str,
    *,
    seeds: int,
    broken_seeds: int,
    processes: int,
    progress: Callable[[str, float], None],
) -> Calibration:
    """Run the course's long check over the solutions and what the bank names as broken.

    Raises CourseError where there is no such check, or the bank or a solution cannot be read, GraderFault
    where no worker can be had.
    """
    check = long_check(course)
    module = check.partition(".")[0]
    bank = Bank(course.root)
    solutions = bank.solutions(course.modules)
    broken = [mutant for mutant in bank.mutants(module) if mutant.calibrates]
    says = {REFERENCE: "solutions/"} | {mutant.name: mutant.misconception for mutant in broken}
    jobs = [Job(REFERENCE, solutions, mode, seed, check) for seed in range(seeds)]
    jobs += [
        Job(mutant.name, {**solutions, module: mutant.source}, mode, seed, check)
        for mutant in broken
        for seed in range(broken_seeds)
    ]
    found: dict[int, float | None] = {}
    for number, accuracy in each(fit, course, jobs, processes):
        found[number] = accuracy
        job = jobs[number]
        text = tr(
            "{plan} fit, {subject}, seed {seed}", plan=job.mode, subject=job.subject, seed=job.seed
        )
        progress(text, len(found) / len(jobs))

    def subject(name: str) -> Subject:
        reached = tuple(found[i] for i, job in enumerate(jobs) if job.subject == name)
        return Subject(name, says[name], reached)

    wrong = tuple(subject(mutant.name) for mutant in broken)
    return Calibration(mode, int(course.fits[mode].get("steps", 0)), subject(REFERENCE), wrong)


def long_check(course: Course) -> str:
    """The full id of the check that is calibrated. Raises CourseError where there is not exactly one."""
    checks = [f"{m.name}.{check}" for m in course.modules.values() for check in m.long]
    if len(checks) != 1:
        raise CourseError(
            plural(
                "{path} names {count} long check; calibrated is a course with one.",
                "{path} names {count} long checks; calibrated is a course with one.",
                len(checks),
                path=course.root / COURSE,
            )
        )
    return checks[0]


def fit(course: Course, broker: Broker, job: Job) -> float | None:
    """One run of the check, as a grading makes it; None where the submission does not come through."""
    from autograder.grading import grade

    plan = Plan({**course.fits[job.mode], "threshold": 0.0})  # a failure would be tried again
    course = replace(course, fits={**course.fits, job.mode: plan})
    submission = Submission(job.subject, job.sources, {})
    report = grade(course, submission, broker, seed=job.seed, fit=job.mode, checks=[job.check])
    (found,) = (c for module in report.modules for c in module.checks if c.id == job.check)
    if found.measured is None or found.status != "passed":
        if job.subject == REFERENCE:
            raise CourseError(
                tr(
                    "The solutions do not pass {check} themselves: {cause}",
                    check=job.check,
                    cause=found.cause,
                )
            )
        return None
    return round(found.measured.value, 6)


def write(found: Sequence[Calibration], path: Path) -> None:
    """Write the file; of each mode, what comes last. Raises TowerError."""
    kept = {calibration.mode: calibration for calibration in found}
    content = {
        "schema": SCHEMA,
        "torch": metadata.version("torch"),
        "fits": {mode: kept[mode].as_json() for mode in sorted(kept, reverse=True)},
    }
    write_whole(path, json.dumps(content, indent=1) + "\n")


def read(path: Path) -> Iterator[Calibration]:
    """What was measured before; nothing where there is no file. Raises CourseError."""
    if not path.exists():
        return
    try:
        fits = json.loads(path.read_text(encoding="utf-8"))["fits"]
        for mode, kept in fits.items():
            yield msgspec.convert({**kept, "mode": mode}, Calibration)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CourseError(
            tr(
                "{path} is not what tower calibrate writes: {error!r}. Remove it and measure again.",
                path=path,
                error=error,
            )
        ) from None


def plot(found: Sequence[Calibration], course: Course, path: Path) -> None:
    """Every fit as a point, by subject, and what is graded; as SVG. Raises TowerError."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullLocator

    figure = Figure(figsize=(9, 3.6 * len(found)), layout="constrained")
    for axes, calibration in zip(
        figure.subplots(len(found), squeeze=False)[:, 0], found, strict=True
    ):
        subjects = (calibration.reference, *calibration.broken)[::-1]
        for height, subject in enumerate(subjects):
            right = subject.name == REFERENCE
            # Logits of the accuracy: the scale on which 97 and 98 % lie as far apart as 6 and 9 %.
            axes.plot(
                [min(max(a, 1e-3), 1 - 1e-4) for a in subject.reached],
                [height] * len(subject.reached),
                "o" if right else "x",
                color="tab:blue" if right else "tab:red",
                alpha=0.6,
            )
        axes.set_xscale("logit", nonpositive="clip", use_overline=False)
        axes.set_xticks([0.05, 0.1, 0.3, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99])
        axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_yticks(range(len(subjects)), [subject.name for subject in subjects])
        graded = course.fits[calibration.mode]["threshold"]
        axes.axvline(graded, color="black", linewidth=1)
        axes.set_title(
            tr(
                "fit {plan}: {steps}, {seeds}, threshold {threshold:.1f} %",
                plan=calibration.mode,
                steps=plural("{count} step", "{count} steps", calibration.steps),
                seeds=plural("{count} seed", "{count} seeds", len(calibration.reference.reached)),
                threshold=100 * graded,
            ),
            fontsize=10,
        )
        axes.grid(axis="x", alpha=0.3)
    figure.supxlabel(tr("what {check} measures", check=long_check(course)), fontsize=10)
    text = io.StringIO()
    with rc_context({"svg.hashsalt": "tower", "svg.fonttype": "none"}):  # the same each time
        figure.savefig(text, format="svg", metadata={"Date": None})
    write_whole(path, text.getvalue())


def show(calibration: Calibration, course: Course, console: Console) -> None:
    """Print what was measured, and whether course.toml grades accordingly."""
    threshold = course.fits[calibration.mode]["threshold"]
    title = plural(
        "fit {plan}: {count} step, per cent",
        "fit {plan}: {count} steps, per cent",
        calibration.steps,
        plan=calibration.mode,
    )
    table = Table(title=title, title_justify="left")
    table.add_column("", no_wrap=True)
    for heading in (tr("fits"), tr("mean"), tr("range"), tr("above")):
        table.add_column(heading, justify="right")
    for subject in (calibration.reference, *calibration.broken):
        reached = [100 * accuracy for accuracy in subject.reached]
        spread = f" ± {statistics.stdev(reached):.2f}" if len(reached) > 1 else ""
        above = sum(accuracy >= 100 * threshold for accuracy in reached)
        table.add_row(
            subject.name,
            str(len(subject.accuracies)),
            f"{statistics.mean(reached):.2f}{spread}" if reached else "–",
            tr("{least:.2f} to {most:.2f}", least=min(reached), most=max(reached))
            if reached
            else "–",
            str(above),
        )
    console.print(table)
    console.print(
        tr(
            "Threshold by these fits: {found:.1f} %, with a chance of {chance:.1g} that a right submission "
            "stays below it. course.toml grades at {used:.1f} %: {chance_used:.1g}.",
            found=100 * calibration.threshold,
            chance=calibration.false_reject(calibration.threshold),
            used=100 * threshold,
            chance_used=calibration.false_reject(threshold),
        ),
        end="\n\n",
    )
