"""A class graded by this kit and by others, with the same checks and the fit off, as ratios within one run.

    python benchmarks/classroom.py --markdown docs/class-speed.md

(a) tower class             full isolation, a grader for each core
(b) plain pytest            started for each submission, the student's code in its process
(c) nbgrader autograde      a notebook for each submission, a graded cell for each check
(d) otter run               the same notebook, a test case for each check
(e) one interpreter         the same checks called in one warm process, no isolation: the limit

Then growth: classes of 10, 100 and 1,000, seconds and memory for each submission. Every class is half right
and half wrong, from the bank; no two submissions are alike.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import psutil
from inprocess import LEFT_OUT, grade
from nbformat.v4 import new_code_cell, new_notebook

from autograder.bank import Bank
from autograder.broker import Broker, Worker
from autograder.classroom import Job, graded
from autograder.classroom.gradebook import Gradebook, Settings
from autograder.course import Course, course_root, load_course
from autograder.sandbox import protocol
from tower_student.files import write_whole
from tower_student.submission import read_submission

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
SIZE, SLICE = 100, 20
"""Of the class, and of the part of it that the others grade: each of its submissions takes them as long."""
GROWTH = (10, 100, 1000)
KINDS = 10
"""Of submissions in a class."""
SAMPLE_SECONDS = 0.25
TARGETS = {"plain pytest": 5.0, "nbgrader autograde": 8.0, "otter run": 15.0}
"""Submissions a minute of this kit over theirs, at least."""
OFF = Settings("off", "cpu")
LIMIT = 2.0
"""Seconds per submission and core of this kit over those of one interpreter without isolation, at most."""


def make_class(course: Course, folder: Path, count: int, kinds: int) -> None:
    """So many submissions: solutions, and mutants of one or two modules, in turn; no two alike.

    They differ in a comment where there are fewer `kinds`, so that classes of any size take as long for each.
    """
    bank, rng = Bank(course.root), random.Random(kinds)
    solutions = bank.solutions(course.modules)
    mutants = {module: list(bank.mutants(module)) for module in course.modules}
    made = []
    for kind in range(kinds):
        files = dict(solutions)
        if kind % 2:
            for module in rng.sample(list(course.modules), rng.choice([1, 2])):
                files[module] = rng.choice(mutants[module]).source
        made.append(files)
    for number in range(count):
        student = folder / f"student{number:04}"
        student.mkdir(parents=True)
        for module, text in made[number % kinds].items():
            (student / f"{module}.py").write_bytes(text + f"\n# {number}\n".encode())


@dataclass
class Memory:
    """What a run's processes take, looked at now and then, in MiB; private memory is what only they have."""

    graders: dict[int, list[float]] = field(default_factory=dict)
    workers: list[float] = field(default_factory=list)

    def look(self, root: psutil.Process) -> None:
        """Add what there is now: graders are the pool's processes, workers the zygotes' grandchildren."""
        for process in root.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                lines = [" ".join(p.cmdline()) for p in (process, *process.parents())]
                if "spawn_main" in lines[0]:
                    self.graders.setdefault(process.pid, []).append(
                        process.memory_info().rss / 2**20
                    )
                # Beside a worker, its zygote and what waits for that outside their namespaces.
                elif sum("zygote.py" in line for line in lines) > 2:
                    self.workers.append(process.memory_full_info().uss / 2**20)

    @property
    def growth(self) -> float:
        """Of a grader, from the first quarter of its looks to the last, in MiB; the largest of all."""
        grown = [0.0]
        for seen in self.graders.values():
            quarter = max(1, len(seen) // 4)
            grown.append(
                statistics.median(seen[-quarter:])
                - statistics.median(seen[quarter : 2 * quarter] or seen)
            )
        return max(grown)


@dataclass(frozen=True)
class Run:
    """One way to grade, measured: submissions, seconds in all."""

    name: str
    count: int
    seconds: float

    @property
    def each(self) -> float:
        """Seconds for one submission."""
        return self.seconds / self.count


def tower(classes: Path, work: Path, memory: Memory | None = None) -> Run:
    """(a) As it comes: a grader for each core."""
    command = [str(BIN / "tower"), "class", str(classes), "--out", str(work / "results")]
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--fit", "off"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    if memory:
        root = psutil.Process(process.pid)
        while process.poll() is None:
            memory.look(root)
            time.sleep(SAMPLE_SECONDS)
    if process.wait() != 0:
        raise RuntimeError("tower class failed")
    return Run("tower class", len(os.listdir(classes)), time.perf_counter() - started)


def plain(classes: Path, work: Path) -> Run:
    """(b) One process after the other."""
    tests = course_root() / "tests" / "hidden"
    options = ["-q", "-p", "inprocess", "-c", os.devnull, "--rootdir", str(tests)]
    options += ["--import-mode", "importlib", "-p", "no:cacheprovider"]
    started = time.perf_counter()
    for student in sorted(classes.iterdir()):
        command = [
            sys.executable,
            "-m",
            "pytest",
            str(tests),
            *options,
            "--submission",
            str(student),
        ]
        _run(command, work, codes={0, 1})
    return Run("plain pytest", len(os.listdir(classes)), time.perf_counter() - started)


def checks_of(course: Course) -> list[str]:
    """The ids of the checks that are compared."""
    return [
        f"{module.name}.{check}"
        for module in course.modules.values()
        for check in module.weights
        if not check.startswith(LEFT_OUT)
    ]


def module_cells(student: Path) -> list[nbformat.NotebookNode]:
    """The student's modules as cells that write them beside the notebook."""
    return [
        new_code_cell(
            f"%%writefile {path.name}\n{path.read_text()}",
            id=f"module-{path.stem}".replace("_", "-"),
        )
        for path in sorted(student.glob("*.py"))
    ]


KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def nbgrader(course: Course, classes: Path, work: Path) -> Run:
    """(c), as it comes: the default preprocessors, one kernel for each notebook."""
    (work / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.course_id = 'benchmark'\nc.Execute.timeout = 300\n"
    )
    mark = {"schema_version": 3, "locked": True, "task": False}
    graded = [
        new_code_cell(
            f"import inprocess\ninprocess.run({check!r})",
            id=f"check-{i}",
            metadata={
                "nbgrader": mark
                | {"grade_id": f"check-{i}", "grade": True, "solution": False, "points": 1}
            },
        )
        for i, check in enumerate(checks_of(course))
    ]

    def notebook(cells: list[nbformat.NotebookNode]) -> nbformat.NotebookNode:
        for cell in cells:
            own = {"grade_id": cell["id"], "grade": False, "solution": True, "locked": False}
            cell.metadata["nbgrader"] = mark | own
        return new_notebook(cells=[*cells, *graded], metadata=KERNEL)

    source = work / "source" / "tower"
    source.mkdir(parents=True)
    nbformat.write(notebook(module_cells(course.root / "solutions")), source / "tower.ipynb")
    _run([str(BIN / "nbgrader"), "generate_assignment", "tower"], work)
    for student in classes.iterdir():
        target = work / "submitted" / student.name / "tower"
        target.mkdir(parents=True)
        nbformat.write(notebook(module_cells(student)), target / "tower.ipynb")
    started = time.perf_counter()
    _run([str(BIN / "nbgrader"), "autograde", "tower"], work)
    return Run("nbgrader autograde", len(os.listdir(classes)), time.perf_counter() - started)


def otter(course: Course, classes: Path, work: Path) -> Run:
    """(d), one call for each submission."""
    cases = "\n\n".join(
        f"@test_case(points=1)\ndef test_{i}(env):\n    inprocess.run({check!r})"
        for i, check in enumerate(checks_of(course))
    )
    tests = textwrap.dedent(
        """\
        OK_FORMAT = False

        import inprocess
        from otter.test_files import test_case

        name = "checks"
        points = None


        """
    )
    archive = work / "autograder.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("tests/checks.py", tests + cases + "\n")
        file.writestr("otter_config.json", json.dumps({"show_stdout": False, "show_hidden": True}))
    seconds = 0.0
    for student in sorted(classes.iterdir()):
        out = work / student.name
        out.mkdir()
        nbformat.write(
            new_notebook(cells=module_cells(student), metadata=KERNEL), out / "tower.ipynb"
        )
        started = time.perf_counter()
        command = [
            str(BIN / "otter"),
            "run",
            "-a",
            str(archive),
            "-o",
            str(out),
            "--no-logo",
            "tower.ipynb",
        ]
        _run(command, out)
        seconds += time.perf_counter() - started
        found = json.loads((out / "results.json").read_text())["tests"]
        if "checks" not in [test["name"] for test in found]:
            raise RuntimeError(f"otter graded nothing: {found}")
    return Run("otter run", len(os.listdir(classes)), seconds)


def one_interpreter(course: Course, classes: Path) -> Run:
    """(e) After one submission that is not counted."""
    submissions = [
        read_submission(student, course.modules) for student in sorted(classes.iterdir())
    ]
    grade(submissions[0])  # what is imported and met for the first time
    started = time.perf_counter()
    for submission in submissions:
        grade(submission)
    return Run("one interpreter", len(submissions), time.perf_counter() - started)


def _run(
    command: list[str], folder: Path, codes: frozenset[int] | set[int] = frozenset({0})
) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": str(HERE),
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "PYTHONWARNINGS": "ignore",  # nbgrader takes any warning for a failure
    }
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode not in codes:
        raise RuntimeError(f"{command[:3]} ended with {done.returncode}: {done.stderr[-2000:]}")


