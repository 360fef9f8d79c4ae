"""assignments/ is up to date with solutions/ and course.toml, and so is what students get."""

import importlib.util
import inspect
import shutil
import subprocess
import sys

import pytest
from helpers import ROOT

from autograder.course import load_course
from autograder.errors import CourseError
from autograder.release import refreshed, skeleton, student_repository, unreleased, write

pytestmark = pytest.mark.sandbox

COURSE = load_course(ROOT)
MODULES = list(COURSE.modules)


def content_of(folder):
    """Every file below a folder, by its path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not {"__pycache__", ".pytest_cache"} & {*path.parts}
    }


def test_assignments_are_up_to_date():
    """`tower release` would change nothing, and leaves nothing over."""
    expected = {str(path): text.encode() for path, text in refreshed(COURSE).items()}
    assert content_of(ROOT / "assignments") == expected
    assert unreleased(COURSE) == []


def test_all_that_students_need_goes_through_git(tmp_path):
    """A repository that is committed and cloned holds every file: what is ignored is what commands write."""
    write(student_repository(COURSE), tmp_path)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    written = {path for path in content_of(tmp_path) if not path.startswith(".git/")}
    seen = ["git", "ls-files", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(seen, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert set(done.stdout.split("\0")) - {""} == written
    for made in ("training.html", "submission.zip"):
        ignored = subprocess.run(
            ["git", "check-ignore", "--quiet", made], cwd=tmp_path, check=False
        )
        assert ignored.returncode == 0


def test_a_release_writes_the_same_files_elsewhere(tmp_path):
    files = student_repository(COURSE)
    assert write(files, tmp_path / "new" / "folder") == list(files)
    expected = {
        str(path): content.encode() if isinstance(content, str) else content
        for path, content in files.items()
    }
    assert content_of(tmp_path / "new" / "folder") == expected


@pytest.mark.parametrize("module", MODULES)
def test_nothing_of_a_solution_is_left_in_its_skeleton(module):
    solution = (ROOT / "solutions" / f"{module}.py").read_text()
    left = skeleton(solution, module)
    inside, blocks = False, []
    for line in solution.splitlines():
        if "END SOLUTION" in line:
            inside = False
        if inside and line.strip() and not line.strip().startswith("#"):
            blocks.append(line.strip())
        if "BEGIN SOLUTION" in line:
            inside = True
    kept = {line.strip() for line in left.splitlines()}
    shared = [line for line in blocks if line in kept and len(line) > 12]
    assert shared == []
    assert "SOLUTION" not in left


@pytest.mark.parametrize("module", MODULES)
def test_a_skeleton_imports_keeps_its_docstrings_and_says_what_to_write(module, monkeypatch):
    folder = ROOT / "assignments"
    monkeypatch.syspath_prepend(str(folder))
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    spec = importlib.util.spec_from_file_location(f"skeleton_{module}", folder / f"{module}.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    functions = [
        value
        for owner in [loaded, *(c for c in vars(loaded).values() if inspect.isclass(c))]
        for value in vars(owner).values()
        if inspect.isfunction(value) and value.__module__ == loaded.__name__
    ]
    unwritten = [f for f in functions if "raise NotImplementedError(" in inspect.getsource(f)]
    assert len(unwritten) >= 2
    for function in unwritten:
        assert function.__doc__ or function.__name__ == "__init__"
    for name in MODULES:
        sys.modules.pop(name, None)


BROKEN = {
    "unclosed": ("### BEGIN SOLUTION write it\nx = 1\n", "line 1: BEGIN SOLUTION without an END"),
    "nested": (
        "### BEGIN SOLUTION a\n### BEGIN SOLUTION b\n### END SOLUTION\n",
        "line 2: BEGIN SOLUTION inside the block of line 1",
    ),
    "unopened": ("x = 1\n### END SOLUTION\n", "line 2: END SOLUTION without a BEGIN"),
    "without a task": ("### BEGIN SOLUTION\nx = 1\n### END SOLUTION\n", "say after BEGIN SOLUTION"),
    "not alone": ("x = 1  ### BEGIN SOLUTION a\n### END SOLUTION\n", "on a line of its own"),
    "absent": ("x = 1\n", "marks no solution"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_marker_is_an_error_with_its_line(kind):
    text, words = BROKEN[kind]
    with pytest.raises(CourseError, match=words):
        skeleton(text, "module.py")


def test_the_task_is_quoted_safely_and_the_indentation_kept():
    text = 'def f():\n    ### BEGIN SOLUTION Return "a\\b".\n    return 1\n    ### END SOLUTION\n'
    assert (
        skeleton(text, "m.py")
        == 'def f():\n    raise NotImplementedError("Return \\"a\\\\b\\".")\n'
    )


BARE = """
import pathlib, pytest, sys
sys.path[:] = [path for path in sys.path if not (pathlib.Path(path) / "tower_student").is_dir()]
sys.exit(pytest.main(sys.argv[1:]))
"""
"""pytest where the `tower` command is not installed, as in the workflow of a student's repository."""


@pytest.mark.parametrize("solved", [True, False])
def test_the_public_tests_pass_on_solutions_and_none_passes_on_skeletons(solved, tmp_path):
    write(student_repository(COURSE), tmp_path)
    for name in MODULES if solved else ():
        shutil.copy(ROOT / "solutions" / f"{name}.py", tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", BARE, "-q", "--tb=no", "-p", "no:cacheprovider"],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=tmp_path,
    )
    summary = done.stdout.strip().splitlines()[-1]
    assert ("passed" in summary) is solved
    assert ("failed" in summary) is not solved
    assert "error" not in summary
