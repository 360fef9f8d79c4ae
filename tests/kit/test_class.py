"""A class: each submission is graded once, nothing that was graded is lost, and what changes is said."""

import contextlib
import csv
import io
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from command import tower
from helpers import ROOT
from rich.console import Console
from ways import class_of, report_of

from autograder.classroom import Lost, changes, page_name, plan, run_class, standings
from autograder.classroom.gradebook import FILE, Gradebook, Settings
from autograder.cli import _classroom as classroom
from autograder.course import suite_digest
from autograder.errors import GraderFault, Stopped, TowerError, UsageError
from autograder.export import json as as_json
from autograder.export.classroom import class_page
from autograder.export.view import message
from autograder.report import Cause, CheckResult, Feedback
from tower_student.submission import Submission

pytestmark = pytest.mark.sandbox

SETTINGS = Settings("off", "cpu")
PROBLEMS = {name: f"{name}.py was not submitted." for name in ("conv2d", "tower")}


MISSING = Cause("bias.missing", "The bias is missing.")


def submission(student, text="x = 1\n", problems=None, remarks=None):
    return Submission(student, {"linear": text.encode()}, problems or PROBLEMS, remarks or {})


def outcome(job, *, score=4.0, suite="1" * 64, faults=()):
    """The report of a grader that gives everybody the same points, but for those who ask for none."""
    wrong = b"wrong" in job.submission.sources["linear"]
    feedback = Feedback("it", "0 for 1", cause=Cause("value.sign", "The sign is flipped."))
    check = CheckResult(
        "linear.forward",
        "The output equals nn.Linear's.",
        "failed" if wrong else "passed",
        0.0 if wrong else score,
        score,
        feedback=feedback if wrong else None,
    )
    return replace(
        report_of("linear", check),
        submission=job.submission.name,
        submission_digest=job.submission.digest,
        suite_digest=suite,
        seed=job.seed,
        faults=faults,
    )


class Crew:
    """In the place of graders: keeps what it was given, and does what it is told."""

    def __init__(self, work=outcome, stop_after=None):
        self.work, self.stop_after, self.graded = work, stop_after, []

    def __call__(self, jobs):
        for number, job in enumerate(jobs):
            if number == self.stop_after:
                raise KeyboardInterrupt
            self.graded.append(job.submission.name)
            yield number, self.work(job)


@pytest.fixture
def book(tmp_path):
    with Gradebook(tmp_path, make=True) as gradebook:
        yield gradebook


def grade(book, course, crew=None, *, suite="1" * 64, regrade=False, seed=None, settings=SETTINGS):
    """One run over what is in the gradebook; returns who was graded."""
    crew = crew or Crew(lambda job: outcome(job, suite=suite))
    todo = plan(book, settings, suite, regrade=regrade, seed=seed)
    run = book.begin(suite, settings, seed)
    list(run_class(book, course, todo, settings, run, crew))
    book.end()
    return crew.graded


def of(book, course, student, counts="last"):
    report = standings(book, course, SETTINGS, counts)
    (standing,) = (s for s in report.standings if s.student == student)
    return standing


# What is graded


def test_each_submission_is_graded_once(book, course):
    book.hand_in([submission("ada"), submission("bob", "x = 2\n")])
    assert grade(book, course) == ["ada", "bob"]
    assert grade(book, course) == []


def test_equal_submissions_are_graded_once_and_have_a_result_each(book, course):
    book.hand_in([submission(name) for name in ("ada", "bob", "eve")])
    assert grade(book, course) == ["ada"]
    for name in ("ada", "bob", "eve"):
        attempt = of(book, course, name).counted
        assert book.report(attempt.id).submission == name
    assert of(book, course, "ada").twins == ("bob", "eve")


def test_what_was_graded_for_another_student_is_not_graded_again(book, course):
    book.hand_in([submission("ada")])
    grade(book, course)
    book.hand_in([submission("bob")])
    assert grade(book, course) == []
    assert of(book, course, "bob").counted.score == 4


def test_equal_texts_with_other_problems_are_not_the_same(book, course):
    """What could not be read differs, and with it what the report says."""
    other = {**PROBLEMS, "tower": "tower.py could not be read: it is a link."}
    book.hand_in([submission("ada"), submission("bob", problems=other)])
    assert grade(book, course) == ["ada", "bob"]


