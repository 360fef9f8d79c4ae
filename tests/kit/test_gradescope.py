"""Gradescope: the zip, and its run_autograder over trees like Gradescope's own."""

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from command import tower
from helpers import ROOT
from ways import SEED, gradescope_points, gradescope_tree, points, report_of, write

from autograder.course import course_root, load_course
from autograder.export import gradescope
from autograder.export import json as json_export
from autograder.gradescope import build
from autograder.report import CheckResult, Feedback, Measured, tells_causes

pytestmark = pytest.mark.sandbox

SCHEMA = json.loads(Path(__file__).with_name("gradescope.schema.json").read_text())


def checked(text):
    """The content of a results.json, held against the specification."""
    content = json.loads(text)
    jsonschema.validate(content, SCHEMA)
    return content


FIT = CheckResult(
    "tower.mnist_fit",
    "Digits.",
    "failed",
    0.0,
    4.0,
    "",
    Feedback("the fit", "91.2 %.", reading="a page"),
    2.0,
    measured=Measured("Digits read", 0.912),
)
PASSED = CheckResult("tower.forward", "Logits.", "passed", 6.0, 6.0)


def test_every_field_says_what_the_specification_asks_for():
    content = checked(gradescope.render(report_of("tower", PASSED, FIT)))
    assert (content["score"], content["execution_time"]) == (6, 1.5)
    assert content["stdout_visibility"] == "hidden"
    assert content["output"] == "tower: A note.\nisolation A+: Landlock\nseed 7"
    assert content["leaderboard"] == [{"name": "Digits read (%)", "value": 91.2}]
    first, second = content["tests"]
    assert first == {
        "number": "1.1",
        "name": "tower.forward: Logits.",
        "score": 6,
        "max_score": 6,
        "status": "passed",
        "output": "",
        "tags": ["tower", "passed"],
        "visibility": "visible",
        "extra_data": {"id": "tower.forward", "seconds": 0},
    }
    assert (second["number"], second["status"], second["score"]) == ("1.2", "failed", 0)
    assert second["output"] == "Asked: the fit\nFound: 91.2 %.\nRead on: a page"


def test_what_could_not_be_verified_costs_nothing():
    unverified = replace(FIT, status="not_verified", max_score=0.0, measured=None)
    content = checked(gradescope.render(report_of("tower", PASSED, unverified), total_points=10))
    assert content["score"] == 10
    assert "status" not in content["tests"][1]
    assert "the same share of 10 points as below of 6" in content["output"]


def test_what_was_measured_is_on_the_leaderboard_only_where_students_may_see_the_check():
    hidden = replace(FIT, visibility="after_published")
    content = checked(gradescope.render(report_of("tower", PASSED, hidden)))
    assert content["leaderboard"] == []
    assert [test["visibility"] for test in content["tests"]] == ["visible", "after_published"]


# The zip


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The zip as the command writes it."""
    path = tmp_path_factory.mktemp("zip") / "gradescope.zip"
    done = tower("gradescope", "build", "--fit", "off", "--out", path)
    assert done.returncode == 0, done.stderr
    assert "MiB" in done.stdout
    return path


def test_the_zip_holds_what_grading_takes_and_no_solution(archive):
    names = zipfile.ZipFile(archive).namelist()
    assert {"setup.sh", "run_autograder", "unfinished.json", "tower/course.toml"} <= set(names)
    assert "tower/tests/hidden/test_linear.py" in names
    tests = {name for name in names if name.startswith("tower/tests/")}
    assert all(name.startswith("tower/tests/hidden/") for name in tests)
    assert not [name for name in names if "solutions" in name or "__pycache__" in name]
    for solution in (ROOT / "solutions").glob("*.py"):
        assert solution.read_bytes() not in {zipfile.ZipFile(archive).read(name) for name in names}
    assert archive.stat().st_size < 100 << 20, "Gradescope takes no more"


def test_the_same_course_gives_the_same_zip(archive):
    course = load_course(course_root())
    options = ["--fit=off", "--require-isolation=C"]
    assert build(course, options) == archive.read_bytes()
    assert build(course, [*options, "--points=20"]) != archive.read_bytes()


@pytest.mark.parametrize("name", ["setup.sh", "run_autograder"])
def test_the_scripts_are_executable_and_bash_reads_them(archive, name):
    opened = zipfile.ZipFile(archive)
    assert opened.getinfo(name).external_attr >> 16 & 0o111
    script = opened.read(name)
    assert script.startswith(b"#!/usr/bin/env bash\n")
    subprocess.run(["bash", "-n"], input=script, check=True)


# As Gradescope runs it


@pytest.fixture
def autograder(tmp_path, archive):
    """A tree as Gradescope makes it, whose python is ours; runs it over one submission."""
    home = gradescope_tree(archive, tmp_path / "autograder")
    (home / "venv").symlink_to(sys.prefix)

    def run(files, *options, before=lambda home: None):
        script = home / "run_autograder"
        if options:
            text = script.read_text().replace("--home", f"{' '.join(options)} --home")
            script.write_text(text)
        if files is not None:
            write(files, home / "submission")
        before(home)
        environment = {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path)}
        done = subprocess.run(
            [script], cwd=home, env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0
        return checked((home / "results" / "results.json").read_text()), done

    return run


def test_the_kit_of_the_zip_is_the_one_that_grades(autograder):
    def plant(home):
        kit = home / "source" / "tower"
        text = (kit / "course.toml").read_text()
        (kit / "course.toml").write_text(text.replace("points = 15", "points = 16", 1))

    content, _ = autograder({"gradient_loop.py": b"x = 1\n"}, before=plant)
    worth = sum(test["max_score"] for test in content["tests"] if "gradient_loop" in test["tags"])
    assert worth == pytest.approx(16)


def test_causes_are_told_by_the_addresses_that_gradescope_knows(autograder):
    """The half that a digest says, of the group's addresses in whatever order."""
    address = next(
        f"{i}@example.org, z@example.org"
        for i in range(100)
        if not tells_causes(
            "half", load_course(course_root()).title, f"{i}@example.org, z@example.org"
        )
    )

    def plant(home):
        settings = home / "source" / "tower" / "course.toml"
        settings.write_text(f'causes = "half"\n{settings.read_text()}')
        users = [{"email": part, "id": 1} for part in reversed(address.split(", "))]
        (home / "submission_metadata.json").write_text(json.dumps({"id": 7, "users": users}))

    solution = (ROOT / "solutions" / "gradient_loop.py").read_bytes()
    wrong = solution.replace(b"** 2).mean()", b"** 2).sum()")
    content, done = autograder({"gradient_loop.py": wrong}, before=plant)
    assert f"· {address} ".encode() in done.stdout.encode()
    said = "\n".join(test["output"] for test in content["tests"])
    assert "Found:" in said
    assert "Likely cause" not in said + done.stdout


