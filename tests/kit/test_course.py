"""course.toml: what it may say, and what is told of one that says something else."""

import pytest
from conftest import ROOT

from autograder.course import load_course
from autograder.errors import CourseError

TEXT = (ROOT / "course.toml").read_text(encoding="utf-8")
WRONG = {
    "no TOML": ("title = ", "title = = ", "cannot be read"),
    "an unknown key": ("\nfit = ", "\nfits_off = 1\nfit = ", "fits_off"),
    "an unknown fit": ('fit = "full"', 'fit = "long"', "may be off, quick, full"),
    "an unknown key of a module": ("points = 15", "points = 15\npoint = 1", "point"),
    "a weight of nothing": ("predict = 1", "predict = 0", "whole numbers above 0"),
    "a need that is no module": ('"conv2d"]', '"conv3d"]', "needs 'conv3d', which is no module"),
    "a limit of no kind": ("check_seconds", "check_minutes", "unknown limits ['check_minutes']"),
    "an unknown visibility": ('= "visible"', '= "sometimes"', "it may be visible, after_due_date"),
    "a visibility of no check": (
        "[modules.linear]",
        '[modules.linear.visibility]\nbackward = "hidden"\n\n[modules.linear]',
        "names backward, which is no check of the module",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_course_that_is_wrong_is_told_where(tmp_path, kind):
    old, new, told = WRONG[kind]
    assert old in TEXT
    (tmp_path / "course.toml").write_text(TEXT.replace(old, new, 1))
    with pytest.raises(CourseError) as error:
        load_course(tmp_path)
    assert told in str(error.value)
    assert str(tmp_path / "course.toml") in str(error.value)


def test_one_check_may_be_seen_at_another_time_than_the_others(tmp_path):
    text = TEXT.replace('visibility = "visible"', 'visibility = "after_due_date"', 1)
    (tmp_path / "course.toml").write_text(
        f'{text}\n[modules.linear.visibility]\nforward = "visible"\n'
    )
    modules = load_course(tmp_path).modules
    assert modules["linear"].visibility["forward"] == "visible"
    assert modules["linear"].visibility["trains"] == "after_due_date"
    assert modules["tower"].visibility["forward"] == "after_due_date"


def test_without_a_word_every_check_is_visible(tmp_path):
    line = next(line for line in TEXT.splitlines() if line.startswith("visibility"))
    (tmp_path / "course.toml").write_text(TEXT.replace(line, "", 1))
    seen = {v for m in load_course(tmp_path).modules.values() for v in m.visibility.values()}
    assert seen == {"visible"}
