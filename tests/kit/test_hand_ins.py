"""docs/hand-ins.md: each row of its tables, run.

A test says by `row` which row it runs; a row without a test fails, and so does a test without a row.
"""

import json
import os
import re

import pytest
import test_statements as contents
from helpers import ROOT
from test_submission import zipped

from autograder.classroom.intake import hand_ins
from autograder.course import load_course
from autograder.errors import UsageError
from autograder.sandbox.displays import LIBRARIES, PACKAGES
from tower_student.notebooks import CELL
from tower_student.submission import read_submission

PAGE = (ROOT / "docs" / "hand-ins.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (?!handed in |import \||---)(.+?) \| .+ \|$", PAGE, re.MULTILINE)
TESTS = []
WANTED = load_course(ROOT).wanted()
SOLVED = {
    module.name: (ROOT / "solutions" / f"{module.name}.py").read_text(encoding="utf-8")
    for module in WANTED
}
LINEAR, OTHER = SOLVED["linear"], SOLVED["linear"].replace("output", "result")
SKELETON = (ROOT / "assignments" / "linear.py").read_text(encoding="utf-8")


def row(words):
    """Mark a test as the one of a row, by what stands in its first column."""

    def mark(test):
        TESTS.append(words)
        return test

    return mark


def test_each_row_has_a_test_and_each_test_a_row():
    assert sorted(TESTS) == sorted(ROWS)


def notebook(*sources):
    cells = [{"cell_type": "code", "metadata": {}, "source": source} for source in sources]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})


@pytest.fixture
def handed_in(tmp_path):
    """Read files by name; a name that ends as a notebook's makes one of the text."""

    def read(files, what=""):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            content = notebook(text) if ".ipynb" in name else text
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_submission(tmp_path / what, WANTED)

    return read


def is_linear(read, text=LINEAR):
    return plain(read.sources["linear"]) == text.strip()


def plain(source):
    """The text of a module without the lines that say where its cells begin."""
    return CELL.sub("", source.decode()).strip()


# Names


@row("`linear.py`")
def test_the_module_itself(handed_in):
    read = handed_in({"linear.py": LINEAR, "linear (1).py": OTHER, "Linear.py": OTHER})
    assert is_linear(read)
    assert read.remarks == {}


@row("`linear.ipynb`")
def test_the_notebook_itself(handed_in):
    read = handed_in({"linear.ipynb": LINEAR})
    assert is_linear(read)
    assert read.remarks == {}


@row("`linear (1).py`, `Linear.py`, `ada-linear-final.py`, `Copy of linear.ipynb`, `linear.py.txt`")
@pytest.mark.parametrize(
    "name",
    ["linear (1).py", "Linear.py", "ada-linear-final.py", "Copy of linear.ipynb", "linear.py.txt"],
)
def test_an_evident_name(handed_in, name):
    read = handed_in({name: LINEAR})
    assert is_linear(read)
    assert name in read.remarks["linear"]


@row("`gradient-loop.py`, `GradientLoop.py`, `gradientloop (2).py`")
@pytest.mark.parametrize("name", ["gradient-loop.py", "GradientLoop.py", "gradientloop (2).py"])
def test_several_words(handed_in, name):
    assert set(handed_in({name: SOLVED["gradient_loop"]}).sources) == {"gradient_loop"}


@row("`test_linear.py`, `linear_test.py`, `conftest.py`")
@pytest.mark.parametrize("name", ["test_linear.py", "linear_test.py", "conftest.py"])
def test_tests(handed_in, name):
    read = handed_in({name: "def test_it(): pass\n", "tower.py": SOLVED["tower"]})
    assert "was not submitted" in read.problems["linear"]


@row("`linear_v1.py` and `linear_v2.py`, which differ")
def test_two_that_differ(handed_in):
    read = handed_in({"linear_v1.py": LINEAR, "linear_v2.py": OTHER})
    assert "any of linear_v1.py, linear_v2.py" in read.problems["linear"]


@row("`linear_v1.py` and `linear_v2.py`, with the same code")
def test_two_with_the_same_code(handed_in):
    assert is_linear(handed_in({"linear_v1.py": LINEAR, "linear_v2.py": f"# v2\n{LINEAR}"}))


@row("`linear_notes.py` and `linear_v2.py`, which alone defines `CustomLinear`")
def test_the_one_that_defines_it(handed_in):
    assert is_linear(handed_in({"linear_notes.py": "x = 1\n", "linear_v2.py": LINEAR}))


