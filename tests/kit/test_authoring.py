"""A new course: what `tower new` writes, and the page that walks through making one."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import ROOT

from autograder.authoring import new_course, new_module
from autograder.course import load_course
from autograder.errors import CourseError, TowerError, UsageError

pytestmark = pytest.mark.sandbox

PAGE = (ROOT / "docs" / "new-course.md").read_text(encoding="utf-8")
SECTIONS = re.split(r"\n## \d\. ", PAGE)


def run(command, folder, code=0, course=None):
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    }
    environment |= {"TOWER_COURSE": str(course)} if course else {}
    done = subprocess.run(
        command, shell=True, cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == code, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def commands(section):
    for block in re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL):
        yield from (line.split("  #")[0].strip() for line in block.splitlines())


def test_the_page_makes_a_course_from_an_empty_folder(tmp_path):
    """Its commands, with its files in the folders that it names, do what it says of them."""
    beginning, end = commands(SECTIONS[1]), commands(SECTIONS[4])
    course = tmp_path / "statistics"
    for command in beginning:
        if command != "cd statistics":
            shown = run(command, course if course.exists() else tmp_path)
    assert "10 │ 10" in shown
    files = dict(
        re.findall(r"^`([\w/]+\.\w+)`:\n\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    )
    assert len(files) == 11
    for name, text in files.items():
        assert (course / name).exists()
        (course / name).write_text(text)
    settings = (course / "course.toml").read_text()
    for table in re.findall(r"^```toml\n(\[modules\..*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        heading = table.partition("\n")[0]
        assert f"{heading}\nvalues = 1\n" in settings
        settings = settings.replace(f"{heading}\nvalues = 1\n", table)
    (course / "course.toml").write_text(settings)
    shown = {}
    for command in end:
        folder = ROOT if command.startswith("python") else course
        shown[command] = run(command, folder, course=course)
    right, _, unwritten, _, _, check, matrix = shown.values()
    assert "10 │ 10" in right
    assert " 0 │ 10" in unwritten
    assert "2 of 2 public tests pass" in check
    assert "4 submissions" in matrix
    assert (tmp_path / "for-students" / "standardise.py").exists()


@pytest.fixture
def course(tmp_path):
    new_course(tmp_path / "course", "A course")
    new_module(tmp_path / "course", "first", 10, [])
    return tmp_path / "course"


def everything(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


NAMES = ["torch", "random", "class", "First", "two words", "../up", "_own", "", "first"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_will_not_do_is_refused_and_nothing_written(course, name):
    before = everything(course)
    with pytest.raises(UsageError):
        new_module(course, name, 5, [])
    assert everything(course) == before


def test_a_need_that_is_no_module_is_refused(course):
    with pytest.raises(UsageError, match="no module third"):
        new_module(course, "second", 5, ["first", "third"])


def test_a_file_that_is_there_is_not_written_over(course):
    own = course / "tests" / "hidden" / "test_second.py"
    own.write_text("mine")
    before = everything(course)
    with pytest.raises(UsageError, match="is there already, and nothing was written"):
        new_module(course, "second", 5, [])
    assert everything(course) == before


def test_where_course_toml_cannot_be_read_nothing_is_written(course):
    (course / "course.toml").write_text("[modules.first]\npoints = 'ten'\n")
    before = everything(course)
    with pytest.raises(CourseError):
        new_module(course, "second", 5, [])
    assert everything(course) == before


def test_where_the_disk_is_full_nothing_is_left(course, monkeypatch):
    before = everything(course)

    def full(path, content):
        if path.name == "course.toml" and "[modules.second]" in content:
            raise TowerError("full")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    monkeypatch.setattr("autograder.authoring.write_whole", full)
    with pytest.raises(TowerError, match="full"):
        new_module(course, "second", 5, [])
    assert everything(course) == before


def test_a_folder_with_something_in_it_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="empty or not there yet"):
        new_course(tmp_path, "A course")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_course_without_modules_says_what_to_do(tmp_path):
    new_course(tmp_path / "course", "A course")
    with pytest.raises(CourseError, match="tower new module NAME"):
        load_course(tmp_path / "course")


def test_a_title_with_quotes_is_read_back(tmp_path):
    new_course(tmp_path / "course", 'The "first" \\ course')
    new_module(tmp_path / "course", "first", 10, [])
    assert load_course(tmp_path / "course").title == 'The "first" \\ course'