def test_remarks_on_files_are_kept_and_make_nobody_another_author(book, course):
    """They are part of a report. Who handed in the same under another name has still handed in the same."""
    remarks = {"linear": "Read from Linear.py."}
    book.hand_in([submission("ada"), submission("bob", remarks=remarks)])
    graded = {}

    def noted(job):
        graded[job.submission.name] = job.submission
        return outcome(job)

    grade(book, course, Crew(noted))
    assert {name: read.remarks for name, read in graded.items()} == {"ada": {}, "bob": remarks}
    assert all(read.problems == PROBLEMS for read in graded.values())
    report = standings(book, course, SETTINGS, "last")
    assert [standing.twins for standing in report.standings] == [("bob",), ("ada",)]


def test_other_settings_are_another_grading(book, course):
    book.hand_in([submission("ada")])
    grade(book, course)
    assert grade(book, course, settings=Settings("quick", "cpu", ("linear",))) != []


def test_a_report_with_faults_is_kept_and_tried_again(book, course):
    book.hand_in([submission("ada")])
    fault = (("linear.forward: it broke", "trace"),)
    grade(book, course, Crew(lambda job: outcome(job, faults=fault)))
    assert grade(book, course) == ["ada"]
    assert grade(book, course) == []


def test_a_submission_that_no_grader_survives_is_named_and_tried_again(book, course):
    book.hand_in([submission("ada"), submission("bob", "x = 2\n")])
    crew = Crew(lambda job: Lost("killed") if job.submission.name == "ada" else outcome(job))
    grade(book, course, crew)
    assert of(book, course, "ada").counted is None
    assert "killed" in of(book, course, "ada").remark
    assert of(book, course, "bob").counted
    book.set_troubles({})
    assert grade(book, course) == ["ada"]


# Attempts


def test_attempts_are_kept_in_order_and_one_counts(book, course):
    for text in ("wrong = 1\n", "x = 1\n", "wrong = 2\n"):
        book.hand_in([submission("ada", text)])
        grade(book, course)
    last, best = of(book, course, "ada"), of(book, course, "ada", "best")
    assert [attempt.score for attempt in last.attempts] == [0, 4, 0]
    assert (last.counted.score, best.counted.score) == (0, 4)
    assert (last.best.score, last.last.score) == (4, 0)


def test_what_is_handed_in_again_counts_again(book, course):
    for text in ("x = 1\n", "wrong = 1\n", "x = 1\n"):
        book.hand_in([submission("ada", text)])
        grade(book, course)
    standing = of(book, course, "ada")
    assert [attempt.score for attempt in standing.attempts] == [4, 0, 4]
    assert standing.counted.score == 4


def test_attempts_cannot_be_changed_or_removed(book, course, tmp_path):
    book.hand_in([submission("ada")])
    grade(book, course)
    other = sqlite3.connect(tmp_path / FILE)
    for statement in ("UPDATE attempts SET score = 100", "DELETE FROM attempts"):
        with pytest.raises(sqlite3.IntegrityError, match="only ever added"):
            other.execute(statement)


def test_an_attempt_says_by_what_it_was_graded(book, course):
    book.hand_in([submission("ada")])
    grade(book, course, seed=11)
    row = dict(book._rows("SELECT * FROM attempts")[0])
    assert row["submission_digest"] == submission("ada").digest
    assert (row["suite_digest"], row["seed"]) == ("1" * 64, 11)
    assert json.loads(row["versions"]) == {"fit": "off"}
    assert as_json.parse(row["report"]).score == row["score"] == 4


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1, (51, {"accuracy": 0.951}, ["Learning curve"])),
        (2, (50.5, {}, [])),
        (3, (12, {}, [])),
        (4, (12, {}, [])),
        (5, (40, {}, [])),
    ],
)
def test_a_gradebook_with_reports_of_an_older_schema_goes_on(
    book, course, monkeypatch, number, expected
):
    old = (ROOT / "tests" / "kit" / f"report_of_schema_{number}.json").read_text()
    book.hand_in([submission("ada")])
    with monkeypatch.context() as first_edition:
        first_edition.setattr(as_json, "render", lambda report: old)
        grade(book, course)
        book.set_reference(book.begin("1" * 64, SETTINGS, 7), report_of("linear"))
    book.hand_in([submission("bob")])
    assert grade(book, course) == []
    for student in ("ada", "bob"):
        attempt = of(book, course, student).counted
        curves = [curve.title for curve in attempt.curves]
        assert (attempt.score, attempt.measured, curves) == expected
    schemas = [json.loads(text)["schema"] for (text,) in book._rows("SELECT report FROM attempts")]
    assert schemas == [number, as_json.SCHEMA_VERSION]
    page = class_page(standings(book, course, SETTINGS, "last"))
    assert page.count("<polyline") == (3 if expected[2] else 0), "of both, and of the reference"