@row("`homework.py` or `homework.ipynb`, which defines `CustomLinear`")
@pytest.mark.parametrize("name", ["homework.py", "homework.ipynb"])
def test_a_file_by_what_it_defines(handed_in, name):
    read = handed_in({name: LINEAR})
    assert is_linear(read)
    assert read.remarks["linear"] == f"Read from {name}, which defines CustomLinear."


IMPORTS = "from conv2d import CustomConv2d\nfrom linear import CustomLinear\n"


@row("one notebook that defines everything")
@pytest.mark.sandbox
def test_one_notebook(handed_in, judge):
    everything = "\n\n".join(SOLVED.values()).replace(IMPORTS, "")
    read = handed_in({"homework.ipynb": f"{everything}\nprint(TowerOfInsight())\n"})
    assert set(read.sources) == set(SOLVED)
    assert b"from linear import CustomLinear" in read.sources["tower"]
    report = judge(dict(read.sources))
    assert report.score == report.max_score


@row("several files, each with a part")
def test_parts(handed_in):
    parts = {"a.py": LINEAR + SOLVED["conv2d"], "b.ipynb": SOLVED["tower"].replace(IMPORTS, "")}
    assert set(handed_in(parts).sources) == {"linear", "conv2d", "tower"}


@row("nothing that is or defines the module")
def test_nothing(handed_in):
    read = handed_in({"linaer.py": "x = 1\n", "tower.py": SOLVED["tower"]})
    assert "There is a linaer.py" in read.problems["linear"]


# Skeletons


@row("`linear.py` as released, or empty, beside a solved `linear.ipynb`")
@pytest.mark.parametrize("text", [SKELETON, "", f"# mine\nimport os\n{SKELETON}"])
def test_a_skeleton_beside_a_notebook(handed_in, text):
    read = handed_in({"linear.py": text, "linear.ipynb": LINEAR})
    assert is_linear(read)
    assert read.remarks["linear"] == "Read from linear.ipynb, since linear.py is not finished."


@row("`linear.py` as released beside a solved `linear (1).py` or `homework.ipynb`")
@pytest.mark.parametrize("name", ["linear (1).py", "homework.ipynb"])
def test_a_skeleton_beside_another_name(handed_in, name):
    read = handed_in({"linear.py": SKELETON, name: LINEAR})
    assert is_linear(read)
    assert "since linear.py is not finished" in read.remarks["linear"]


@row("a solved `linear.py` beside `linear.ipynb` as released")
def test_a_notebook_as_released(handed_in):
    read = handed_in({"linear.py": LINEAR, "linear.ipynb": SKELETON})
    assert is_linear(read)
    assert "since linear.ipynb is not finished" in read.remarks["linear"]


@row("`linear.py` and `linear.ipynb`, both solved, which differ")
def test_two_that_are_solved(handed_in):
    read = handed_in({"linear.py": LINEAR, "linear.ipynb": OTHER})
    said = "linear.py and linear.ipynb are both written; hand in one of them."
    assert read.problems["linear"] == said


@row("`linear.py` and `linear.ipynb`, as released")
def test_two_as_released(handed_in):
    assert is_linear(handed_in({"linear.py": SKELETON, "linear.ipynb": SKELETON}), SKELETON)


# What stands in a module

for words, run in {
    "a statement that fails: a self-test, `exit()`, `input()`, a file that is not there, a download": (
        contents.test_a_statement_that_fails_costs_nothing_and_is_named
    ),
    "something that needs what such a statement would have made": (
        contents.test_what_lacks_it_fails_for_that_reason
    ),
    "training, or an endless loop, at the top": contents.test_work_at_the_top_is_cut_off_once,
    '`if __name__ == "__main__":`': contents.test_what_only_shows_something_does_nothing,
    "plots, bars of progress, Colab's drive, `display`, `argparse` with defaults": (
        contents.test_what_only_shows_something_does_nothing
    ),
    "a cell that fails, or that Python cannot read": (
        contents.test_a_cell_that_python_cannot_read_is_passed_over
    ),
    "magics, `!`, `?`, `%%` cells, prompts, `await`, indented cells, a late `from __future__`": (
        contents.test_a_notebook_runs_as_in_jupyter
    ),
    "`%run linear.ipynb` in another module's notebook": contents.test_a_notebook_runs_another,
    "cells of one's own in a notebook of nbgrader's": contents.test_ones_own_cells_count,
    "a `.py` that Python cannot read": contents.test_what_python_cannot_read_has_a_remedy,
    "`from .linear import …`, `from homework.linear import …`": (
        contents.test_a_brick_is_imported_whatever_stands_around_it
    ),
    "the standard library, torch, numpy, the course's own modules, and what `worker.imports` of "
    "`course.toml` names": contents.test_what_only_shows_something_does_nothing,
    "matplotlib, mpl_toolkits, seaborn, tqdm, IPython, ipywidgets, google.colab, torchvision, torchinfo, "
    "torchsummary": contents.test_what_only_shows_something_does_nothing,
    "any other package": contents.test_a_statement_that_fails_costs_nothing_and_is_named,
}.items():
    row(words)(run)