def between(course: Course, classes: Path) -> Iterator[str]:
    """What a submission costs beside its checks, on one core: counted, and timed by itself."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    submissions = [
        read_submission(student, course.modules) for student in sorted(classes.iterdir())
    ]
    counts = {"workers": 0, "exchanges": 0, "questions": 0}

    class Counting(Broker):
        def worker(self, *, gpu: bool = False) -> Worker:
            counts["workers"] += 1
            worker = super().worker(gpu=gpu)
            genuine = worker.ask_all

            def ask_all(questions: Any) -> Any:
                counts["exchanges"] += 1
                counts["questions"] += len(questions)
                return genuine(questions)

            worker.ask_all = ask_all  # type: ignore[method-assign]
            return worker

    with Counting(course.policy, [course.root]) as broker:
        broker.start()
        graded(course, broker, Job(submissions[0], OFF, 7))
        for name in counts:
            counts[name] = 0
        started = time.perf_counter()
        for submission in submissions:
            graded(course, broker, Job(submission, OFF, 7))
        whole = (time.perf_counter() - started) / len(submissions)
        each = {name: count / len(submissions) for name, count in counts.items()}
        start = seconds_of(lambda: broker.worker().close(), 30)
        with broker.worker() as worker:
            ping = seconds_of(lambda: worker.ask(protocol.Threads(1)), 500)
    alone = one_interpreter(course, classes).each
    rows = {
        "the checks, in one interpreter without isolation": alone,
        f"{each['workers']:.0f} workers, started and locked down, {1e3 * start:.1f} ms each": (
            each["workers"] * start
        ),
        f"{each['exchanges']:.0f} exchanges of {each['questions']:.0f} questions, {1e3 * ping:.2f} ms or "
        "more each": each["exchanges"] * ping,
    }
    rows["pytest; failed checks judged once more; memory that is cold after a fork or a switch"] = (
        whole - sum(rows.values())
    )
    yield "| of a submission, on one core | seconds |"
    yield "|---|---:|"
    yield from (f"| {what} | {seconds:.2f} |" for what, seconds in rows.items())
    yield f"| together | {whole:.2f} |"


def seconds_of(work: Callable[[], object], times: int) -> float:
    """Of one call, in the mean."""
    started = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - started) / times


def main() -> None:
    """Measure, print, and write the page as far as it has come."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=SIZE, help="submissions of the class")
    parser.add_argument("--slice", type=int, default=SLICE, help="those that the others grade")
    parser.add_argument("--growth", default=",".join(map(str, GROWTH)))
    parser.add_argument("--markdown", type=Path)
    arguments = parser.parse_args()
    course, cores = load_course(course_root()), len(os.sched_getaffinity(0))
    lines = heading(arguments.size, arguments.slice, cores)

    def tell(*more: str) -> None:
        lines.extend(more)
        print("\n".join(more), flush=True)
        if arguments.markdown:
            write_whole(arguments.markdown, "\n".join(lines) + "\n")

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole, classes = folder / "whole", folder / "class"
        make_class(course, whole, arguments.size, KINDS)
        make_class(course, classes, arguments.slice, KINDS)
        ways: list[Callable[[Path], Run]] = [
            lambda work: tower(whole, work),
            lambda work: plain(classes, work),
            lambda work: nbgrader(course, classes, work),
            lambda work: otter(course, classes, work),
            lambda work: one_interpreter(course, classes),
        ]
        runs = []
        for number, measure in enumerate(ways):
            work = folder / f"work{number}"
            work.mkdir()
            runs.append(measure(work))
            print(f"{runs[-1].name:20} {runs[-1].each:7.2f} s a submission", flush=True)
        tell(*table(runs, cores), "")
        tell("## What stands between", "", *between(course, classes), "")
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
        start = start_of(course, folder, cores)
        tell(*growth_heading(start))
        for count in map(int, filter(None, arguments.growth.split(","))):
            grown = folder / f"class{count}"
            make_class(course, grown, count, KINDS)
            work = folder / f"growth{count}"
            work.mkdir()
            memory = Memory()
            tell(growth_line(tower(grown, work, memory), memory, start))
            shutil.rmtree(grown)


