"""assignments/ is generated from solutions/, and from nothing else."""

import importlib.util
import inspect
import subprocess
import sys

import pytest
from conftest import ROOT

from autograder.course import course_root, load_course
from autograder.errors import CourseError
from autograder.release import generate, skeleton, write

MODULES = list(load_course(course_root()).modules)


def test_assignments_are_exactly_what_solutions_generate():
    expected = {str(path): text for path, text in generate(ROOT / "solutions", MODULES).items()}
    folder = ROOT / "assignments"
    present = {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and ".pytest_cache" not in path.parts
    }
    assert present == expected


def test_a_release_writes_the_same_files_elsewhere(tmp_path):
    written = write(generate(ROOT / "solutions", MODULES), tmp_path / "new" / "folder")
    assert {str(path) for path in written} == {
        str(path.relative_to(tmp_path / "new" / "folder"))
        for path in (tmp_path / "new" / "folder").rglob("*")
        if path.is_file()
    }


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


@pytest.mark.parametrize(("folder", "passing"), [("solutions", True), ("assignments", False)])
def test_the_public_tests_pass_on_solutions_and_none_passes_on_skeletons(folder, passing, tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            str(ROOT / folder),
            "-q",
            "--tb=no",
            "-p",
            "no:cacheprovider",
        ],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=ROOT,
    )
    summary = done.stdout.strip().splitlines()[-1]
    assert ("passed" in summary) is passing
    assert ("failed" in summary) is not passing
    assert "error" not in summary


def test_the_handouts_state_the_points_and_goals_of_course_toml(course):
    tower = (ROOT / "assignments" / "handouts" / "tower.md").read_text()
    for mode, plan in course.fits.items():
        row = next(line for line in tower.splitlines() if line.startswith(f"| {mode}"))
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert cells[1].split()[0] == str(plan["steps"])
        assert float(cells[2]) == plan["target"]
    for name, module in course.modules.items():
        handout = (ROOT / "assignments" / "handouts" / f"{name}.md").read_text()
        rows = [line for line in handout.splitlines() if line.startswith("| `")]
        stated = {row.split("`")[1]: row.split("|")[2].strip() for row in rows}
        assert {
            check: str(weight) for check, weight in module.weights.items()
        }.items() <= stated.items()