def test_the_page_names_all_that_can_be_imported():
    named = set(re.findall(r"\w+", PAGE))
    assert (PACKAGES | LIBRARIES) - {"sandbox"} <= named


# Folders and files


@row("a single `.py` or notebook")
@pytest.mark.parametrize("name", ["linear.py", "Linear (1).py", "homework.py", "homework.ipynb"])
def test_a_single_file(handed_in, name):
    assert is_linear(handed_in({name: LINEAR}, name))


@row("a folder with one folder in it that holds the modules")
@pytest.mark.parametrize("name", ["linear.py", "my linear.py", "homework.ipynb"])
def test_a_folder_in_a_folder(handed_in, name):
    assert is_linear(handed_in({f"homework/{name}": LINEAR, "README.md": "", "data/x.csv": ""}))


@row("a folder for each module")
def test_a_folder_for_each_module(handed_in, tmp_path):
    files = {f"{name}/{name}.py": text for name, text in SOLVED.items()}
    assert set(handed_in(files).sources) == set(SOLVED)
    archive = zipped(
        tmp_path / "s.zip", [(f"hand in/{name}", text) for name, text in files.items()]
    )
    assert set(read_submission(archive, WANTED).sources) == set(SOLVED)


@row("a folder or `.zip` with two folders that hold the same module")
def test_two_folders(handed_in, tmp_path):
    archive = zipped(tmp_path / "s.zip", [("hw/linear.py", LINEAR), ("hw 2/linear.py", OTHER)])
    with pytest.raises(UsageError, match="several of its folders hold modules"):
        read_submission(archive, WANTED)
    with pytest.raises(UsageError, match="several of its folders hold modules"):
        handed_in({"hw/linear.py": LINEAR, "hw 2/linear.py": OTHER})


@row("a `.zip`, with or without a folder in it")
@pytest.mark.parametrize("name", ["linear.py", "ada/linear.py", "a/b/Linear.py", "ada/hw.py"])
def test_an_archive(tmp_path, name):
    assert is_linear(read_submission(zipped(tmp_path / "s.zip", [(name, LINEAR)]), WANTED))


@row("two archives in one file")
def test_two_archives(tmp_path):
    texts = [
        zipped(tmp_path / "s.zip", [("linear.py", text)]).read_bytes() for text in (LINEAR, OTHER)
    ]
    (tmp_path / "s.zip").write_bytes(b"".join(texts))
    with pytest.raises(UsageError, match="two archives in one file"):
        read_submission(tmp_path / "s.zip", WANTED)


ARCHIVES = {
    "a.rar": b"Rar!\x1a\x07\1\0",
    "a.7z": b"7z\xbc\xaf\x27\x1c",
    "a.tar.gz": b"\x1f\x8b\x08",
}


@row("a `.rar`, a `.7z`, a `.tar.gz`")
@pytest.mark.parametrize("name", ARCHIVES)
def test_another_archive(handed_in, name):
    with pytest.raises(UsageError, match=r"it is a \w+ archive"):
        handed_in({name: ARCHIVES[name] + bytes(600)}, name)


@row("a link, a pipe, a device; a file with a second name")
def test_what_is_no_file_of_its_own(handed_in, tmp_path):
    (tmp_path / "elsewhere").write_text(LINEAR)
    (tmp_path / "linear.py").symlink_to("elsewhere")
    (tmp_path / "conv2d.py").hardlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / "tower.py")
    problems = handed_in({}).problems
    for module in ("linear", "conv2d", "tower"):
        assert f"{module}.py could not be read" in problems[module]


@row("a `.py` in UTF-16 with its mark, or in an encoding that its first line names")
@pytest.mark.parametrize(
    "text", [LINEAR.encode("utf-16"), b"# coding: latin-1\n# \xe9\n" + b"class CustomLinear: pass"]
)
def test_another_encoding(handed_in, text):
    read = handed_in({"linear.py": text})
    assert b"class CustomLinear" in read.sources["linear"]
    assert "save it as UTF-8" in read.remarks["linear"]


@row("a `.py` in another encoding than it says")
def test_an_unknown_encoding(handed_in):
    assert "save it as UTF-8" in handed_in({"linear.py": b"# \xe9\n"}).problems["linear"]


# Exports


