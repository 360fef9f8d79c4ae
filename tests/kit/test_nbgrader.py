"""The real nbgrader, end to end: it hands out, grades, reports and keeps the books of a course of ours."""

import copy
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from helpers import ROOT
from nbgrader.api import Gradebook
from ways import SEED, handed_in

from autograder.bank import Bank
from autograder.course import load_course
from autograder.errors import GraderFault
from autograder.grading import grade
from autograder.nbgrader import build, graded_cell, pieces, preprocessors
from autograder.release import write
from autograder.report import Isolation, Report
from tower_student.notebooks import CELL, NotANotebook, module_text
from tower_student.submission import read_submission

pytestmark = pytest.mark.sandbox

COURSE = load_course(ROOT)
MODULES = list(COURSE.modules)
SOLUTIONS = Bank(ROOT).solutions(MODULES)


def filled(notebook, module, source):
    """A student's notebook: the released one with the module's text in its cells."""
    made = copy.deepcopy(notebook)
    cells = [cell for cell in made.cells if re.fullmatch(rf"{module}_\d+", grade_id(cell))]
    parts = [text for text, _ in pieces(source.decode())]
    if len(parts) != len(cells):
        parts = [source.decode().strip(), *[""] * (len(cells) - 1)]
    for cell, part in zip(cells, parts, strict=True):
        cell.source = part
    return made


def own_answers(cells):
    return [cell for cell in cells if cell.metadata.get("nbgrader", {}).get("solution")]


# Forgeries: nothing of the module is written, and yet the points are wanted.

TRANSFORMER = """
import ast
class Full(ast.NodeTransformer):
    def visit_Module(self, node):
        return ast.parse("20.0")
get_ipython().ast_transformers.append(Full())
get_ipython().input_transformers_post.append(lambda lines: ["20.0"])
"""
PATCHED = """
import tower_student.notebook as notebook
notebook.graded = lambda module: 20.0
import torch
torch.allclose = torch.equal = lambda *a, **k: True
"""


def with_code(text):
    def forge(notebook):
        notebook.cells.insert(0, nbformat.v4.new_code_cell(text))
        for cell in own_answers(notebook.cells):
            cell.source = text + cell.source

    return forge


def the_graded(notebook):
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade"))


def saved_output(notebook):
    output = nbformat.v4.new_output(
        "execute_result", data={"text/plain": "20.0"}, execution_count=1
    )
    the_graded(notebook).outputs = [output]


def other_text(notebook):
    the_graded(notebook).source = "20.0"


def more_points(notebook):
    the_graded(notebook).metadata.nbgrader["points"] = 300


def deleted(notebook):
    notebook.cells.remove(the_graded(notebook))


def duplicated(notebook):
    notebook.cells += [copy.deepcopy(the_graded(notebook)), copy.deepcopy(the_graded(notebook))]


def of_markdown(notebook):
    cell = the_graded(notebook)
    cell.cell_type = "markdown"
    for key in ("outputs", "execution_count"):
        cell.pop(key)


def of_old_schema(notebook):
    the_graded(notebook).metadata.nbgrader["schema_version"] = 1


def is_solution(notebook):
    the_graded(notebook).metadata.nbgrader.update(solution=True, locked=False)


def grade_id(cell):
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def locked_twice(notebook):
    """A second cell bears the id of a locked one, which nbgrader overwrites."""
    locked = next(c for c in notebook.cells if grade_id(c) == "linear_0")
    twin = copy.deepcopy(locked)
    twin.update(source=SOLUTIONS["linear"].decode(), id="another")
    notebook.cells.append(twin)


def graded_twice(notebook):
    """The same, of the cell that the points come from."""
    twin = copy.deepcopy(the_graded(notebook))
    twin.update(source=SOLUTIONS["linear"].decode(), id="another")
    notebook.cells.append(twin)


def renamed(notebook):
    the_graded(notebook).metadata.nbgrader["grade_id"] = "mine"


def without_metadata(notebook):
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})