# Runs


def test_a_run_that_was_broken_off_goes_on_with_its_seed(book, course):
    book.hand_in([submission(name, f"{name} = 1\n") for name in ("ada", "bob", "eve")])
    crew = Crew(stop_after=1)
    with pytest.raises(KeyboardInterrupt):
        grade(book, course, crew)
    assert grade(book, course) == ["bob", "eve"]
    assert len({of(book, course, name).counted.seed for name in ("ada", "bob", "eve")}) == 1


def test_a_new_run_draws_a_new_seed(book, course):
    """Who knows the seed of an earlier report could prepare for it."""
    seeds = set()
    for number in range(4):
        book.hand_in([submission("ada", f"x = {number}\n")])
        grade(book, course)
        seeds.add(of(book, course, "ada").counted.seed)
    assert len(seeds) == 4


# Another suite


def test_what_another_suite_gave_is_kept_until_regrading_is_asked_for(book, course):
    book.hand_in([submission("ada")])
    grade(book, course)
    todo = plan(book, SETTINGS, "2" * 64, regrade=False)
    assert (todo.work, todo.kept, todo.stale) == ((), 1, 1)
    assert grade(book, course, suite="2" * 64, regrade=True) == ["ada"]
    assert grade(book, course, suite="2" * 64, regrade=True) == []


def test_another_seed_alone_is_no_other_suite(book, course):
    book.hand_in([submission("ada")])
    grade(book, course, seed=1)
    assert plan(book, SETTINGS, "1" * 64, regrade=False, seed=2).stale == 0
    assert grade(book, course, seed=2, regrade=True) == ["ada"]


def test_the_reference_is_graded_once_in_a_run_with_a_fit(book, course):
    book.hand_in([submission("ada"), submission("bob", "x = 2\n")])
    fitted = Settings("quick", "cpu")
    assert grade(book, course, settings=fitted) == ["the reference solutions", "ada", "bob"]
    assert book.reference().submission == "the reference solutions"
    assert grade(book, course, settings=fitted) == []
    book.hand_in([submission("eve", "x = 3\n")])
    without = Settings("quick", "cpu", ("linear",))
    assert grade(book, course, settings=without) == ["ada", "bob", "eve"], "no fit, no reference"


def test_regrading_says_who_changed_and_why(book, course):
    book.hand_in(
        [submission("ada"), submission("bob", "wrong = 1\n"), submission("eve", "x = 3\n")]
    )
    grade(book, course)

    def stricter(job):
        report = outcome(job, suite="2" * 64)
        if job.submission.name == "eve":
            return report
        (check,) = report.modules[0].checks
        passed = check.status == "passed"
        turned = replace(
            check,
            status="failed" if passed else "passed",
            score=0.0 if passed else 4.0,
            feedback=Feedback("it", "it", cause=Cause("bias.missing", "The bias is missing."))
            if passed
            else None,
        )
        return replace(report, modules=(replace(report.modules[0], checks=(turned,)),))

    grade(book, course, Crew(stricter), suite="2" * 64, regrade=True)
    found = {change.student: change for change in changes(book, SETTINGS, "2" * 64)}
    assert sorted(found) == ["ada", "bob"]
    assert (found["ada"].before, found["ada"].after) == (4, 0)
    assert found["ada"].why == ("linear.forward: passed → failed (The bias is missing.)",)
    assert found["bob"].why == ("linear.forward: failed → passed (The sign is flipped.)",)


def test_regrading_goes_over_earlier_attempts_too(book, course):
    """The best of several may be one whose folder has long been replaced."""
    for text in ("x = 1\n", "wrong = 1\n"):
        book.hand_in([submission("ada", text)])
        grade(book, course)
    assert grade(book, course, suite="2" * 64, regrade=True) == ["ada", "ada"]


