"""What README and docs tell people to type is run here, or says which test runs it."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest
from command import tower
from helpers import ROOT
from versions_lab import CPU_INDEX
from wheels import offline

from autograder.course import load_course
from autograder.gpu import reason_against
from autograder.release import student_repository, write

pytestmark = pytest.mark.sandbox

PAGES = [
    ROOT / "README.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "assignments" / "handouts" / "README.md",
]
MODULES = list(load_course(ROOT).modules)
BIN = Path(sys.executable).parent
EXERCISE = (ROOT / "docs" / "new-exercise.md").read_text()


def blocks(text):
    """The language and the text of every fenced block."""
    language, inside = None, []
    for line in text.splitlines():
        if line.startswith("```") and language is None:
            language, inside = line[3:], []
        elif line.startswith("```"):
            yield language, "\n".join(inside)
            language = None
        else:
            inside.append(line)


def commands(page):
    """The commands of a page's blocks of shell, without comments, each on one line."""
    yield from commands_in(page.read_text())


def commands_in(text):
    for language, block in blocks(text):
        lines = block.replace("\\\n", " ").splitlines() if language in ("sh", "") else []
        found = [" ".join(line.split(" #")[0].split()) for line in lines if line[:1] != "#"]
        if any(
            re.match(r"(tower|make|pytest|docker|dask|python|pip|gh)\b", line) for line in found
        ):
            yield from filter(None, found)


FOUND = sorted({(page.relative_to(ROOT).as_posix(), c) for page in PAGES for c in commands(page)})
ELSEWHERE = {  # what is not run here: where it is, and a text that stands there
    r"make (\w|-)+": ("Makefile", ""),
    r"pytest": ("tests/kit/conftest.py", "ArgsSource.TESTPATHS"),
    r"docker (build|run) .*": ("tests/image/conftest.py", "docker"),
    r"gh workflow run .*": ("tests/kit/test_github.py", "grade.yml"),
    r"tower bench": ("tests/kit/test_bench.py", '"bench"'),
    r"tower (train|draw)": ("tests/kit/test_train.py", '"draw"'),
    r"tower calibrate": ("tests/kit/test_calibration.py", "calibrat"),
    r"tower check linear --watch": ("tests/kit/test_student.py", '"--watch"'),
    r"tower check linear --pdb": ("tests/kit/test_student.py", '"--pdb"'),
    r"(python -m venv|\. \.venv|python -m pip).*": ("tests/kit/test_docs.py", "STEPS"),
    r"pip install .*": ("pyproject.toml", "torch"),
    r"(dask|tower class .* --cluster) .*": ("tests/kit/test_cluster.py", '"--cluster"'),
    r"nbgrader .*": ("tests/kit/test_nbgrader.py", '"autograde"'),
    r"python tests/support/(kill_matrix|flakiness).py .*": ("tests/kit/test_docs.py", "EXERCISE"),
}
CODES = {"check": {0, 1}, "pytest": {1}, "doctor": {0}}
"""Exit codes that a command may end with; 0 where none is named. Skeletons pass no test."""