OWN_CELLS = ("%matplotlib inline\n!pip install torchinfo", "def helper(x):\n    return x")
SCRATCH = "assert helper(CustomLinear(2, 3).weight.shape) == (2, 3)"
FORGERIES = {
    "transforms what runs": with_code(TRANSFORMER),
    "patches the judge": with_code(PATCHED),
    "leaves": with_code("import os; os._exit(0)\n"),
    "skips": with_code("import pytest; pytest.skip('done', allow_module_level=True)\n"),
    "saved output": saved_output,
    "other text": other_text,
    "more points": more_points,
    "deleted": deleted,
    "duplicated": duplicated,
    "markdown": of_markdown,
    "old schema": of_old_schema,
    "solution": is_solution,
    "renamed": renamed,
    "locked twice": locked_twice,
    "graded twice": graded_twice,
    "module beside": lambda notebook: None,
    "without metadata": without_metadata,
}


@pytest.fixture(scope="module", autouse=True)
def _activated():
    """nbgrader runs `alembic` by its name, as if the environment were activated."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
        yield


def honest():
    """The submissions that are compared with `tower grade`, by the name of their student."""
    for name, files in handed_in(COURSE).items():
        yield (
            name.replace(".", "_"),
            {file.removesuffix(".py"): text for file, text in files.items()},
        )


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A course in which nbgrader has done all of its work; and what it printed."""
    folder = tmp_path_factory.mktemp("nbgrader") / "course"
    homes = {
        name: str(tmp_path_factory.mktemp(name.lower()))
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    }

    def run(*command):
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=folder if folder.exists() else None,
            env=os.environ | homes,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    run("autograder", "nbgrader", "build", str(folder), "--fit", "off")
    run("nbgrader", "generate_assignment", COURSE.slug)
    for student, sources in honest():
        for module, source in sources.items():
            hand_in(folder, student, module, filled(released(folder, module), module, source))
    for name, forge in FORGERIES.items():
        notebook = released(folder, "linear")
        forge(notebook)
        hand_in(folder, name.replace(" ", "_"), "linear", notebook)
    beside = folder / "submitted" / "module_beside" / COURSE.slug / "linear.py"
    beside.write_bytes(SOLUTIONS["linear"])
    notebook = filled(released(folder, "linear"), "linear", SOLUTIONS["linear"])
    notebook.cells[:0] = [nbformat.v4.new_code_cell(text) for text in OWN_CELLS]
    notebook.cells.append(nbformat.v4.new_code_cell(SCRATCH))
    hand_in(folder, "own_cells", "linear", notebook)
    printed = run("nbgrader", "autograde", COURSE.slug)
    run("nbgrader", "generate_feedback", COURSE.slug)
    run("nbgrader", "export", "--to", "grades.csv")
    return folder, printed


def released(folder, module):
    return nbformat.read(folder / "release" / COURSE.slug / f"{module}.ipynb", as_version=4)


def hand_in(folder, student, module, notebook):
    target = folder / "submitted" / student / COURSE.slug
    target.mkdir(parents=True, exist_ok=True)
    (target / f"{module}.ipynb").write_text(nbformat.writes(notebook))


def scores(folder, student):
    """What the gradebook holds, by module; None where nothing was graded."""
    with Gradebook(f"sqlite:///{folder}/gradebook.db", "tower-of-insight") as book:
        submission = book.find_submission(COURSE.slug, student)
        return {
            grade.name.removesuffix("_graded"): grade.auto_score
            for notebook in submission.notebooks
            for grade in notebook.grades
        }


@pytest.mark.parametrize(("student", "sources"), list(honest()), ids=[name for name, _ in honest()])
def test_the_gradebook_has_the_points_of_tower_grade(graded, judged, student, sources):
    folder, _ = graded
    report = judged(sources, SEED)
    expected = {module.name: module.score for module in report.modules if module.name in sources}
    found = scores(folder, student)
    assert {name: found[name] for name in expected} == pytest.approx(expected)