def start_of(course: Course, folder: Path, cores: int) -> float:
    """Seconds that `tower class` takes until its graders are warm: of a class that has one for each."""
    classes, work = folder / "few", folder / "start"
    make_class(course, classes, cores, 1)
    work.mkdir()
    run = tower(classes, work)
    with Gradebook(work / "results", make=False) as book:
        longest = max(book.report(grading.id).seconds for grading in book.gradings(OFF))
    return run.seconds - longest


def table(runs: list[Run], cores: int) -> Iterator[str]:
    """The ways to grade, one beside the other."""
    ours = runs[0]
    yield "| | seconds a submission | submissions a minute | `tower class` is … times as fast | wanted |"
    yield "|---|---:|---:|---:|---:|"
    for run in runs:
        ratio = run.each / ours.each
        wanted = f"{TARGETS[run.name]:g}" if run.name in TARGETS else ""
        yield f"| {run.name} | {run.each:.2f} | {60 / run.each:.1f} | {ratio:.1f} | {wanted} |"
    limit = ours.each * cores / runs[-1].each
    yield ""
    yield (
        f"Per core, `tower class` takes {limit:.2f} times what the same checks take in one warm interpreter "
        f"without isolation (wanted: at most {LIMIT:g})."
    )


def growth_heading(start: float) -> Iterator[str]:
    """Of the second table."""
    yield "## Growth"
    yield ""
    yield (
        f"`tower class` takes {start:.1f} s until its graders are warm; seconds each are without these."
    )
    yield "Memory is looked at four times a second; a worker's is what it alone has."
    yield ""
    yield "| submissions | seconds | seconds each | a grader grew, MiB | a worker's memory, MiB | at most |"
    yield "|---:|---:|---:|---:|---:|---:|"


def growth_line(run: Run, memory: Memory, start: float) -> str:
    """One class of the second table."""
    workers = memory.workers or [0.0]
    return (
        f"| {run.count} | {run.seconds:.0f} | {(run.seconds - start) / run.count:.2f} | "
        f"{memory.growth:+.0f} | {statistics.median(workers):.0f} | {max(workers):.0f} |"
    )


def heading(size: int, part: int, cores: int) -> list[str]:
    """Of docs/class-speed.md."""
    return [
        "# How fast a class is graded",
        "",
        f"Written by `make benchmark-class` on a machine with {cores} cores, with the fit off: a class of",
        f"{size}, half of them right, graded by `tower class` with all that it does, its start among it, and",
        f"the first {part} of them by the others as they come: one submission after the other, the same",
        "checks. Only ratios mean something elsewhere.",
        "",
    ]


if __name__ == "__main__":
    main()
