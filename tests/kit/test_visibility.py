"""What is made for students holds no word of a check that is not visible to them yet, nor its points."""

import json
import re
from dataclasses import replace

import pytest
from command import tower
from rich.console import Console
from text_lab import strings
from ways import report_of

from autograder.classroom import standings
from autograder.classroom.gradebook import Gradebook, Settings, Work
from autograder.cli import _classroom
from autograder.course import course_root, load_course
from autograder.export import console, github, gradescope, html
from autograder.export import json as json_export
from autograder.report import (
    Bars,
    Cause,
    CheckResult,
    Curve,
    Feedback,
    Images,
    Measured,
    ModuleResult,
)
from tower_student.submission import Submission

SECRET = "Zanzibar"
"""In every text of a check that is hidden."""
TOLD = Feedback(
    f"{SECRET} was asked.",
    f"{SECRET} came back.",
    (f"{SECRET} = 1",),
    f"{SECRET} is right.",
    Cause("linear.secret", f"{SECRET} is the cause.", {"it": SECRET}),
    None,
    f"Read on in {SECRET}.",
)
SEEN = CheckResult("linear.forward", "The output is right.", "passed", 3.0, 4.0)
EXCUSED = replace(
    SEEN, id="linear.trains", title="It trains.", remark="Right but for what costs linear.Zanzibar."
)
SHARED = replace(
    SEEN,
    id="linear.gradient",
    title="Its gradient is right.",
    status="failed",
    score=0.0,
    feedback=Feedback("This was asked.", "That came back.", same_as=f"linear.{SECRET}"),
)
MEASURED = Measured(f"{SECRET} measured", 0.5)
HIDDEN = {
    when: CheckResult(
        *(f"linear.{SECRET}", f"{SECRET} works.", "failed", 0.0, 8.0, f"{SECRET}!", TOLD, 0.1),
        measured=MEASURED,
        visibility=when,
    )
    for when in ("hidden", "after_due_date", "after_published")
}
OF_HIDDEN = {"check": f"linear.{SECRET}"}
FIGURES = (
    Curve(f"{SECRET} rises", "over steps", ((0, 0.1), (9, 0.9)), **OF_HIDDEN),
    Images(f"{SECRET} seen", "its patches", ((0.1, 0.2, 0.3, 0.4),), **OF_HIDDEN),
    Bars(f"{SECRET} by layer", "norms", {"weight": (1.0, 2.0)}, **OF_HIDDEN),
    Curve("Rise", "over steps", ((0, 0.1), (9, 0.9)), check="linear.forward"),
)
SETTINGS = Settings("off", "cpu")


def graded(student, when="hidden"):
    """A report of two modules, one of which students see nothing of."""
    whole = report_of("linear", SEEN)
    checks = (SEEN, EXCUSED, SHARED, HIDDEN[when])
    tower = (replace(HIDDEN[when], id=f"tower.{SECRET}"),)
    modules = (
        ModuleResult("linear", checks, f"linear.{SECRET} is noted."),
        ModuleResult("tower", tower),
    )
    return replace(whole, submission=student, modules=modules, figures=FIGURES)


FOR_STUDENTS = {
    "the web page": html.render,
    "GitHub's summary": github.summary,
    "GitHub's comment": github.comment,
    "GitHub's annotations": lambda report: github.annotations(report, ""),
    "GitHub's outputs": github.outputs,
    "GitHub Classroom": github.classroom,
    "what Gradescope shows at once": lambda report: shown_on_gradescope(report),
    "the log of GitHub's job": lambda report: printed(report.visible()),
}


def shown_on_gradescope(report):
    whole = gradescope.as_dict(report)
    tests = [test for test in whole.pop("tests") if test["visibility"] == "visible"]
    return json.dumps([whole, tests])


def printed(report):
    with (out := Console(width=200)).capture() as shown:
        console.show(report, out)
    return shown.get()


@pytest.mark.parametrize("when", HIDDEN)
@pytest.mark.parametrize("way", FOR_STUDENTS)
def test_no_word_of_a_hidden_check_is_told(way, when):
    text = FOR_STUDENTS[way](graded("ada", when))
    assert SECRET not in text
    assert "That came back." in text or way == "GitHub's outputs"


def test_a_report_for_students_holds_nothing_of_it_and_the_points_without():
    seen = graded("ada").visible()
    assert not [text for text in strings(json_export.as_dict(seen)) if SECRET in text]
    assert (seen.score, seen.max_score, seen.later) == (6, 12, 16)
    assert [figure.title for figure in seen.figures] == ["Rise"]
    assert seen.visible() == seen
    assert json_export.parse(json_export.render(seen)) == seen


def test_points_that_are_shown_later_are_named_and_are_no_zeros():
    page = html.render(graded("ada"))
    assert ">16 points shown later<" in page
    assert "6 of 12 · 8 points shown later" in page
    assert re.search(r"<h2>tower</h2><span class=\"points\">8 points shown later<", page)
    summary = github.summary(graded("ada"))
    assert summary.startswith("## 6 of 12 points (50.0 %), 16 points shown later: ")
    assert "| tower | 0 | 0 (8 points shown later) |" in summary
    all_hidden = graded("ada")
    all_hidden = replace(all_hidden, modules=all_hidden.modules[1:])
    assert github.summary(all_hidden).startswith("## 8 points shown later: ")
    assert "0.0 %" not in html.render(all_hidden)


def test_a_failure_with_the_root_of_a_hidden_one_is_told_in_full():
    assert "That came back." in html.render(graded("ada"))


def test_the_page_of_the_instructor_holds_all_and_is_asked_for(tmp_path):
    report, page = tmp_path / "report.json", tmp_path / "page.html"
    report.write_text(json_export.render(graded("ada")))
    assert tower("show", report, "--html", page).returncode == 0
    assert SECRET not in page.read_text()
    assert tower("show", report, "--html", page, "--for", "instructor").returncode == 0
    assert f"{SECRET} works." in page.read_text()
    assert "shown later" not in page.read_text()


def test_no_page_of_a_student_holds_a_word_of_it_nor_of_other_students(tmp_path):
    """Ada has handed in twice, and Bob what Ada handed in last."""
    course = load_course(course_root())
    with Gradebook(tmp_path, make=True) as gradebook:
        for student, text in (("ada", "a"), ("ada", "b"), ("bob", "b")):
            submission = Submission(student, {"linear": text.encode()}, {})
            gradebook.hand_in([submission])
            work = Work(submission.digest, "{}", (student,))
            gradebook.add(work, SETTINGS, graded(student))
        whole = standings(gradebook, course, SETTINGS, "last", {"ada": "Ask her twin, bob."})
        _classroom.write_pages(gradebook, whole, tmp_path)
    names = {standing.student: standing.page for standing in whole.standings}
    assert whole.standings[0].twins == ("bob",)
    for student, page in names.items():
        (other,) = names.keys() - {student}
        theirs = (tmp_path / "students" / page).read_text()
        assert SECRET not in theirs
        assert other not in theirs
        assert "index.html" not in theirs
        assert "16 points shown later" in theirs
        ours = (tmp_path / "review" / page).read_text()
        assert f"{SECRET} works." in ours
        assert other in ours
        assert f'href="review/{page}"' in (tmp_path / "index.html").read_text()
    attempts = re.findall(
        r"attempt \d[^<]*</th>.*?</tr>", (tmp_path / "students" / names["ada"]).read_text()
    )
    assert [re.findall(r'"number">([^<]*)<', row)[1:] for row in attempts] == [["6", "50.0"]] * 2
