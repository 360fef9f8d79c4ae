"""A second course, with other modules, points and title, no data set and no long check, from end to end."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import PurePosixPath

import command
import nbformat
import pytest
from helpers import ROOT, checks_of, failed

from autograder.bank import Bank
from autograder.broker import Broker
from autograder.course import load_course
from autograder.export.view import message
from autograder.grading import grade
from autograder.nbgrader import build as notebooks
from autograder.release import refreshed, student_repository
from tower_student.submission import Submission

pytestmark = pytest.mark.sandbox

FOLDER = ROOT / "tests" / "kit" / "courses" / "attention"
COURSE = load_course(FOLDER)
BANK = Bank(FOLDER)
SOLUTIONS = BANK.solutions(COURSE.modules)
MUTANTS = [mutant for module in COURSE.modules for mutant in BANK.mutants(module)]
OF_THE_FIRST = re.compile("tower of insight|mnist|conv2d|kaiming|gradient_loop|3136", re.IGNORECASE)
"""What a page of this course would hold of the other."""


@pytest.fixture(scope="module")
def graded():
    """Grade these modules, the others as in solutions/; None is a module that is not handed in."""
    with Broker(COURSE.policy, [FOLDER]) as broker:

        def graded(**changes):
            sources = {n: s for n, s in (SOLUTIONS | changes).items() if s is not None}
            missing = {n: f"{n}.py was not submitted." for n in COURSE.modules if n not in sources}
            return grade(COURSE, Submission("s", sources, missing), broker, seed=1, fit=COURSE.fit)

        yield graded


def tower(*arguments, **variables):
    """What a command prints that ends well, in this course."""
    done = command.tower(*arguments, **{"TOWER_COURSE": str(FOLDER)} | variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_course_has_what_the_other_has_not():
    assert COURSE.title == "Attention from Scratch"
    assert (COURSE.fit, COURSE.points, len(MUTANTS)) == ("off", 40, 10)


def test_the_solutions_get_every_point(graded):
    report = graded()
    assert not report.faults
    assert (report.score, report.max_score) == (40, 40)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_caught_by_its_check(graded, mutant):
    report = graded(**{mutant.module: mutant.source})
    assert not report.faults
    assert mutant.check in failed(report)
    assert not mutant.cause or checks_of(report)[mutant.check].cause_id == mutant.cause


def test_a_failure_over_stand_ins_says_what_was_asked(graded):
    (mutant,) = (m for m in MUTANTS if m.name == "another_softmax")
    check = checks_of(graded(attention=mutant.source))["attention.own_softmax"]
    assert check.feedback.asked.startswith("attention(tensor(")


def test_a_module_that_is_missing_costs_its_own_points_alone(graded):
    """The attention is judged over the course's stand-in for the softmax that was not handed in."""
    report = graded(softmax=None)
    assert not report.faults
    assert (report.score, report.max_score) == (28, 40)
    assert "only over the course's softmax, not over yours" in report.modules[1].note


def test_over_a_wrong_brick_the_dependant_keeps_its_points(graded):
    wrong = SOLUTIONS["softmax"].replace(b".sum(dim, keepdim=True)", b".sum()")
    report = graded(softmax=wrong)
    assert not report.faults
    assert report.modules[1].score == 28
    assert report.modules[0].score < 12


def test_a_stand_in_that_does_not_import_is_the_courses_fault(tmp_path):
    course = tmp_path / "course"
    shutil.copytree(FOLDER, course)
    path = course / COURSE.named[0]
    path.write_text("import softmux\n" + path.read_text())
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "attention.py").write_bytes(SOLUTIONS["attention"])
    done = command.tower("grade", tmp_path / "mine", "--course", course)
    assert done.returncode == 2
    said = "".join(done.stderr.split())  # a path is wrapped wherever the line ends
    assert f"names{COURSE.named[0]};whatisforworkersofthesedoesnotimport" in said
    assert "Nomodulenamed'softmux'" in said
    assert "Traceback" not in said


def test_two_courses_can_be_graded_by_one_process(graded, judge, solutions):
    """What one course registers, and its files of the same name, are not those of the other."""
    first = SOLUTIONS["attention"].replace(b" / math.sqrt(query.shape[-1])", b"")
    for _ in range(2):
        text = message(checks_of(graded(attention=first))["attention.forward"])
        assert "The scores are not divided by √d." in text
        wrong = solutions["linear"].replace(b"self.weight.T", b"self.weight.T * 2")
        assert "linear.forward" in failed(judge({"linear": wrong}, only="linear"))


def test_the_report_is_the_courses_own(tmp_path):
    tower(
        "grade", FOLDER / "solutions", "--html", tmp_path / "r.html", "--json", tmp_path / "r.json"
    )
    for name in ("r.html", "r.json"):
        assert not OF_THE_FIRST.search((tmp_path / name).read_text())
    assert COURSE.title in (tmp_path / "r.html").read_text()


def test_a_conftest_above_a_course_or_a_repository_is_not_read(tmp_path):
    (tmp_path / "conftest.py").write_text("raise SystemError\n")
    course, repository = tmp_path / "course", tmp_path / "repository"
    shutil.copytree(FOLDER, course)
    tower("grade", FOLDER / "solutions", TOWER_COURSE=str(course))
    tower("release", "--out", repository)
    for name, source in SOLUTIONS.items():
        (repository / f"{name}.py").write_bytes(source)
    assert "2 of 2 public tests pass" in tower("check", "--in", repository)