NOTHING = {
    "no file at all": {},
    "no module": {"notes.txt": b"hello"},
    "another notebook": {"homework.ipynb": b"{}"},
}


@pytest.mark.parametrize("kind", NOTHING)
def test_a_submission_without_modules_is_reported(autograder, kind):
    content, _ = autograder(NOTHING[kind])
    assert (content["score"], content["tests"]) == (0, [])
    said = "which holds none of gradient_loop.py" if NOTHING[kind] else "Nothing was handed in."
    assert said in content["output"]
    assert "/" not in content["output"], "where it lay is not the student's matter"


def test_a_fault_of_the_grader_is_not_put_on_the_student(autograder):
    def spoil(home):
        (home / "source" / "tower" / "tests" / "hidden" / "test_linear.py").write_text(
            "import nothing"
        )

    content, done = autograder({"linear.py": b"x = 1\n"}, before=spoil)
    assert content["output"] == gradescope.FAILED
    assert "does not import" in " ".join(done.stderr.split())


def test_a_fault_in_one_check_costs_nothing_and_is_said(judge, solutions):
    report = replace(judge(solutions, only="linear"), faults=(("linear.forward: it broke", ""),))
    assert "failed in 1 of the checks" in gradescope.as_dict(report)["output"]
    whole = replace(report, faults=())
    assert "failed in" not in gradescope.as_dict(whole)["output"]


def test_a_grader_that_is_killed_leaves_a_result(autograder):
    def spoil(home):
        main = home / "source" / "tower" / "autograder" / "__main__.py"
        main.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")

    content, _ = autograder({"linear.py": b"x = 1\n"}, before=spoil)
    assert content["score"] == 0
    assert "This says nothing about your work" in content["output"]


def test_points_of_the_assignment_scale_the_total(autograder):
    content, _ = autograder({"gradient_loop.py": b"x = 1\n", "linear.py": b""}, "--points=20")
    assert content["score"] == 0
    assert "of 20 points as below of 100" in content["output"]


HOSTILE = [
    "always_equal_tensor",
    "exit_at_import",
    "exit_in_forward",
    "false_pytest",
    "expected_failure",
    "delete_results",
    "backdate_results",
    "flood_of_errors",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_submission_gets_a_whole_result_and_nothing_more(autograder, judge, name):
    source = (ROOT / "tests" / "bank" / "attacks" / f"{name}.py").read_bytes()
    files = {"linear.py": hostile(source)}
    content, _ = autograder(files, f"--seed={SEED}")
    report = judge({"linear": files["linear.py"]}, seed=SEED)
    assert gradescope_points(content) == points(json_export.as_dict(report))
    assert content["score"] == 0
    assert len(content["tests"]) > 50


def hostile(source):
    """An attack that strikes at import where it has an `attack`, and a layer that knows nothing."""
    layer = b"\n\nimport torch\n\nclass CustomLinear(torch.nn.Module):\n    pass\n"
    return source + layer + b"\nif 'attack' in globals():\n    attack({})\n"