@pytest.mark.parametrize("student", ["solutions", "flawed"])
def test_tower_grade_gives_notebooks_the_points_of_the_modules(
    course, broker, graded, judged, student
):
    folder, _ = graded
    first = judged(dict(honest())[student], SEED)
    notebooks = read_submission(folder / "submitted" / student / COURSE.slug, MODULES)
    second = grade(course, notebooks, broker, seed=SEED, fit="off")
    assert [m.score for m in second.modules] == [m.score for m in first.modules]
    assert second.score > 0


def test_some_of_these_earn_a_part_of_a_cell(graded):
    """The comparison above means little if everything is all or nothing."""
    folder, _ = graded
    found = [scores(folder, student)[m] for student, sources in honest() for m in sources]
    parts = [
        score for score in found if score not in (0, *(m.points for m in COURSE.modules.values()))
    ]
    assert len(parts) >= 8


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_earns_nothing(graded, name):
    folder, _ = graded
    assert scores(folder, name.replace(" ", "_"))["linear"] == 0


def test_cells_of_ones_own_cost_nothing(graded):
    """A magic, a helper and a failing scratch cell, and the page says which one failed."""
    folder, _ = graded
    assert scores(folder, "own_cells")["linear"] == 20
    page = (folder / "feedback" / "own_cells" / COURSE.slug / "linear.html").read_text()
    assert "failed and was passed over: AssertionError" in page


def test_the_feedback_says_what_was_wrong(graded):
    folder, _ = graded
    flawed = folder / "feedback" / "flawed" / COURSE.slug
    texts = {path.stem: path.read_text() for path in flawed.glob("*.html")}
    wrong = {
        name
        for name, score in scores(folder, "flawed").items()
        if score < COURSE.modules[name].points
    }
    assert wrong
    for name in wrong & texts.keys():
        assert "Read on:" in texts[name] or "was not submitted" in texts[name]
    assert "✓" in (folder / "feedback" / "solutions" / COURSE.slug / "linear.html").read_text()


def test_the_export_has_the_totals(graded):
    folder, _ = graded
    with (folder / "grades.csv").open() as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert float(rows["solutions"]["score"]) == 100
    assert float(rows["solutions"]["max_score"]) == 100
    forgeries = {name.replace(" ", "_") for name in FORGERIES}
    assert set(rows) == {name for name, _ in honest()} | forgeries | {"own_cells"}


def test_what_is_handed_out_holds_no_answer(graded):
    folder, _ = graded
    for module in MODULES:
        text = (folder / "release" / COURSE.slug / f"{module}.ipynb").read_text()
        assert "SOLUTION" not in text
        assert "HIDDEN" not in text
        assert "raise NotImplementedError(" in text
        skeleton = CELL.sub("", module_text(text.encode()).decode())
        written = (ROOT / "assignments" / f"{module}.py").read_text()
        assert skeleton.split() == written.split(), "the same skeleton as in assignments/"
        pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", text)
        assert pictures
        assert all((folder / "release" / COURSE.slug / picture).is_file() for picture in pictures)
    assert not (folder / "release" / COURSE.slug / "solutions").exists()


def test_the_same_course_is_built_each_time(tmp_path):
    assert build(COURSE, fit="off", level="C") == build(COURSE, fit="off", level="C")
    write(build(COURSE, fit="off", level="C"), tmp_path)
    for module in MODULES:
        path = tmp_path / "source" / COURSE.slug / f"{module}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        text = CELL.sub("", module_text(path.read_bytes()).decode())
        assert text.split() == SOLUTIONS[module].decode().split()
        (points,) = (
            cell.metadata.nbgrader["points"]
            for cell in notebook.cells
            if cell.metadata.nbgrader["grade_id"] == graded_cell(module)
        )
        assert points == COURSE.modules[module].points


# A notebook as a submission


def notebook_of(*cells, **changes):
    made = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)} | changes
    return json.dumps(made).encode()


