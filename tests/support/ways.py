"""The ways by which a submission reaches a grade, each ending in the same: points by check.

For what is handed in, see `handed_in`; the tests hold every way against `tower grade`.
"""

import json
import shutil
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from command import tower
from lab_world import ROOT
from workflow_lab import read_outputs, run_action

from autograder.bank import Bank
from autograder.course import Course
from autograder.report import CheckResult, Isolation, ModuleResult, Report

SEED = 11
Points = dict[str, tuple[str, float, float]]
"""By the id of a check: status, score, maximum."""
Files = Mapping[str, bytes]
STRAY = b"""
import pandas as pd, matplotlib.pyplot as plt
plt.plot(pd.read_csv("losses.csv"))
assert CustomLinear(2, 3).weight.shape == (2, 3)
exit()
"""
"""Lines at the end of a module that fail, wherever it is graded."""


def handed_in(course: Course) -> dict[str, Files]:
    """The solutions, a flawed sample, one with stray lines, and two mutants of each module, by name.

    A mutant comes with the bricks that it needs, and without the solutions of what it has nothing to do with.
    """
    bank = Bank(course.root)
    solutions = {f"{name}.py": text for name, text in bank.solutions(course.modules).items()}
    flawed = bank.folder / "samples" / "flawed"
    found = {
        "solutions": solutions,
        "flawed": {p.name: p.read_bytes() for p in flawed.glob("*.py")},
        "stray_lines": {"linear.py": solutions["linear.py"] + STRAY},
    }
    for name, module in course.modules.items():
        bricks = {f"{need}.py": solutions[f"{need}.py"] for need in module.needs}
        for mutant in islice(bank.mutants(name), 3, 30, 20):
            found[f"{name}.{mutant.name}"] = bricks | {f"{name}.py": mutant.source}
    return found


def class_of(
    module: str, count: int, folder: Path, *, step: int, prefix: str = "s"
) -> dict[str, bytes]:
    """So many submissions of one module as folders, right ones among mutants; their texts by name.

    Every `step`th mutant of the bank is taken. No two are alike.
    """
    bank, texts = Bank(ROOT), {}
    mutants = list(bank.mutants(module))
    for number in range(count):
        right = bank.solution(module).encode()
        text = mutants[step * number % len(mutants)].source if number % 2 else right
        name = f"{prefix}{number:02}"
        texts[name] = text + f"\n# {number}\n".encode()
        write({f"{module}.py": texts[name]}, folder / name)
    return texts


def write(files: Files, folder: Path) -> Path:
    """The files in a new folder."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def by_grade(files: Files, folder: Path, *options: str) -> dict[str, Any]:
    """The report of `tower grade`."""
    submission, report = write(files, folder / "submission"), folder / "report.json"
    done = tower(*("grade", submission, "--fit", "off", "--seed", SEED, "--json", report), *options)
    assert done.returncode == 0, done.stderr
    return json.loads(report.read_text())


def by_action(
    files: Files, folder: Path, environment: Mapping[str, str], image: str
) -> tuple[dict[str, Any], str, dict[str, str]]:
    """The report of our action for GitHub, the step's log and its outputs."""
    write(files, folder / "submission")
    (folder / "summary.md").touch()
    own = {
        **environment,
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        "GITHUB_OUTPUT": str(folder / "output"),
    }
    code, log = run_action({"image": image, "fit": "off", "seed": str(SEED)}, folder, own)
    assert code == 0, log
    report = json.loads((folder / "results" / "report.json").read_text())
    return report, log, read_outputs(folder / "output")


def gradescope_tree(archive: Path, home: Path) -> Path:
    """What Gradescope makes of the zip: source/, and run_autograder beside it."""
    shutil.unpack_archive(archive, home / "source")
    shutil.copy(home / "source" / "run_autograder", home)
    for script in (home / "run_autograder", home / "source" / "setup.sh"):
        script.chmod(0o755)
    return home


def points(report: Mapping[str, Any]) -> Points:
    """The points of a report."""
    return {
        check["id"]: (check["status"], check["score"], check["max_score"])
        for module in report["modules"]
        for check in module["checks"]
    }


def gradescope_points(results: Mapping[str, Any]) -> Points:
    """The points of a results.json."""
    return {
        test["extra_data"]["id"]: (test["tags"][1], test["score"], test["max_score"])
        for test in results["tests"]
    }


def report_of(module: str, *checks: CheckResult) -> Report:
    """A report of one module, with these checks and a note."""
    return Report(
        course="A course",
        submission="alice",
        submission_digest="0" * 64,
        suite_digest="1" * 64,
        seed=7,
        device="cpu",
        isolation=Isolation("A+", "Landlock"),
        seconds=1.5,
        environment={"fit": "off"},
        modules=(ModuleResult(module, checks, "A note."),),
    )