@pytest.fixture
def students(tmp_path):
    """By student: the text of linear, or the problem, and the remark."""

    def read(files):
        for name, text in files.items():
            path = tmp_path / "class" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(notebook(text) if ".ipynb" in name else text)
        return {
            item.student: (
                plain(item.submission.sources["linear"]) if item.submission else item.problem,
                item.remark,
            )
            for item in hand_ins(tmp_path / "class", WANTED)
        }

    return read


NONE = "which holds none of gradient_loop.py, linear.py, conv2d.py, kaiming_init.py, tower.py."
OLD, NEW = "x = 'old'", "x = 'new'"


@row("Moodle: `Ada Lovelace_123456_assignsubmission_file_/`")
def test_moodle(students):
    found = students(
        {
            "Ada Lovelace_123456_assignsubmission_file_/linear.py": NEW,
            "Bob Ng_123457_assignsubmission_file_linear.py": NEW,
        }
    )
    assert found == {"Ada Lovelace": (NEW, ""), "Bob Ng": (NEW, "")}


@row("Canvas: `lovelaceada_LATE_12_345_linear-1.py`")
def test_canvas(students):
    found = students(
        {"lovelaceada_12_344_linear.py": OLD, "lovelaceada_LATE_12_345_linear-1.py": NEW}
    )
    assert found == {"lovelaceada": (NEW, "")}


@row("Blackboard: `HW 1_ada_attempt_2026-11-20-18-30-00_linear.py`")
def test_blackboard(students):
    found = students(
        {
            "HW 1_ada_attempt_2026-11-20-18-30-00_linear.py": NEW,
            "HW 1_ada_attempt_2026-11-20-18-30-00.txt": "about it",
            "HW 1_ada_attempt_2026-11-09-18-30-00_linear.py": OLD,
        }
    )
    assert found["ada"][0] == NEW
    assert "2 attempts were handed in" in found["ada"][1]


@row("Brightspace: `12-34 - Ada Lovelace - Nov 20, 2026 630 PM`")
def test_brightspace(students):
    found = students(
        {
            "12-34 - Ada Lovelace - Nov 20, 2026 630 PM/linear.py": NEW,
            "12-34 - Ada Lovelace - Nov 20, 2026 1130 AM/linear.py": OLD,
        }
    )
    assert found["Ada Lovelace"][0] == NEW
    assert "2 attempts were handed in" in found["Ada Lovelace"][1]


@row("Gradescope: `submission_123/` with `submission_metadata.yml`")
def test_gradescope(students):
    listed = (
        "submission_123:\n  :submitters:\n  - :name: Ada\n  :created_at: 2026-11-20 18:30:00\n"
        "submission_122:\n  :submitters:\n  - :name: Ada\n  :created_at: 2026-11-09 18:30:00\n"
    )
    files = {"submission_123/linear.py": NEW, "submission_122/linear.py": OLD}
    found = students({**files, "submission_metadata.yml": listed})
    assert found["Ada"][0] == NEW
    assert "2 attempts were handed in" in found["Ada"][1]


@row("GitHub Classroom: `tower-of-insight-ada/`")
def test_github(students):
    heads = {f"tower-of-insight-{who}/.git/HEAD": "" for who in ("ada", "bob")}
    files = {f"tower-of-insight-{who}/linear.py": NEW for who in ("ada", "bob")}
    assert students({**heads, **files}) == {"ada": (NEW, ""), "bob": (NEW, "")}


@row("ILIAS: `Lovelace_Ada_ada_1234/`")
def test_ilias(students):
    found = students({"Lovelace_Ada_ada_1234/linear.py": NEW})
    assert found == {"Lovelace_Ada_ada_1234": (NEW, "")}


@row("Google Classroom: `Ada Lovelace - linear.ipynb`")
def test_google_classroom(students):
    assert students({"Ada Lovelace - linear.ipynb": LINEAR}) == {
        "Ada Lovelace": (LINEAR.strip(), "")
    }


@row("Google Drive: `Copy of linear.ipynb`")
def test_google_drive(students):
    ((text, remark),) = students({"Copy of linear.ipynb": LINEAR}).values()
    assert text == LINEAR.strip()
    assert "does not say whose it is; rename it, as ada_linear.py" in remark


@row("sets: `ada_linear.py`, `ada-tower (1).py`")
def test_sets(students):
    assert students({"ada_linear.py": NEW, "ada-tower (1).py": OLD}) == {"ada": (NEW, "")}


@row("a student's folder without any module")
def test_no_module(students):
    found = students({"ada/essay.pdf": "", "bob/linear.py": NEW})
    assert found["ada"][0] == f"Handed in was essay.pdf, {NONE}"