def elsewhere(command):
    return next(
        (where for pattern, where in ELSEWHERE.items() if re.fullmatch(pattern, command)), None
    )


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of what an instructor works in, with a submission and a report."""
    folder = tmp_path_factory.mktemp("docs") / "checkout"
    for name in ("solutions", "assignments", "tests/hidden", "tests/bank"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "course.toml", folder)
    for submission in (
        "PATH",
        "SUBMISSIONS/ada",
    ):  # one module, so that its many gradings are short
        (folder / submission).mkdir(parents=True)
        shutil.copy(ROOT / "tests/bank/samples/flawed/linear.py", folder / submission)
    run(folder, "tower grade PATH --json report.json --fit off", {0})
    run(folder, "tower class SUBMISSIONS --out RESULTS --fit off", {0})
    return folder


def run(folder, command, codes):
    """Run a command in the folder."""
    program, *arguments = shlex.split(command)
    if program == "tower":
        done = tower(*arguments, cwd=folder, TOWER_COURSE=str(folder))
    else:
        environment = {
            **os.environ,
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "TOWER_COURSE": str(folder),
        }
        done = subprocess.run(
            [program, *arguments], cwd=folder, env=environment, capture_output=True, text=True
        )
    assert done.returncode in codes, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(("page", "command"), FOUND, ids=[f"{p}: {c}"[:90] for p, c in FOUND])
def test_a_command_does_what_it_is_written_for(checkout, tmp_path, page, command):
    if where := elsewhere(command):
        file, text = where
        assert text in (ROOT / file).read_text()
        if target := re.fullmatch(r"make ((\w|-)+)", command):
            assert re.search(rf"^{target[1]}:", (ROOT / file).read_text(), re.MULTILINE)
        return
    if "average_pool" in command or page.startswith(("assignments", "docs/new-course")):
        return  # the page is walked through from beginning to end, below or in test_authoring.py
    if command.startswith(("tower grade", "tower class")) and "--fit" not in command:
        command += " --fit off"
    kind = command.split()[0 if command.startswith("pytest") else 1]
    codes = CODES.get(kind, {0})
    if "--device cuda" in command and reason_against():
        codes = {2}
    run(checkout, command, codes)


# A student's repository, by its README alone


COURSE = load_course(ROOT)
REPOSITORY = student_repository(COURSE)
STEPS = list(commands_in(REPOSITORY[PurePosixPath("README.md")]))


def in_a_shell(folder, *lines, **variables):
    """Run the lines in one shell, as a student would; returns what they print."""
    environment = {n: v for n, v in os.environ.items() if n not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment |= variables
    environment["PATH"] = f"{Path(sys.base_prefix) / 'bin'}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-c", "\n".join(lines)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_student_comes_from_the_readme_to_five_modules_that_pass(tmp_path):
    """Every step as it is printed, but without the network: the environment finds what is installed here."""
    repository = tmp_path / "repository"
    write(REPOSITORY, repository)
    make, activate, torch, install, doctor, *left = STEPS
    assert (make, activate) == ("python3 -m venv .venv", ". .venv/bin/activate")
    code, text = in_a_shell(repository, torch.replace("python", "echo", 1))
    assert (code, text) == (0, f"-m pip install --index-url {CPU_INDEX} torch\n")
    on_a_mac, every_day = left[:4], left[4:]
    assert on_a_mac == [make, activate, install, doctor], "as on Linux, without an index for torch"
    code, text = in_a_shell(repository, make)
    assert code == 0, text
    (packages,) = (repository / ".venv" / "lib").glob("python*/site-packages")
    here = next(path for path in sys.path if path.endswith("site-packages"))
    (packages / "of_this_machine.pth").write_text(f"{here}\n")
    # One builds the command; the other is required by torch, newer than that of a new environment.
    from_here = offline(tmp_path, "hatchling", "setuptools")
    code, text = in_a_shell(repository, activate, torch, install, "which tower", **from_here)
    assert code == 0, text
    assert "already satisfied: torch" in text
    assert str(repository / ".venv" / "bin" / "tower") in text
    code, text = in_a_shell(repository, activate, doctor)
    assert code == 0, text
    assert str(repository / ".venv") in "".join(text.split())
    code, text = in_a_shell(repository, activate, "tower check")
    assert code == 1
    assert "0 of 74 public tests pass" in text
    for module in MODULES:
        shutil.copy(ROOT / "solutions" / f"{module}.py", repository)
        code, text = in_a_shell(repository, activate, f"tower check {module}")
        assert code == 0, text
    shutil.make_archive(str(repository / "newer"), "zip", repository)
    for command in every_day:
        if not re.search(r"--watch|--pdb|bench|train|draw", command):
            code, text = in_a_shell(repository, activate, command)
            assert code == 0, text
    assert (repository / "submission.zip").exists()
    graded = run(ROOT, f"tower grade {repository / 'submission.zip'} --fit off", {0})
    assert "100.0 %" in graded


def test_the_handouts_commands_run_the_public_tests(tmp_path):
    write(REPOSITORY, tmp_path)
    for module in MODULES:
        shutil.copy(ROOT / "solutions" / f"{module}.py", tmp_path)
    run(tmp_path, "pytest tests/test_linear.py", {0})
    (tmp_path / "linear.py").write_text("")
    shown = run(tmp_path, "pytest tests/test_linear.py -x", {1})
    assert "Hint" not in shown, "pytest shows no hint before it is asked for"


# A new exercise, by its page alone


def test_the_page_about_a_new_exercise_makes_one(tmp_path):
    course = tmp_path / "course"
    for name in ("solutions", "assignments", "tests/hidden", "tests/bank", "tests/support"):
        shutil.copytree(ROOT / name, course / name)
    files = dict(
        re.findall(
            r"^`([\w.]+/[\w/.]+)`[^`\n]*:\n\n```\w+\n(.*?)^```$", EXERCISE, re.MULTILINE | re.DOTALL
        )
    )
    assert len(files) == 5
    for name, text in files.items():
        (course / name).write_text(text)
    (lines,) = re.findall(r"^```toml\n(\[modules.*?)^```$", EXERCISE, re.MULTILINE | re.DOTALL)
    settings = (ROOT / "course.toml").read_text()
    (course / "course.toml").write_text(settings.replace("[fits.quick]", f"{lines}\n[fits.quick]"))
    release, right, unwritten, matrix, flakiness = commands(ROOT / "docs" / "new-exercise.md")
    run(course, release, {0})
    assert "raise NotImplementedError" in (course / "assignments" / "average_pool.py").read_text()
    assert "100.0 %" in run(course, right, {0})
    assert "0.0 %" in run(course, unwritten, {0})
    run(course, matrix, {0})
    run(course, flakiness.replace("--seeds 20", "--seeds 2"), {0})
    done = run(course, "tower check average_pool --in assignments", {1})
    assert "Cut both axes into windows" in done
