"""Whichever way a submission takes to the grader, it gets the same points, check by check."""

import json
import os
import subprocess
import sys

import pytest
from ways import (
    SEED,
    by_action,
    by_grade,
    gradescope_points,
    gradescope_tree,
    handed_in,
    points,
    write,
)
from workflow_lab import install_engine

from autograder.course import course_root, load_course
from autograder.gradescope import build

COURSE = load_course(course_root())
HANDED_IN = handed_in(COURSE)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The zip for Gradescope."""
    path = tmp_path_factory.mktemp("zip") / "gradescope.zip"
    path.write_bytes(build(COURSE, ["--fit=off", f"--seed={SEED}"]))
    return path


def test_there_are_the_solutions_a_flawed_sample_and_ten_mutants():
    assert len(HANDED_IN) == 12


@pytest.mark.parametrize("name", HANDED_IN)
def test_every_way_gives_the_same_points(name, archive, tmp_path):
    files = HANDED_IN[name]
    expected = points(by_grade(files, tmp_path / "grade"))
    assert (name == "solutions") == all(status == "passed" for status, *_ in graded(expected))

    path = f"{install_engine(tmp_path / 'bin')}:{os.environ['PATH']}"
    environment = {"PATH": path, "TMPDIR": str(tmp_path)}
    report, _, outputs = by_action(files, tmp_path, environment, "registry/class/tower:1")
    assert points(report) == expected
    assert float(outputs["score"]) == pytest.approx(report["score"], abs=1e-3)

    home = gradescope_tree(archive, tmp_path / "autograder")
    (home / "venv").symlink_to(sys.prefix)
    write(files, home / "submission")
    subprocess.run([home / "run_autograder"], cwd=home, env=environment, check=True)
    results = json.loads((home / "results" / "results.json").read_text())
    assert gradescope_points(results) == expected
    assert results["score"] == pytest.approx(report["score"])


def graded(found):
    """The checks that were part of the run."""
    return [entry for entry in found.values() if entry[2]]
