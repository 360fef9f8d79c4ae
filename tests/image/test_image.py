"""The image, as it is built and run: `make image-test`. Not among the tests of the kit, for what it takes."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import CAPABILITIES, CONFINED, IMAGE, ROOT
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

from autograder.course import course_root, load_course
from autograder.gradescope import build

COURSE = load_course(course_root())
HANDED_IN = handed_in(COURSE)
SUBMISSION = ("--volume", f"{ROOT / 'solutions'}:/submission:ro")
pytestmark = pytest.mark.usefixtures("image")


def test_hadolint_has_nothing_to_say():
    done = subprocess.run(
        [f"{sys.prefix}/bin/hadolint", ROOT / "Dockerfile"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_a_change_to_a_check_builds_the_last_layers_alone(engine, checkout, say):
    path = checkout / "tests" / "hidden" / "test_linear.py"
    before = path.read_text()
    path.write_text(before + "\n# changed\n")
    log, seconds = engine.build(checkout)
    say(f"Built anew after a change to a check in {seconds:.0f} s")
    path.write_text(before)
    engine.build(checkout)
    # podman: "STEP 3/9: RUN …" and "--> Using cache …"; BuildKit: "#7 [3/9] RUN …" and "#7 CACHED".
    steps = len(set(re.findall(r"^(?:STEP |#\d+ \[\D*)(\d+)/\d+", log, re.MULTILINE)))
    cached = len(re.findall(r"Using cache|^#\d+ CACHED", log, re.MULTILINE))
    assert steps >= 10
    assert steps - cached <= 3, log  # FROM, which is never said to be, COPY and chmod


def test_what_is_hidden_is_roots_alone_and_python_is_everybodys(engine):
    paths = ["solutions", "tests", "tests/hidden", "tests/hidden/test_linear.py", "course.toml"]
    shown = engine(
        *("run", "--rm", "--entrypoint", "stat", IMAGE, "--format", "%U %A"),
        *(f"/opt/tower/{path}" for path in paths),
        "/opt/venv/bin/python",
    ).stdout.split("\n")
    assert [line[-6:] for line in shown[: len(paths)]] == ["------"] * len(paths)
    assert all(line.startswith("root ") for line in shown[: len(paths)])
    python = engine(
        *("run", "--rm", "--user", "61234:61234", "--entrypoint", "/opt/venv/bin/python", IMAGE),
        *("-c", "import torch; print(torch.__version__)"),
    ).stdout
    assert python.startswith("2.")


def test_the_image_says_how_it_is(engine):
    content = json.loads(engine("image", "inspect", IMAGE).stdout)[0]
    assert "'tower'" in str(content).replace('"', "'")
    health = content.get("Healthcheck") or content["Config"]["Healthcheck"]
    assert health["Test"] == ["CMD", "tower", "doctor"]
    assert "Isolation A+" in engine.tower("doctor").stdout
    assert "Usage" in engine.tower().stdout


def isolation(engine, *capabilities):
    """The level that a grading reports with these capabilities and no other."""
    added = [part for name in capabilities for part in ("--cap-add", name)]
    done = engine(
        *("run", *CONFINED, *added, *SUBMISSION, IMAGE),
        *("grade", "/submission", "--only", "kaiming_init", "--fit", "off"),
    )
    assert "│    15 │ 15 │ 100.0 %" in done.stdout
    return done.stdout.split("isolation ", 1)[1].split(":", 1)[0]


def test_three_capabilities_give_the_highest_level_and_none_gives_a(engine):
    assert isolation(engine, *CAPABILITIES) == "A+"
    assert isolation(engine) == "A"


@pytest.mark.parametrize("missing", CAPABILITIES)
def test_each_of_the_three_is_needed_for_it(engine, missing):
    assert isolation(engine, *(name for name in CAPABILITIES if name != missing)) == "A"


def test_the_solutions_earn_everything_with_the_fit(engine, open_folder):
    done = engine.tower(
        *("grade", "/submission", "--require-isolation", "A+", "--json", "/results/report.json"),
        options=(*SUBMISSION, "--volume", f"{open_folder}:/results"),
    )
    report = json.loads((open_folder / "report.json").read_text())
    assert report["score"] == 100, done.stdout
    (fit,) = (c for m in report["modules"] for c in m["checks"] if c["id"] == "tower.mnist_fit")
    assert fit["measured"]["value"] > 0.965


def test_a_container_that_is_stopped_ends_at_once(engine):
    name = f"tower-stopped-{os.getpid()}"
    engine(
        "run", "--detach", "--name", name, *CONFINED[1:], *SUBMISSION, IMAGE, "grade", "/submission"
    )
    try:
        deadline = time.monotonic() + 60
        while "worker" not in engine("top", name, check=False).stdout:
            if "zygote" in engine("top", name, check=False).stdout or time.monotonic() > deadline:
                break
        started = time.monotonic()
        engine("stop", "--time", "60", name)
        assert time.monotonic() - started < 50, "it had to be killed"
        code = engine("inspect", "--format", "{{.State.ExitCode}}", name).stdout.strip()
        assert code == "130"
    finally:
        engine("rm", "--force", name, check=False)


def test_the_attack_bank_gains_nothing_inside(engine, open_folder, say):
    done = engine(
        *("run", *CONFINED, *(part for name in CAPABILITIES for part in ("--cap-add", name))),
        *("--volume", f"{ROOT / 'tests'}:/opt/tower/tests:ro"),
        *("--volume", f"{open_folder}:/results", "--entrypoint", "python", IMAGE),
        *("/opt/tower/tests/support/attack_lab.py", "--no-naive", "--json", "/results/attacks.json"),
        check=False,
    )
    records = json.loads((open_folder / "attacks.json").read_text())
    gained = {a["name"]: a["ours"]["gained"] for a in records["attacks"] if a["ours"]["gained"]}
    say(f"{len(records['attacks'])} attacks inside the container: {len(gained)} gained something")
    assert gained == {}
    assert len(records["attacks"]) > 200
    assert done.returncode == 0, done.stdout[-2000:]


# Every way through the container gives the points of `tower grade`


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The points of each of the handed in, by `tower grade` on this machine."""
    folder = tmp_path_factory.mktemp("expected")
    return {name: points(by_grade(files, folder / name)) for name, files in HANDED_IN.items()}


