"""The arrows of the house point one way, and the trust boundary is a folder."""

import ast
import re
import sys

import pytest
from helpers import ROOT

PACKAGE = ROOT / "autograder"
ALLOWED = {  # what a part may import of the rest; tower_student is everyone's but the sandbox's
    "sandbox": set(),
    "broker": {"errors", "isolation", "processclock", "sandbox"},
    "errors": set(),
    "isolation": set(),
    "processclock": set(),
    "gpu": {"errors", "sandbox"},
    "bank": {"errors", "mutants"},
    "mutants": {"errors"},
    "authoring": {"course", "errors"},
    "course": {"errors", "report", "sandbox"},
    "pool": {"broker", "course", "errors", "grading", "isolation", "sandbox", "selftest"},
    "selftest": {"broker", "errors", "sandbox"},
    "classroom": {
        *("bank", "broker", "classroom", "course", "errors", "export", "gpu"),
        *("grading", "pool", "report"),
    },
    "nbgrader": {
        *("broker", "course", "errors", "export", "grading", "nbgrader", "pool"),
        *("release", "report"),
    },
    "report": set(),
    "suite": {
        *(
            "broker",
            "course",
            "errors",
            "gpu",
            "isolation",
            "report",
            "sandbox",
            "selftest",
            "suite",
        ),
    },
    "grading": {"broker", "course", "errors", "gpu", "report", "sandbox", "suite"},
    "export": {"export", "report"},
    "gradescope": {"course", "errors", "export"},
    "release": {"course", "errors", "handouts"},
    "translations": {"course", "errors", "suite"},
    "handouts": {"course", "errors"},
    "__main__": {"cli"},
    "doctor": {"broker", "course", "errors", "gpu", "isolation", "selftest"},
    "calibration": {"bank", "broker", "course", "errors", "grading", "pool"},
    "cli": {
        *("authoring", "broker", "calibration", "classroom", "cli", "course", "doctor", "errors"),
        *("export", "gpu", "gradescope", "grading", "isolation", "nbgrader", "pool", "release"),
        *("report", "translations"),
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
    ("cli/_options.py", "insight"),  # the name that pip knows the kit by
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


STUDENT = ROOT / "student" / "tower_student"
DEPENDENCIES = {"IPython", "babel", "numpy", "pytest", "rich", "torch", "typer", "watchfiles"}


def test_the_students_command_is_blind_to_the_course():
    """What is trained, and on what, stands in the course's own tests/training.py."""
    words = re.compile(rf"{OF_THE_COURSE.pattern}|digits?\b", re.IGNORECASE)
    found = {
        (path.name, word)
        for path in STUDENT.iterdir()
        if path.suffix in (".py", ".html", ".css")
        for word in words.findall(path.read_text(encoding="utf-8"))
    }
    assert found == {
        ("exception_hints.py", "conv2d"),  # an example of a cause's id
        ("filenames.py", "gradient_loop"),
    }


@pytest.mark.parametrize("path", sorted(STUDENT.rglob("*.py")), ids=lambda p: p.name)
def test_the_students_command_imports_nothing_of_the_grader(path):
    roots = {name.split(".")[0] for name in imports(path)}
    assert roots - sys.stdlib_module_names <= DEPENDENCIES | {"tower_student"}


def test_the_sandbox_holds_no_answer():
    """Nothing in the folder that a student may read names the hidden suite or a solution."""
    for path in (PACKAGE / "sandbox").glob("*.py"):
        roots = {name.split(".")[0] for name in imports(path)}
        assert not roots & {"autograder", "tower_student"}
        assert "tests" not in roots
        assert "solutions" not in roots


def test_a_worker_cannot_import_the_kit(judge, solutions):
    source = solutions["kaiming_init"].replace(
        b"import math",
        b"import math, importlib.util\n"
        b"assert importlib.util.find_spec('autograder') is None\n"
        b"assert importlib.util.find_spec('tower_student') is None\n"
        b"assert importlib.util.find_spec('solutions') is None\n",
        1,
    )
    assert judge({"kaiming_init": source}, only="kaiming_init").score == 15


MARKERS = {"ASKED", "FOUND", "RIGHT", "CAUSE", "READING", "PREFIX"}
SEARCHES = {
    *("startswith", "removeprefix", "find", "index", "split", "partition", "count", "replace"),
    *("search", "match", "fullmatch", "sub", "compile", "escape"),
}


def searched(tree):
    """The labels of a report's lines, and the prefix, where code looks for them in a text."""
    for node in ast.walk(tree):
        looked_for = []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            looked_for = node.args if node.func.attr in SEARCHES else []
        elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
            looked_for = [node.left]
        for part in looked_for:
            name = ast.unparse(part).rpartition(".")[2]
            text = part.value if isinstance(part, ast.Constant) else ""
            if name in MARKERS or (isinstance(text, str) and re.search(LABELS, text)):
                yield ast.unparse(node)


LABELS = r"Likely cause|student \||^\W*(Asked|Found|Right so far|Read on)\b"


@pytest.mark.parametrize(
    "code",
    [
        "line.startswith(PREFIX)",
        "text.partition(view.CAUSE)",
        "CAUSE in text",
        "'Likely cause: ' in text",
        "re.search('^Found: (.*)', text)",
    ],
)
def test_the_search_for_a_label_is_seen(code):
    assert list(searched(ast.parse(code)))


def test_no_part_reads_what_another_has_rendered():
    """Feedback is data: nobody looks for the labels in a text, or for the prefix of a submission's lines."""
    sources = [
        *PACKAGE.rglob("*.py"),
        *STUDENT.rglob("*.py"),
        *(ROOT / "tests/hidden").rglob("*.py"),
    ]
    found = {str(p.relative_to(ROOT)): list(searched(ast.parse(p.read_text()))) for p in sources}
    assert {path: what for path, what in found.items() if what} == {}