def code(source, *tags, **metadata):
    return {
        "cell_type": "code",
        "source": source,
        "metadata": {"tags": list(tags)} | metadata,
        "outputs": [],
    }


def of_cells(*texts):
    """The text of a module that consists of these cells."""
    return "\n".join(f"# %% [cell {i}]\n{text}\n" for i, text in enumerate(texts, 1))


LEADING = "\n\n    a = 1\n    b = 2"
IN_STRINGS = 'a = 17\nb = (a\n%3)\ntext = """\n%magic\n!ls\n"""'
ASKS = "get_ipython()."
TEXTS = {
    "all": (notebook_of(code("a = 1"), code("b = 2")), of_cells("a = 1", "b = 2")),
    "lines": (notebook_of(code(["a = 1\n", "b = 2"])), of_cells("a = 1\nb = 2")),
    "no tests": (notebook_of(code("a = 1"), code("check()", "tests")), of_cells("a = 1")),
    "no graded tests": (
        notebook_of(code("a = 1"), code("assert a", nbgrader={"grade": True, "solution": False})),
        of_cells("a = 1"),
    ),
    "an answer graded by hand": (
        notebook_of(code("a = 1", nbgrader={"grade": True, "solution": True})),
        of_cells("a = 1"),
    ),
    "own cells beside nbgrader's": (
        notebook_of(code("a = 1", nbgrader={"solution": True}), code("b = 2")),
        of_cells("a = 1", "b = 2"),
    ),
    "other cells are counted": (
        notebook_of({"cell_type": "markdown", "source": "# a"}, code("a")),
        "# %% [cell 2]\na\n",
    ),
    "odd metadata": (
        notebook_of(code("a") | {"metadata": 3}, code("b") | {"metadata": []}),
        of_cells("a", "b"),
    ),
    "line ends": (notebook_of(code("a = 1\r\nb = 2\rc = 3")), of_cells("a = 1\nb = 2\nc = 3")),
    "magics": (
        notebook_of(code("%matplotlib inline\nif True:\n    !pip install x\nx = (3\n% 2)")),
        of_cells(
            f"{ASKS}run_line_magic('matplotlib', 'inline')\nif True:\n"
            f"    {ASKS}system('pip install x')\nx = (3\n% 2)"
        ),
    ),
    "a system's answer": (
        notebook_of(code("a = !ls\nb = %pwd")),
        of_cells(f"a = {ASKS}getoutput('ls')\nb = {ASKS}run_line_magic('pwd', '')"),
    ),
    "help": (
        notebook_of(code("x = 1\nx?")),
        of_cells(f"x = 1\n{ASKS}run_line_magic('pinfo', 'x')"),
    ),
    "another language": (
        notebook_of(code("\n%%bash\necho ready"), code("a = 1")),
        of_cells("#\n# %%bash\n# echo ready", "a = 1"),
    ),
    "a cell that is timed": (notebook_of(code("%%time\n\na = 1")), of_cells("# %%time\n\na = 1")),
    "prompts": (notebook_of(code(">>> a = 1\n>>> b = 2")), of_cells("a = 1\nb = 2")),
    "indented": (notebook_of(code(LEADING)), of_cells("\n\na = 1\nb = 2")),
    "nothing for IPython in strings and expressions": (
        notebook_of(code(IN_STRINGS)),
        of_cells(IN_STRINGS),
    ),
    "UTF-8 with a mark": (b"\xef\xbb\xbf" + notebook_of(code("a = 1")), of_cells("a = 1")),
    "UTF-16": (notebook_of(code("a = 1")).decode().encode("utf-16"), of_cells("a = 1")),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_the_text_of_a_notebook_is_that_of_its_cells(kind):
    content, expected = TEXTS[kind]
    assert module_text(content).decode() == expected


BROKEN = {
    "empty": (b"", "it is not JSON"),
    "no JSON": (b"print(1)", "it is not JSON"),
    "not UTF-8": (b"\xff{}", "it is not JSON"),
    "a number": (b"3", "it is JSON, but no notebook"),
    "deep": (b"[" * 200_000, "it is not JSON"),
    "old": (json.dumps({"nbformat": 3, "worksheets": []}).encode(), "not of format 4"),
    "no cells": (notebook_of(), "no code cell"),
    "cells are a text": (notebook_of(cells="abc"), "not of format 4|no notebook"),
    "a cell without text": (notebook_of(code(3)), "has no text"),
    "a flood of magics": (notebook_of(code("!x\n" * 9000)), "too many lines for IPython"),
    "half a character": (notebook_of(code("a = '\ud800'")), "characters that are none"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_no_notebook_is_named(tmp_path, kind):
    content, words = BROKEN[kind]
    with pytest.raises(NotANotebook, match=words):
        module_text(content)
    (tmp_path / "linear.ipynb").write_bytes(content)
    problem = read_submission(tmp_path, MODULES).problems["linear"]
    assert problem.startswith("linear.ipynb could not be read: ")


def test_a_notebook_is_read_alone_in_a_folder_and_in_an_archive(tmp_path, judge):
    text = SOLUTIONS["linear"].decode()
    content = notebook_of(code(text), code("1 / 0"))
    folder = tmp_path / "handed in"
    folder.mkdir()
    (folder / "linear.ipynb").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        archive.writestr("folder/linear.ipynb", content)
    read = [
        read_submission(path, MODULES).sources
        for path in (folder, folder / "linear.ipynb", tmp_path / "s.zip")
    ]
    assert read[0] == read[1] == read[2]
    assert set(read[0]) == {"linear"}
    assert judge(read[0], only="linear").score == 20


def test_a_notebook_may_be_large_and_its_code_not(tmp_path):
    big = code("a = 1") | {"outputs": [{"output_type": "stream", "text": "x" * (1 << 20)}]}
    (tmp_path / "linear.ipynb").write_bytes(notebook_of(big))
    (tmp_path / "conv2d.ipynb").write_bytes(notebook_of(code("#" * (300 << 10))))
    (tmp_path / "tower.ipynb").write_bytes(b"[" + b" " * (17 << 20))
    read = read_submission(tmp_path, MODULES)
    assert read.sources == {"linear": of_cells("a = 1").encode()}
    assert "larger than 256 KiB" in read.problems["conv2d"]
    assert "larger than 16 MiB; clear its outputs" in read.problems["tower"]


# In the student's own kernel


def in_a_kernel(folder, *lines):
    """What the lines print, run in the notebook's folder as a kernel would."""
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_notebooks_import_each_other_and_run_the_public_tests(graded, tmp_path):
    folder, _ = graded
    work = tmp_path / "work"
    shutil.copytree(folder / "release" / COURSE.slug, work)
    for module in MODULES:
        notebook = filled(released(folder, module), module, SOLUTIONS[module])
        (work / f"{module}.ipynb").write_text(nbformat.writes(notebook))
    (first,) = (c.source for c in notebook.cells if c.metadata.nbgrader["grade_id"] == "first")
    (check,) = (c.source for c in notebook.cells if c.metadata.nbgrader["grade_id"] == "check")
    text = in_a_kernel(work, first, "from tower import TowerOfInsight", check)
    assert "13 of 13" in text, text
    broken = SOLUTIONS["linear"].replace(b"output + self.bias", b"output - self.bias")
    (work / "linear.ipynb").write_text(
        nbformat.writes(filled(released(folder, "linear"), "linear", broken))
    )
    text = in_a_kernel(work, first, "notebook.check('linear')")
    assert "got [0.5, -1.0, 7.5]" in text
    assert "output - self.bias" in text, "the student's own line"


RUNS = """
import json, pathlib, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for name in sys.argv[1:]:
    for cell in json.loads(pathlib.Path(f"{name}.ipynb").read_text("utf-8"))["cells"]:
        if cell["cell_type"] == "code" and not shell.run_cell("".join(cell["source"])).success:
            sys.exit(f"{name}: {cell['source']}")
import importlib.util, tower_student
assert importlib.util.find_spec("autograder") is None
print(tower_student.__file__)
"""
"""Runs notebooks from top to bottom, cell by cell, as a kernel does."""


def test_what_is_handed_out_runs_with_its_own_packages_alone(graded, tmp_path):
    """An environment with what requirements.txt names, and without the grader."""
    folder, _ = graded
    work, only = tmp_path / "work", tmp_path / "only"
    shutil.copytree(folder / "release" / COURSE.slug, work)
    assert (work / "requirements.txt").read_text().split()[-2:] == ["./tools", "jupyterlab>=4"]
    readme = (work / "README.md").read_text()
    assert "py -3.13 -m venv" in readme
    assert "jupyter lab" in readme
    for module in MODULES:
        notebook = filled(released(folder, module), module, SOLUTIONS[module])
        (work / f"{module}.ipynb").write_text(nbformat.writes(notebook))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", only], check=True)
    (packages,) = only.glob("lib/python*/site-packages")
    here = next(path for path in sys.path if path.endswith("site-packages"))
    for path in Path(here).iterdir():  # all but what leads to the kit
        if path.suffix != ".pth" and "tower" not in path.name and path.name not in CHECKOUT:
            (packages / path.name).symlink_to(path)
    shutil.copytree(work / "tools" / "tower_student", packages / "tower_student")
    environment = {n: v for n, v in os.environ.items() if n != "PYTHONPATH"}
    done = subprocess.run(
        [only / "bin" / "python", "-c", RUNS, *MODULES],
        cwd=work,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert str(packages) in done.stdout.splitlines()[-1]


CHECKOUT = {"autograder", "tower_student"}


def test_a_cell_that_fails_hinders_no_import(tmp_path):
    cells = ["a = 1", "1 / 0", "notebook.check('linear')", "b = a + 1", "def c(:", "exit()"]
    lines = ("from tower_student import notebook", *cells)
    (tmp_path / "linear.ipynb").write_bytes(notebook_of(*map(code, lines)))
    first = "from tower_student import notebook\nnotebook.import_from_notebooks()"
    text = in_a_kernel(tmp_path, first, "import linear", "print(linear.b)")
    assert "2" in text.splitlines()
    assert "linear.ipynb, cell 3, failed and was passed over: ZeroDivisionError" in text
    assert "linear.ipynb, cell 6, failed and was passed over: SyntaxError" in text
    assert "linear.ipynb, cell 7, failed and was passed over: SystemExit" in text


def test_the_graded_cell_grades_nothing_in_a_kernel(tmp_path):
    text = in_a_kernel(tmp_path, "from tower_student import notebook", "notebook.graded('linear')")
    assert "Run `nbgrader autograde`" in text


def test_a_fault_of_the_grader_gives_no_grade(monkeypatch, tmp_path):
    """nbgrader then leaves the student ungraded, which it says, in place of a 0."""
    target = tmp_path / "submitted" / "a" / COURSE.slug
    target.mkdir(parents=True)
    (target / "linear.ipynb").write_bytes(notebook_of(code("a = 1")))
    monkeypatch.chdir(tmp_path)
    judge = preprocessors.Grade(course=str(ROOT), fit="off")
    monkeypatch.setattr(preprocessors.Grade, "_warm", (COURSE, None))
    faulty = Report(
        *(
            "A course",
            "a",
            "digest",
            "suite",
            1,
            "cpu",
            Isolation("A", ""),
            0.1,
            {"fit": "off"},
            (),
        ),
        faults=(("it broke", "trace"),),
    )
    monkeypatch.setattr(preprocessors, "grade", lambda *arguments, **options: faulty)
    about = {"student": "a", "assignment": COURSE.slug, "notebook": "linear"}
    with pytest.raises(GraderFault, match="it broke"):
        judge.preprocess(nbformat.v4.new_notebook(), {"nbgrader": about})