@pytest.mark.parametrize("name", HANDED_IN)
def test_the_action_gives_the_same_points_in_the_container(engine, expected, name, open_folder):
    environment = {"PATH": engine.path, "HOME": str(open_folder)}
    report, log, _ = by_action(HANDED_IN[name], open_folder, environment, IMAGE)
    assert points(report) == expected[name]
    assert report["isolation"]["level"] == "A+"
    assert ("::error title=" in log) == (name != "solutions")


@pytest.fixture(scope="module")
def gradescope(engine, tmp_path_factory):
    """A container as Gradescope makes it: a bare system in which setup.sh has run, in /autograder."""
    folder = tmp_path_factory.mktemp("gradescope")
    (folder / "kit.zip").write_bytes(build(COURSE, ["--fit=off", f"--seed={SEED}"]))
    home = gradescope_tree(folder / "kit.zip", folder / "autograder")
    name = f"tower-gradescope-{os.getpid()}"
    pip = [part for n in os.environ if n.startswith("PIP_") for part in ("--env", n)]
    shared = ["/etc/ssl/certs/ca-certificates.crt", os.environ.get("PIP_FIND_LINKS", "")]
    volumes = [p for s in shared if s and Path(s).exists() for p in ("--volume", f"{s}:{s}:ro")]
    engine(
        *("run", "--detach", "--network", "host", "--name", name, *pip, *volumes),
        *("--env", "TORCH_INDEX=", "--volume", f"{home}:/autograder", "--workdir", "/autograder"),
        *(engine.base or "ubuntu:24.04", "sleep", "infinity"),
    )
    try:
        engine("exec", name, "bash", "/autograder/source/setup.sh")
        yield name, home
    finally:
        engine("rm", "--force", "--time", "0", name, check=False)


@pytest.mark.parametrize("name", HANDED_IN)
def test_gradescope_gives_the_same_points_in_the_container(engine, expected, gradescope, name):
    container, home = gradescope
    shutil.rmtree(home / "submission", ignore_errors=True)
    write(HANDED_IN[name], home / "submission")
    engine("exec", container, "./run_autograder")
    results = json.loads((home / "results" / "results.json").read_text())
    assert gradescope_points(results) == expected[name]
    assert results["extra_data"]["isolation"] == "A+"
