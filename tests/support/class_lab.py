"""A whole class under attack: from within, by the bank of attacks, and from without, by kill -9.

    python tests/support/class_lab.py --attacks          the whole bank and honest submissions, in one class
    python tests/support/class_lab.py --kills 20         a class of fifty, killed at so many random moments

Afterwards every submission has to have its result, once, and the honest ones what each gets alone. Ends with
1 where that is not so.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from attack_lab import POLICY, attacks, limits, submitted, wrong_linear
from lab_subject import load, speak
from lab_world import ROOT, World
from ways import class_of

from autograder.broker import Broker
from autograder.classroom.gradebook import Gradebook
from autograder.course import Course, load_course
from autograder.export.view import message
from autograder.grading import grade, prepare_process
from autograder.report import Report
from tower_student.submission import Submission

SEED = 5
HONEST = 24
LIMITS = ("import_seconds", "check_seconds", "scratch", "output", "reply", "cpu_seconds")
"""Of the lab, which lets attacks wait as briefly as an honest submission can bear."""


def course_of(folder: Path) -> Course:
    """A copy of the course with the lab's limits."""
    for name in ("tests/hidden", "assignments/tests"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copytree(ROOT / "solutions", folder / "solutions")
    settings = (ROOT / "course.toml").read_text(encoding="utf-8").partition("[limits]")[0]
    lines = [f"{name} = {POLICY[name]}" for name in LIMITS]
    (folder / "course.toml").write_text("\n".join([settings, "[limits]", *lines, ""]))
    return load_course(folder)


def run_class(course: Course, folder: Path, out: Path, module: str) -> subprocess.Popen[bytes]:
    """`tower class` over a folder, one module of each."""
    command = [sys.executable, "-m", "autograder", "class", str(folder), "--out", str(out)]
    command += ["--fit", "off", "--only", module, "--seed", str(SEED), "--course", str(course.root)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def essence(report: Report) -> list[tuple[str, str, float, str]]:
    """What may not differ between two gradings of one submission."""
    return [(c.id, c.status, c.score, message(c)) for m in report.modules for c in m.checks]


def alone(course: Course, sources: dict[str, bytes], module: str, broker: Broker) -> Report:
    """The report of a submission that is graded by itself."""
    submission = Submission("alone", sources, {})
    return grade(course, submission, broker, seed=SEED, fit="off", only=[module])


def compare(
    course: Course, out: Path, names: set[str], texts: dict[str, bytes], module: str
) -> Iterator[str]:
    """What is wrong with the results: missing, doubled, or other than alone."""
    with Gradebook(out, make=False) as book, Broker(course.policy, [course.root]) as broker:
        settings = book.last_settings()
        assert settings
        gradings = book.gradings(settings)
        counted = Counter(grading.student for grading in gradings)
        for name in sorted(names - counted.keys() - book.troubles().keys()):
            yield f"{name} has no result"
        for name, count in counted.items():
            if count > 1:
                yield f"{name} has {count} results"
        for grading in gradings:
            if grading.student in texts:
                by_itself = alone(course, {module: texts[grading.student]}, module, broker)
                if essence(book.report(grading.id)) != essence(by_itself):
                    yield f"{grading.student} has another result than alone"


def under_attack(folder: Path) -> Iterator[str]:
    """The whole bank in one class, between honest submissions."""
    course, world = course_of(folder / "course"), World(limits())
    classes, out = folder / "class", folder / "results"
    texts = class_of("linear", HONEST, classes, step=5, prefix="honest")
    names = set(texts)
    world.plant()
    try:
        for attack in attacks():
            name = f"attack-{attack.name}"
            names.add(name)
            source = submitted(attack, world, os.getpid(), world.packages)
            request = {"source": source, "name": attack.name}
            if attack.kind == "build":
                inbox = folder / "inboxes" / name
                inbox.mkdir(parents=True)
                (inbox / "secret.py").write_text(f"SECRET = {world.secret('hidden test')!r}\n")
                made = load(request).build(inbox)
                if made.is_dir():
                    shutil.move(made, classes / name)
                else:
                    shutil.move(made, classes / f"{name}{made.suffix}")
                continue
            text = speak(load(request).text()) if attack.kind == "text" else source
            (classes / name).mkdir()
            (classes / name / "linear.py").write_text(text, encoding="utf-8", errors="replace")
        started = time.monotonic()
        process = run_class(course, classes, out, "linear")
        _, stderr = process.communicate()
        print(f"{len(names)} submissions in {time.monotonic() - started:.0f} s")
        if process.returncode not in (0, 3):
            yield f"tower class ended with {process.returncode}: {stderr.decode()[-500:]}"
            return
        if process.returncode == 3:
            yield f"something could not be judged: {stderr.decode()[-500:]}"
        yield from world.evidence()
        with Broker(course.policy, [course.root]) as broker:
            twin = alone(course, {"linear": wrong_linear().encode()}, "linear", broker)
        earned = {check for check, status, *_ in essence(twin) if status == "passed"}
        with Gradebook(out, make=False) as book:
            settings = book.last_settings()
            assert settings
            for grading in book.gradings(settings):
                if grading.student.startswith("attack-"):
                    report = book.report(grading.id)
                    passed = {check for check, status, *_ in essence(report) if status == "passed"}
                    kind = grading.student.removeprefix("attack-")
                    if passed - earned and kind not in HARMLESS:
                        yield f"{grading.student} passes {sorted(passed - earned)}"
                    yield from world.leaks(repr(report))
        yield from compare(course, out, names, texts, "linear")
    finally:
        world.close()


HARMLESS = {a.name for a in attacks() if a.kind in ("build", "text")}
"""Their code is right: they are after the reader of files, or after whoever reads the report."""


def under_kills(folder: Path, kills: int, size: int) -> Iterator[str]:
    """The same command again and again, killed at random moments, until it comes to its end."""
    course, rng = load_course(ROOT), random.Random(kills)
    classes, out = folder / "class", folder / "results"
    texts = class_of("conv2d", size, classes, step=5, prefix="honest")
    done = 0
    while done < kills:
        process = run_class(course, classes, out, "conv2d")
        try:
            process.wait(rng.uniform(0.2, 5.0))
            yield f"the class came to its end after {done} kills; make it larger"
            return
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            done += 1
            graded = 0
            if (out / "gradebook.sqlite").exists():
                with Gradebook(out, make=True) as book:
                    settings = book.last_settings()
                    graded = len(book.gradings(settings)) if settings else 0
            print(f"kill {done:2}: {graded} of {size} graded", flush=True)
    process = run_class(course, classes, out, "conv2d")
    _, stderr = process.communicate()
    if process.returncode != 0:
        yield f"tower class ended with {process.returncode}: {stderr.decode()[-500:]}"
    yield from compare(course, out, set(texts), texts, "conv2d")


def main() -> int:
    """Run what is asked for; say what is wrong."""
    prepare_process()
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--attacks", action="store_true")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--size", type=int, default=50)
    arguments = parser.parse_args()
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        if arguments.attacks:
            (Path(name) / "attacks").mkdir()
            wrong += under_attack(Path(name) / "attacks")
        if arguments.kills:
            (Path(name) / "kills").mkdir()
            wrong += under_kills(Path(name) / "kills", arguments.kills, arguments.size)
    print("\n".join(wrong) or "Every result is there, once, and right.")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