def test_a_student_checks_and_packs(tmp_path):
    tower("release", "--out", tmp_path)
    for name, source in SOLUTIONS.items():
        (tmp_path / f"{name}.py").write_bytes(source)
    shown = tower("check", "--in", tmp_path)
    assert "Attention from Scratch: 2 of 2 public tests pass" in shown
    assert not OF_THE_FIRST.search(shown)
    tower("submit", "--in", tmp_path, "--out", tmp_path / "mine.zip")
    assert "40 │ 40" in tower("grade", tmp_path / "mine.zip")


def test_what_students_get_is_the_courses_own():
    assert (
        refreshed(COURSE).items()
        <= {
            PurePosixPath(path.relative_to(FOLDER / "assignments")): path.read_text()
            for path in (FOLDER / "assignments").rglob("*.*")
            if path.suffix in (".py", ".md")
        }.items()
    )
    released = {str(path): text for path, text in student_repository(COURSE).items()}
    pages = {
        path: text
        for path, text in released.items()
        if not path.startswith(("tools/", "tests/course.json"))
    }
    assert not OF_THE_FIRST.search("".join(pages.values()))
    assert (
        "`attention` needs your `softmax`; `softmax` stands alone."
        in released["handouts/README.md"]
    )
    assert pages["README.md"].startswith("# Attention from Scratch\n")
    assert "two modules" in pages["README.md"]
    assert "tower bench" not in pages["README.md"], "the course has no tests/timings.py"


def test_notebooks_for_nbgrader_hold_the_courses_modules_and_points():
    files = notebooks(COURSE, fit="off", level="C")
    made = {
        path.stem: nbformat.reads(text, 4)
        for path, text in files.items()
        if path.suffix == ".ipynb"
    }
    assert set(made) == set(COURSE.modules)
    assert all(path.parts[1] == "attention_from_scratch" for path in files if len(path.parts) > 1)
    for name, notebook in made.items():
        cells = [cell.metadata.get("nbgrader", {}) for cell in notebook.cells]
        points = [cell["points"] for cell in cells if cell.get("points")]
        assert points == [COURSE.modules[name].points]
    own = (text for path, text in files.items() if "tools" not in path.parts)
    assert not OF_THE_FIRST.search("".join(own))


def test_gradescope_grades_by_the_zip(tmp_path):
    """The zip holds what grading takes, and results.json is right."""
    tower("gradescope", "build", "--out", tmp_path / "g.zip")
    home = tmp_path / "home"
    with zipfile.ZipFile(tmp_path / "g.zip") as archive:
        archive.extractall(home / "source")
    shutil.copytree(FOLDER / "solutions", home / "submission")
    (home / "results").mkdir()
    kit = home / "source" / "tower"
    grader = [sys.executable, "-m", "autograder", "gradescope", "run", "--home", str(home)]
    variables = {"TOWER_COURSE": str(kit), "PYTHONPATH": str(kit)}
    subprocess.run(grader, cwd=kit, env=os.environ | variables, check=True, capture_output=True)
    results = json.loads((home / "results" / "results.json").read_text())
    assert results["score"] == 40
    assert "leaderboard" not in results or not results["leaderboard"]


def test_a_class_and_its_pages(tmp_path):
    for student, changes in {
        "ada": {},
        "bob": {"softmax": MUTANTS[0].source},
        "eve": {"attention": None},
    }.items():
        (tmp_path / "in" / student).mkdir(parents=True)
        for name, source in (SOLUTIONS | changes).items():
            if source is not None:
                (tmp_path / "in" / student / f"{name}.py").write_bytes(source)
    out = tmp_path / "out"
    tower("class", tmp_path / "in", "--out", out, "--processes", "1")
    lines = (out / "gradebook.csv").read_text().splitlines()
    rows = {line.split(",")[0]: line.split(",")[1:3] for line in lines}
    assert rows["ada"] == ["40", "40"]
    assert rows["eve"] == ["12", "40"]
    assert float(rows["bob"][0]) < 40
    for page in out.rglob("*.html"):
        text = page.read_text()
        assert not OF_THE_FIRST.search(text), page
        assert COURSE.title in text


def test_bonus_points_come_on_top_of_the_total(tmp_path):
    course = tmp_path / "course"
    shutil.copytree(FOLDER, course)
    text = (course / "course.toml").read_text()
    (course / "course.toml").write_text(
        text.replace("points = 12\n", "points = 12\nbonus = true\n")
    )
    variables = {"TOWER_COURSE": str(course)}
    shown = tower("grade", FOLDER / "solutions", "--json", tmp_path / "r.json", **variables)
    assert "softmax (bonus)" in shown
    report = json.loads((tmp_path / "r.json").read_text())
    assert (report["score"], report["max_score"]) == (40, 28)
    (tmp_path / "mine").mkdir()
    shutil.copy(FOLDER / "solutions" / "attention.py", tmp_path / "mine")
    tower("grade", tmp_path / "mine", "--json", tmp_path / "s.json", **variables)
    report = json.loads((tmp_path / "s.json").read_text())
    assert (report["score"], report["max_score"]) == (28, 28)
