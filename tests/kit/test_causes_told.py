"""Likely causes told to a half of the students: who, in which exports, and what the instructor sees of it."""

import shutil
from dataclasses import replace

import pytest
from command import tower
from helpers import PHONE, ROOT
from rich.console import Console
from ways import report_of

from autograder.classroom import standings
from autograder.classroom.gradebook import Gradebook, Settings, Work
from autograder.course import load_course
from autograder.export import charts, console, github, gradescope, html, junit
from autograder.export import classroom as export
from autograder.export import json as json_export
from autograder.report import Cause, CheckResult, Feedback, Tries, tells_causes
from tower_student.submission import Submission

CAUSE = "The bias is subtracted, not added."
FAILED = CheckResult(
    *("linear.forward", "The output.", "failed", 0.0, 4.0),
    feedback=Feedback("It was asked this.", "It said that.", cause=Cause("bias.subtracted", CAUSE)),
)
TOLD, UNTOLD = (
    next(name for name in "abcdefgh" if tells_causes("half", "Tower", name) is told)
    for told in (True, False)
)


def printed(report):
    with (out := Console(width=200)).capture() as shown:
        console.show(report, out)
    return shown.get()


FOR_STUDENTS = {
    "console": printed,
    "html": html.render,
    "junit": junit.render,
    "gradescope": gradescope.render,
    "github_summary": github.summary,
    "github_annotations": lambda report: github.annotations(report, ""),
    "github_classroom": github.classroom,
}


def about(student, check=FAILED, causes="half"):
    return replace(report_of("linear", check), course="Tower", submission=student, causes=causes)


@pytest.mark.parametrize("way", FOR_STUDENTS)
def test_what_a_student_reads_names_causes_to_one_half_alone(way):
    render = FOR_STUDENTS[way]
    assert CAUSE in render(about(TOLD))
    assert CAUSE not in render(about(UNTOLD))
    assert "It said that." in render(about(UNTOLD)), "all else is told"
    assert CAUSE in render(about(UNTOLD, causes="all"))


def test_the_report_itself_keeps_every_cause():
    assert json_export.load(json_export.render(about(UNTOLD))) == about(UNTOLD)
    assert CAUSE in json_export.render(about(UNTOLD))


def test_the_halves_are_halves_and_stay():
    told = {name for name in map(str, range(1000)) if tells_causes("half", "Tower", name)}
    assert 400 < len(told) < 600
    assert told == {name for name in map(str, range(1000)) if tells_causes("half", "Tower", name)}
    assert told != {name for name in map(str, range(1000)) if tells_causes("half", "Other", name)}
    assert all(tells_causes("all", "Tower", name) for name in map(str, range(1000)))


@pytest.fixture
def course(tmp_path):
    text = (ROOT / "course.toml").read_text(encoding="utf-8")
    shutil.copytree(ROOT / "tests" / "hidden", tmp_path / "tests" / "hidden")
    shutil.copytree(ROOT / "assignments", tmp_path / "assignments")
    (tmp_path / "course.toml").write_text(f'causes = "half"\n{text}', encoding="utf-8")
    return load_course(tmp_path)


PASSED = replace(FAILED, status="passed", score=4.0, feedback=None)


def test_the_gradebook_knows_how_many_tries_a_check_took(course, tmp_path):
    """Two wrong texts, a third that passes: two further tries. Another student gives up after one more."""
    history = {"ada": [("a", FAILED), ("b", FAILED), ("c", PASSED)], "bob": [("a", FAILED), ("d", FAILED)],
               "eve": [("e", PASSED)]}  # fmt: skip
    settings = Settings("off", "cpu")
    with Gradebook(tmp_path, make=True) as gradebook:
        for student, hand_ins in history.items():
            for text, check in hand_ins:
                submission = Submission(student, {"linear": text.encode()}, {})
                gradebook.hand_in([submission])
                work = Work(submission.digest, "{}", (student,))
                gradebook.add(work, settings, about(student, check))
        found = standings(gradebook, course, settings, "last")
    assert [(each.student, each.check, each.count, each.solved) for each in found.tries] == [
        ("ada", "linear.forward", 2, True),
        ("bob", "linear.forward", 1, False),
    ]
    assert [each.told for each in found.tries] == [
        tells_causes("half", course.title, name) for name in ("ada", "bob")
    ]
    everybody = replace(course, causes="all")
    with Gradebook(tmp_path, make=False) as gradebook:
        assert standings(gradebook, everybody, settings, "last").tries is None


def tried(student, count, solved, told=True):
    return Tries(student, "linear.forward", told, count, solved)


def test_the_curve_takes_those_who_stopped_for_like_the_others():
    """Of four, one passes at once and one stops; of the two that go on one passes: 1 - 3/4 * 1/2."""
    tries = [tried("a", 1, True), tried("b", 1, False), tried("c", 2, True), tried("d", 2, False)]
    assert charts.solved(tries) == [charts.Try(1, 4, 1, 0.25), charts.Try(2, 2, 1, 0.625)]
    assert charts.solved([tried("a", 0, False)]) == []


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_shows_both_curves(browser, course, tmp_path, scheme):
    with Gradebook(tmp_path, make=True) as gradebook:
        whole = standings(gradebook, course, Settings("off", "cpu"), "last")
    tries = (
        *(tried(f"told {i}", 1 + i % 3, i % 4 > 0) for i in range(12)),
        *(tried(f"not {i}", 1 + i % 5, i % 2 > 0, told=False) for i in range(12)),
    )
    (tmp_path / "index.html").write_text(export.class_page(whole), encoding="utf-8")
    for name, each in (("feedback.html", tries), ("empty.html", ())):
        page = export.feedback_page(replace(whole, tries=each))
        (tmp_path / name).write_text(page, encoding="utf-8")
    page = browser.new_page()
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(PHONE)
    page.goto((tmp_path / "feedback.html").as_uri())
    assert page.locator("polyline").count() == 2
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.locator("#tries tbody tr").count() == 5
    assert "12 students" in page.locator(".legend").inner_text()
    page.goto((tmp_path / "empty.html").as_uri())
    assert "Nobody has handed in anything after" in page.locator("main").inner_text()
    page.close()


@pytest.mark.sandbox
def test_tower_grade_is_told_whose_submission_it_is(course, tmp_path):
    solution = (ROOT / "solutions" / "gradient_loop.py").read_text(encoding="utf-8")
    wrong = solution.replace("((y_predicted - y) ** 2).mean()", "((y_predicted - y) ** 2).sum()")
    assert wrong != solution
    (tmp_path / "gradient_loop.py").write_text(wrong, encoding="utf-8")
    names = map(str, range(100))
    by_half = {tells_causes("half", course.title, name): name for name in names}
    for is_told, student in by_half.items():
        command = (
            "grade",
            tmp_path / "gradient_loop.py",
            "--student",
            student,
            "--only",
            "gradient_loop",
        )
        done = tower(*command, "--course", course.root)
        assert done.returncode == 0, done.stderr
        assert ("Likely cause" in done.stdout) is is_told, done.stdout
        assert f"· {student} " in done.stdout