# The file


def test_a_gradebook_of_something_else_is_left_alone(tmp_path):
    other = sqlite3.connect(tmp_path / FILE)
    other.execute("CREATE TABLE precious (x)")
    other.commit()
    other.close()
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(UsageError, match="no gradebook of this version"):
        Gradebook(tmp_path, make=True)
    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"not a database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_a_damaged_gradebook_is_a_sentence(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(TowerError, match="could not be opened"):
        Gradebook(tmp_path, make=True)


def test_a_full_disk_loses_nothing(tmp_path, course):
    """SQLite's own bound on pages stands for the disk: the error is the same, SQLITE_FULL."""
    with Gradebook(tmp_path, make=True) as book:
        texts = [f"x = {number}  # {'long ' * 2000}\n" for number in range(40)]
        book.hand_in([submission(f"s{i:02}", text) for i, text in enumerate(texts)])
        pages = book._number("page_count")
        book._file.execute(f"PRAGMA max_page_count = {pages + 12}")
        with pytest.raises(TowerError, match=r"disk.* is full.*run the same command again"):
            grade(book, course)
    with Gradebook(tmp_path, make=True) as book:
        kept = [grading.student for grading in book.gradings(SETTINGS)]
        assert 0 < len(kept) < 40
        for grading in book.gradings(SETTINGS):
            assert as_json.parse(as_json.render(book.report(grading.id))).score == 4
        again = grade(book, course)
        assert sorted(kept + again) == [f"s{i:02}" for i in range(40)]


def test_page_names_are_legible_and_never_alike():
    names = [
        "Ada Lovelace",
        "ada-lovelace",
        "ADA LOVELACE",
        "Åda",
        "李雷",
        "../../etc/passwd",
        "a" * 300,
        "",
    ]
    pages = [page_name(name) for name in names]
    assert len({page.casefold() for page in pages}) == len(names)
    assert all(re.fullmatch(r"[a-z0-9-]{1,60}\.html", page) for page in pages)
    assert pages[0].startswith("ada-lovelace-")


# The whole of it, with a crew that needs no grader


def put(folder, **students):
    for name, text in students.items():
        place = folder / name
        place.mkdir(parents=True, exist_ok=True)
        (place / "linear.py").write_text(text)


def run(course, folder, out, crew=None, **options):
    printed = io.StringIO()
    choices = {"fit": "off", "counts": "last", "due": ""}
    choices |= {name: options.pop(name) for name in choices.keys() & options.keys()}
    options = {"seed": None, "regrade": False, "times": None, "choices": choices} | options
    suite = suite_digest(course)
    crew = crew or Crew(lambda job: outcome(job, suite=suite))
    console = Console(file=printed, width=100)
    try:
        classroom.grade_class(course, folder, out, SETTINGS, crew, console=console, **options)
    finally:
        crew.printed = printed.getvalue()
    return crew


