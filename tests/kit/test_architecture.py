"""The arrows of the house point one way, and the trust boundary is a folder."""

import ast
import re

import pytest
from conftest import ROOT

PACKAGE = ROOT / "autograder"
ALLOWED = {  # what a part may import of the rest
    "sandbox": set(),
    "broker": {"sandbox", "errors"},
    "text": set(),
    "errors": set(),
    "files": {"errors"},
    "gpu": {"errors", "sandbox"},
    "terminal": {"errors", "text"},
    "desk": {
        *("bench", "desk", "errors", "files", "notebooks", "raised", "sandbox", "submission"),
        *("terminal", "text"),
    },
    "bank": {"errors"},
    "authoring": {"course", "errors", "files"},
    "course": {"sandbox", "errors", "raised", "report"},
    "raised": set(),
    "pool": {"broker", "course", "errors", "grading", "sandbox", "selftest"},
    "selftest": {"broker", "errors", "sandbox"},
    "classroom": {
        *("bank", "broker", "classroom", "course", "errors", "export", "files", "gpu", "grading"),
        *("pool", "report", "submission", "text"),
    },
    "submission": {"errors", "notebooks", "report", "text"},
    "notebooks": set(),
    "nbgrader": {
        *("broker", "course", "desk", "errors", "grading", "nbgrader", "notebooks", "pool"),
        *("release", "report", "submission", "text"),
    },
    "report": set(),
    "suite": {
        *(
            "sandbox",
            "broker",
            "course",
            "errors",
            "gpu",
            "raised",
            "report",
            "submission",
            "suite",
        ),
        *("selftest", "text"),
    },
    "grading": {"broker", "course", "errors", "gpu", "report", "sandbox", "submission", "suite"},
    "export": {"export", "report", "text"},
    "gradescope": {"course", "errors", "export"},
    "release": {"course", "desk", "errors", "files", "handouts"},
    "handouts": {"course", "errors"},
    "__main__": {"cli"},
    "bench": {"errors", "text"},
    "doctor": {"broker", "course", "errors", "gpu", "sandbox", "selftest"},
    "calibration": {"bank", "broker", "course", "errors", "files", "grading", "pool", "submission"},
    "cli": {
        *(
            "authoring",
            "broker",
            "calibration",
            "classroom",
            "course",
            "desk",
            "doctor",
            "errors",
            "export",
            "files",
            "gpu",
        ),
        *(
            "grading",
            "gradescope",
            "nbgrader",
            "pool",
            "release",
            "report",
            "sandbox",
            "submission",
            "terminal",
        ),
    },
}


def part_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_imports_point_one_way(path):
    part = part_of(path)
    if part == "__init__":
        return
    ours = {name.split(".")[1] for name in imports(path) if name.startswith("autograder.")}
    modules = {part_of(p) for p in PACKAGE.rglob("*.py")} - {"__init__"}
    assert ours & modules <= ALLOWED[part]


OF_THE_COURSE = re.compile(
    "gradient_loop|conv2d|kaiming|xavier|customlinear|mnist|insight|3136|421,?642", re.IGNORECASE
)
NAMED = {
    ("__init__.py", "Insight"),  # the kit's own name
    ("cli.py", "insight"),  # the name that pip knows the kit by
    ("export/json.py", "insight"),  # in reports of schema 1
    ("sandbox/gpu.py", "conv2d"),  # torch's own, which starts cuDNN
}
"""What is left, and why."""


def test_the_engine_is_blind_to_the_course():
    """Nothing in the package names a module of the course, its data, a figure of its, or its title."""
    found = {
        (str(path.relative_to(PACKAGE)), word)
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
        for word in OF_THE_COURSE.findall(path.read_text(encoding="utf-8"))
    }
    assert found == NAMED


def test_the_sandbox_holds_no_answer():
    """Nothing in the folder that a student may read names the hidden suite or a solution."""
    for path in (PACKAGE / "sandbox").glob("*.py"):
        roots = {name.split(".")[0] for name in imports(path)}
        assert "autograder" not in roots
        assert "tests" not in roots
        assert "solutions" not in roots


def test_a_worker_cannot_import_the_kit(judge, solutions):
    source = solutions["kaiming_init"].replace(
        b"import math",
        b"import math, importlib.util\n"
        b"assert importlib.util.find_spec('autograder') is None\n"
        b"assert importlib.util.find_spec('solutions') is None\n",
        1,
    )
    assert judge({"kaiming_init": source}, only="kaiming_init").score == 15
