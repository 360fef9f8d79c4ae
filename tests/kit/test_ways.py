"""Whichever way a submission takes to the grader, it gets the same points, check by check."""

import json
import os
import subprocess
import sys

import pytest
from attack_lab import attacks, limits, submitted, wrong_linear
from helpers import checks_of
from lab_world import World
from ways import (
    SEED,
    by_action,
    gradescope_points,
    gradescope_tree,
    handed_in,
    points,
    write,
)
from workflow_lab import install_engine

from autograder.course import course_root, load_course
from autograder.export import json as json_export
from autograder.gradescope import build

pytestmark = pytest.mark.sandbox

COURSE = load_course(course_root())
HANDED_IN = handed_in(COURSE)
SOME_ATTACKS = [attack for attack in attacks() if attack.kind in ("attack", "forge")][::28]


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The zip for Gradescope."""
    path = tmp_path_factory.mktemp("zip") / "gradescope.zip"
    path.write_bytes(build(COURSE, ["--fit=off", f"--seed={SEED}"]))
    return path


def test_there_are_the_solutions_two_samples_and_ten_mutants():
    assert len(HANDED_IN) == 13


@pytest.mark.parametrize("name", HANDED_IN)
def test_every_way_gives_the_same_points(name, archive, tmp_path, judged):
    """The grader itself, `tower grade` within the action for GitHub, and Gradescope."""
    files = HANDED_IN[name]
    sources = {file.removesuffix(".py"): text for file, text in files.items()}
    expected = points(json_export.as_dict(judged(sources, SEED)))
    assert (name == "solutions") == all(status == "passed" for status, *_ in graded(expected))

    environment = by_path(tmp_path)
    report, _, outputs = by_action(files, tmp_path, environment, "image")
    assert points(report) == expected
    assert float(outputs["score"]) == pytest.approx(report["score"], abs=1e-3)
    results = by_gradescope(files, archive, tmp_path, environment)
    assert gradescope_points(results) == expected
    assert results["score"] == pytest.approx(report["score"])


@pytest.fixture
def world():
    """Secrets and a victim for an attack to be after; what it has done to them is seen from outside."""
    world = World(limits())
    world.plant()
    yield world
    world.close()


@pytest.mark.parametrize("attack", SOME_ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_gains_nothing_by_any_way(attack, archive, tmp_path, world, judged):
    """A sample of the bank; `make image-test` lets all of it loose inside the container."""
    source = submitted(attack, world, os.getpid(), world.packages)
    real = tmp_path / "autograder" / "results" / "results.json"
    source = source.replace(str(world.results), str(real)).encode()
    twin = judged({"linear": wrong_linear().encode()}, SEED)
    earned = {check.id for check in checks_of(twin).values() if check.status == "passed"}
    environment = by_path(tmp_path)

    report, log, _ = by_action({"linear.py": source}, tmp_path, environment, "image")
    results = by_gradescope({"linear.py": source}, archive, tmp_path, environment)
    text = log + json.dumps([report, results])
    for found in (points(report), gradescope_points(results)):
        assert {check for check, (status, *_) in found.items() if status == "passed"} <= earned
        assert len(found) > 50
    assert results["score"] == report["score"]
    assert [*world.evidence(), *world.leaks(text)] == []


def by_path(folder):
    """The environment of a step, with `docker` on its PATH."""
    path = f"{install_engine(folder / 'bin')}:{os.environ['PATH']}"
    return {"PATH": path, "TMPDIR": str(folder)}


def by_gradescope(files, archive, folder, environment):
    """The results.json of run_autograder, in a tree like Gradescope's."""
    home = gradescope_tree(archive, folder / "autograder")
    (home / "venv").symlink_to(sys.prefix)
    write(files, home / "submission")
    subprocess.run([home / "run_autograder"], cwd=home, env=environment, check=True)
    return json.loads((home / "results" / "results.json").read_text())


def graded(found):
    """The checks that were part of the run."""
    return [entry for entry in found.values() if entry[2]]