def rows(out):
    with (out / "gradebook.csv").open(encoding="utf-8", newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def test_a_class_ends_in_pages_and_tables(course, tmp_path):
    folder, out = tmp_path / "class", tmp_path / "results"
    put(folder, ada="x = 1\n", bob="wrong = 1\n")
    (folder / "eve").mkdir()
    crew = run(course, folder, out)
    assert "2 of 3 graded" in crew.printed
    assert "eve: " in crew.printed
    assert rows(out)["ada"]["score"] == "4"
    assert rows(out)["bob"]["linear"] == "0"
    assert rows(out)["eve"]["score"] == ""
    assert rows(out)["eve"]["remark"] == "Nothing was handed in."
    assert "| ada | 4 |" in (out / "gradebook.md").read_text()
    index = (out / "index.html").read_text()
    assert "The sign is flipped." in index
    for page in re.findall(r'href="(students/[^"]+)"', index):
        assert (out / page).is_file()


def test_a_formula_for_a_name_stays_text(course, tmp_path):
    folder, out = tmp_path / "class", tmp_path / "results"
    put(folder, **{"=HYPERLINK(1)": "x = 1\n", "<b>|*": "x = 2\n"})
    run(course, folder, out)
    assert sorted(rows(out)) == ["'=HYPERLINK(1)", "<b>|*"]
    assert r"\<b\>\|\*" in (out / "gradebook.md").read_text()
    assert "<b>|*" not in (out / "index.html").read_text()


def test_nothing_to_do_writes_the_pages_anew(course, tmp_path):
    folder, out = tmp_path / "class", tmp_path / "results"
    put(folder, ada="x = 1\n")
    run(course, folder, out)
    (out / "index.html").unlink()
    assert run(course, folder, out).graded == []
    assert (out / "index.html").is_file()


def test_ctrl_c_says_that_it_can_go_on(course, tmp_path):
    folder, out = tmp_path / "class", tmp_path / "results"
    put(folder, ada="x = 1\n", bob="x = 2\n")
    suite = suite_digest(course)
    with pytest.raises(Stopped, match="Run the same command again"):
        run(course, folder, out, Crew(lambda job: outcome(job, suite=suite), stop_after=1))
    assert run(course, folder, out).graded == ["bob"]


def test_what_could_not_be_judged_ends_with_a_fault_after_all_is_written(course, tmp_path):
    folder, out = tmp_path / "class", tmp_path / "results"
    put(folder, ada="x = 1\n", bob="x = 2\n")
    suite = suite_digest(course)
    crew = Crew(
        lambda job: Lost("killed") if job.submission.name == "ada" else outcome(job, suite=suite)
    )
    with pytest.raises(GraderFault, match="1 of 2 submissions could not be judged"):
        run(course, folder, out, crew)
    assert "killed" in rows(out)["ada"]["remark"]
    assert rows(out)["bob"]["score"] == "4"


def test_two_commands_do_not_write_one_gradebook(course, tmp_path):
    folder, out = tmp_path / "class", tmp_path / "results"
    put(folder, ada="x = 1\n")
    with (
        classroom.opened(out, folder),
        pytest.raises(UsageError, match="Another tower class is writing"),
    ):
        run(course, folder, out)


def test_results_do_not_go_among_the_submissions(course, tmp_path):
    put(tmp_path, ada="x = 1\n")
    with pytest.raises(UsageError, match="name another folder"):
        run(course, tmp_path, tmp_path)
    run(course, tmp_path, tmp_path / "results")
    assert run(course, tmp_path, tmp_path / "results").graded == []
    assert sorted(rows(tmp_path / "results")) == ["ada"]


# Late days


TIMES = {
    "in time": ("2026-11-27T23:00", "0"),
    "to the second": ("2026-11-27T23:59", "0"),
    "a minute late": ("2026-11-28T00:00", "1"),
    "a day and a minute": ("2026-11-29T00:00", "2"),
}


@pytest.mark.parametrize("kind", TIMES)
def test_days_late_are_begun_days(course, tmp_path, kind):
    time_of_it, days = TIMES[kind]
    folder, out, times = tmp_path / "class", tmp_path / "results", tmp_path / "times.csv"
    put(folder, ada="x = 1\n")
    times.write_text(f"\ufeffStudent,Time\nADA,{time_of_it}\nnobody,2026-01-01\n", encoding="utf-8")
    run(course, folder, out, times=times, due="2026-11-27T23:59")
    assert rows(out)["ada"]["late_days"] == days
    assert "days late" in (out / "index.html").read_text()


def test_the_last_time_counts_and_a_student_may_have_another_date(course, tmp_path):
    folder, out, times = tmp_path / "class", tmp_path / "results", tmp_path / "times.csv"
    put(folder, ada="x = 1\n", bob="x = 2\n")
    times.write_text(
        "name,submitted,due\n"
        "ada,2026-11-30T12:00+01:00,\n"
        "ada,2026-11-29T12:00+01:00,\n"
        "bob,2026-11-30T12:00+01:00,2026-12-01T00:00+01:00\n"
    )
    run(course, folder, out, times=times, due="2026-11-27T23:59+01:00")
    assert (rows(out)["ada"]["late_days"], rows(out)["bob"]["late_days"]) == ("3", "0")


BAD_TIMES = {
    "no such file": (None, "cannot be read"),
    "other columns": ("who,when\nada,2026-11-27\n", "wants student and time"),
    "no time": ("student,time\nada,yesterday\n", "line 2: yesterday is no time"),
    "one zone": ("student,time\nada,2026-11-27T10:00+01:00\n", "names its time zone and the other"),
    "nothing": ("", "has the columns none"),
    "bytes": (b"\xff\xfe\x00", "not UTF-8"),
}


@pytest.mark.parametrize("kind", BAD_TIMES)
def test_times_that_cannot_be_read_are_a_usage_error(course, tmp_path, kind):
    content, words = BAD_TIMES[kind]
    times = tmp_path / "times.csv"
    if content is not None:
        times.write_bytes(content if isinstance(content, bytes) else content.encode())
    put(tmp_path / "class", ada="x = 1\n")
    with pytest.raises(UsageError, match=words):
        run(course, tmp_path / "class", tmp_path / "out", times=times, due="2026-11-27T23:59")


def test_who_is_named_in_the_times_and_not_in_the_class_is_said(course, tmp_path):
    (tmp_path / "times.csv").write_text(
        "student,time\nada,2026-11-27\nnobody,2026-11-27\nnobody,\n"
    )
    put(tmp_path / "class", ada="x = 1\n")
    given = {"times": tmp_path / "times.csv", "due": "2026-11-27"}
    crew = run(course, tmp_path / "class", tmp_path / "out", **given)
    assert "names students who are not in the class: nobody." in " ".join(crew.printed.split())


def test_what_a_run_chooses_otherwise_is_said_and_kept(course, tmp_path):
    folder, out = tmp_path / "class", tmp_path / "out"
    put(folder, ada="x = 1\n")
    assert classroom.choices_in(out) == {}
    first = run(course, folder, out, counts="best", due="2026-11-27")
    assert "from here on" not in first.printed
    assert classroom.choices_in(out) == {"fit": "off", "counts": "best", "due": "2026-11-27"}
    again = run(course, folder, out, counts="best", due="2026-11-27")
    assert "from here on" not in again.printed
    other = run(course, folder, out, counts="last", due="2026-11-28")
    assert "--counts is last from here on; it was best." in other.printed
    assert "--due is 2026-11-28 from here on; it was 2026-11-27." in other.printed
    assert classroom.choices_in(out)["counts"] == "last"


def test_a_gradebook_of_the_first_schema_opens_and_is_made_one_of_todays(course, tmp_path):
    folder, out = tmp_path / "class", tmp_path / "out"
    put(folder, ada="x = 1\n")
    run(course, folder, out)
    with contextlib.closing(sqlite3.connect(out / FILE)) as old:
        old.executescript("DROP TABLE choices; PRAGMA user_version = 1;")
    assert classroom.choices_in(out) == {"fit": "off"}, "the settings of its last run"
    before = rows(out)
    assert run(course, folder, out).graded == []
    assert rows(out) == before
    assert classroom.choices_in(out)["counts"] == "last"


def test_times_without_a_date_that_is_due_are_a_usage_error(course, tmp_path):
    (tmp_path / "times.csv").write_text("student,time\nada,2026-11-27\n")
    put(tmp_path / "class", ada="x = 1\n")
    with pytest.raises(UsageError, match="--due says when"):
        run(course, tmp_path / "class", tmp_path / "out", times=tmp_path / "times.csv")


# The command itself, with real graders


@pytest.mark.sandbox
def test_the_command_remembers_what_it_was_told(tmp_path):
    put(tmp_path / "class", ada="def squared_error(a, b):\n    return 1\n")
    given = ("class", tmp_path / "class", "--out", tmp_path / "out", "--only", "linear")
    first = tower(*given, "--fit", "off", "--counts", "best")
    assert first.returncode == 0, first.stderr
    again = tower(*given)
    assert "from here on" not in again.stdout
    assert classroom.choices_in(tmp_path / "out") == {"fit": "off", "counts": "best", "due": ""}
    other = tower(*given, "--counts", "last")
    assert "--counts is last from here on; it was best." in other.stdout


QUICK = ("--fit", "off", "--only", "gradient_loop")


@pytest.fixture(scope="module")
def small_class(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small") / "class"
    class_of("gradient_loop", 12, folder, step=7)
    return folder


def test_a_class_gets_what_each_would_get_alone(small_class, tmp_path, judge):
    done = tower("class", small_class, "--out", tmp_path, *QUICK, "--seed", 5)
    assert done.returncode == 0, done.stderr
    with Gradebook(tmp_path, make=False) as book:
        found = {g.student: book.report(g.id) for g in book.gradings(book.last_settings())}
    assert len(found) == 12
    for name in sorted(found):
        source = (small_class / name / "gradient_loop.py").read_bytes()
        alone = judge({"gradient_loop": source}, only="gradient_loop", seed=5)
        assert content(found[name]) == content(alone), name
    shown = tower("show", "s01", "--in", tmp_path)
    assert shown.returncode == 0
    assert "gradient_loop" in shown.stdout
    nobody = tower("show", "zoe", "--in", tmp_path)
    assert nobody.returncode == 2
    assert "No student is called zoe" in " ".join(nobody.stderr.split())


def content(report):
    return [(c.id, c.status, c.score, message(c)) for m in report.modules for c in m.checks]


def test_kills_at_random_moments_lose_nothing_and_double_nothing(small_class, tmp_path, judge):
    """A few here, the first two beside a worker; `make class-lab` kills a class of fifty twenty times."""
    rng, out, scratch = random.Random(3), tmp_path / "results", tmp_path / "scratch"
    scratch.mkdir()
    command = [sys.executable, "-m", "autograder", "class", str(small_class), "--out", str(out)]
    command += [*QUICK, "--seed", "5", "--processes", "2"]
    kills = 0
    for seconds in (0, 0, *(rng.uniform(0.3, 4.5) for _ in range(6))):
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(scratch)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if not seconds:
            wait_for_a_worker(scratch)
        try:
            process.wait(seconds)
            break
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
    assert kills >= 2  # however fast the machine is
    assert tower(*command[3:]).returncode == 0
    with Gradebook(out, make=False) as book:
        gradings = book.gradings(book.last_settings())
        assert Counter(g.student for g in gradings) == Counter(
            {path.name: 1 for path in small_class.iterdir()}
        )
        for grading in gradings:
            source = (small_class / grading.student / "gradient_loop.py").read_bytes()
            alone = judge({"gradient_loop": source}, only="gradient_loop", seed=5)
            assert content(book.report(grading.id)) == content(alone)
    assert what_is_left(scratch) == []


def wait_for_a_worker(scratch):
    deadline = time.monotonic() + 90
    while not any(scratch.glob("tower-*/scratch/worker-*")):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def what_is_left(scratch):
    """Files and processes of the killed commands; a fork server notices once it has imported torch."""
    deadline = time.monotonic() + 90
    while True:
        left = [*map(str, scratch.iterdir()), *processes_of(f"TMPDIR={scratch}")]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.1)


def processes_of(setting):
    """Those that were started in an environment with this setting: graders, but no zygotes or workers."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if setting.encode() in path.read_bytes().split(b"\0"):
                yield path.parent.name


def test_ctrl_c_ends_with_130_and_the_same_command_goes_on(small_class, tmp_path):
    command = ["class", str(small_class), "--out", str(tmp_path), *QUICK]
    process = subprocess.Popen(
        [sys.executable, "-m", "autograder", *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stderr
    for line in process.stderr:  # a line for each tenth of the class
        if line.startswith("graded"):
            break
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Stopped: What has been graded is kept" in " ".join(stderr.split())
    assert "Traceback" not in stderr
    done = tower(*command)
    assert done.returncode == 0
    assert "12 of 12 graded" in done.stdout


WRONG = {
    "no such folder": (["/nowhere"], "cannot be read"),
    "no --out": (None, "Missing option"),
    "--counts": (["{class}", "--counts", "worst"], "'worst' is not one of 'last', 'best'."),
    "--only": (["{class}", "--only", "poetry"], "'poetry' is not one of"),
    "--cluster": (["{class}", "--cluster", "nowhere"], "write it as in tcp://HOST:8786"),
    "an empty path": ([""], "PATH is empty"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_usage_is_a_sentence_and_2(small_class, tmp_path, kind):
    arguments, words = WRONG[kind]
    if arguments is None:
        done = tower("class", small_class)
    else:
        given = [a.replace("{class}", str(small_class)) for a in arguments]
        done = tower("class", *given, "--out", tmp_path / "out", "--fit", "off")
    assert done.returncode == 2, done.stderr
    assert words in " ".join(re.sub(r"[│╭╮╰╯─]", " ", done.stderr).split())
    assert "Traceback" not in done.stderr
