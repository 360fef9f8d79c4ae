"""course.toml: what it may say, and the error of one that says something else."""

import shutil
from typing import get_type_hints

import pytest
from helpers import ROOT

from autograder import course as course_module
from autograder.course import load_course, suite_digest
from autograder.errors import CourseError
from autograder.report import Cause
from tower_student.exception_hints import ID, READINGS

TEXT = (ROOT / "course.toml").read_text(encoding="utf-8")
STAND_IN = 'stand_in = "tests/hidden/stand_ins/linear.py"\n'
WRONG = {
    "no TOML": ("title = ", "title = = ", "cannot be read"),
    "no title": ('title = "Tower of Insight"\n', "", "missing key title"),
    "an unknown key": ("\nfit = ", "\nfits_off = 1\nfit = ", "unknown key 'fits_off'"),
    "an unknown plan": (
        'fit = "full"',
        'fit = "long"',
        "fit: 'long' is no plan; expected off, quick",
    ),
    "a plan called off": ("[fits.quick]", "[fits.off]", "fits.off: 'off' is what switches long"),
    "no plan for a long check": ("[fits.", "[limits.", "missing table [fits.NAME]"),
    "a plan with a text": ("steps = 200", 'steps = "200"', "fits.quick.steps: expected"),
    "no points": ("points = 15\n", "", "modules.gradient_loop: missing key points"),
    "points that are a text": (
        "points = 15",
        'points = "15"',
        "gradient_loop.points: expected `int`",
    ),
    "a misspelt key": (
        "points = 15",
        "points = 15\npoint = 1",
        "'point'; did you mean 'points'?",
    ),
    "a weight of nothing": (
        "predict = 1",
        "predict = 0",
        "gradient_loop.weights.predict: expected",
    ),
    "a need that is no module": (
        '"conv2d"]',
        '"conv3d"]',
        "'conv3d' is no module; did you mean 'conv2d'?",
    ),
    "a need without a stand-in": (
        STAND_IN,
        "",
        "modules.linear: missing key stand_in: tower needs linear",
    ),
    "a stand-in that is not there": (
        "stand_ins/linear",
        "stand_ins/liner",
        "modules.linear.stand_in: ",
    ),
    "a cycle": (
        "[modules.linear]",
        '[modules.linear]\nneeds = ["tower"]',
        "a circle cannot be graded",
    ),
    "a need that comes later": (
        "[modules.linear]",
        '[modules.linear]\nneeds = ["conv2d"]',
        "modules.linear: it needs conv2d, whose table has to stand before its own",
    ),
    "a long check that is none": (
        '["mnist_fit"]',
        '["mnist"]',
        "modules.tower.long: 'mnist' is no check",
    ),
    "a limit of no kind": ("check_seconds", "check_minutes", "limits: unknown key 'check_minutes'"),
    "a limit below 0": (
        "check_seconds = 20.0",
        "check_seconds = -1.0",
        "limits.check_seconds: expected",
    ),
    "an unknown visibility": (
        '= "visible"',
        '= "sometimes"',
        "visibility: invalid enum value 'sometimes'",
    ),
    "a visibility of no check": (
        "[modules.linear]",
        '[modules.linear.visibility]\nbackward = "hidden"\n\n[modules.linear]',
        "modules.linear.visibility: 'backward' is no check of the module",
    ),
    "a part of no check": (
        'partial = ["forward", "gradient_parity"]',
        'partial = ["forwrad"]',
        "modules.linear.partial: 'forwrad' is no check of the module",
    ),
    "an import that is not there": (
        "imports = []",
        'imports = ["einopps"]',
        "'einopps' is not installed",
    ),
    "a file that is not there": ("hidden/probes.py", "hidden/probe.py", "worker.files: "),
}


@pytest.fixture
def course_at(tmp_path):
    """Load this course with another text of course.toml."""
    shutil.copytree(ROOT / "tests" / "hidden", tmp_path / "tests" / "hidden")
    (tmp_path / "assignments" / "tests").mkdir(parents=True)
    exceptions = "assignments/tests/exceptions.toml"
    shutil.copy(ROOT / exceptions, tmp_path / exceptions)

    def course_at(text):
        (tmp_path / "course.toml").write_text(text)
        return load_course(tmp_path)

    return course_at


@pytest.mark.parametrize("kind", WRONG)
def test_a_course_that_is_wrong_is_reported_with_its_location(course_at, tmp_path, kind):
    old, new, expected = WRONG[kind]
    assert old in TEXT
    with pytest.raises(CourseError) as error:
        course_at(
            TEXT.replace(old, new)
            if kind == "no plan for a long check"
            else TEXT.replace(old, new, 1)
        )
    assert expected in str(error.value)
    assert str(tmp_path / "course.toml") in str(error.value)


STAND_INS = {
    "class CustomLinear: ...": "defines no SCALE",
    "SCALE = 1.0": "defines no CustomLinear; expected all that solutions/linear.py defines",
    "SCALE = = 1": "linear.py, line 1: invalid syntax",
}


@pytest.mark.parametrize("text", STAND_INS)
def test_a_stand_in_that_lacks_something_is_reported_with_its_location(course_at, tmp_path, text):
    (tmp_path / "solutions").mkdir()
    shutil.copy(ROOT / "solutions" / "linear.py", tmp_path / "solutions")
    (tmp_path / "tests" / "hidden" / "stand_ins" / "linear.py").write_text(text)
    with pytest.raises(CourseError) as error:
        course_at(TEXT)
    assert "modules.linear.stand_in: " in str(error.value)
    assert STAND_INS[text] in str(error.value)


EXCEPTIONS = {
    "kind = 'E'\nmessage = 'm'": "reading 1: expected the texts cause, id, kind, message",
    "id = 'Pad'\nkind = 'E'\nmessage = 'm'\ncause = 'c'": "reading 1: 'Pad' is no id",
    "id = 'a.b'\nkind = 'E'\nmessage = '('\ncause = 'c'": "reading 1: '(' is no regular expression",
    "id = 'a.b'\nkind = 'E'\nmessage = 'm'\ncause = '{a}'": "reading 1: the cause names no group",
}


@pytest.mark.parametrize("text", EXCEPTIONS)
def test_a_reading_of_an_exception_that_is_wrong_is_reported_with_its_location(
    course_at, tmp_path, text
):
    (tmp_path / "assignments" / "tests" / "exceptions.toml").write_text(f"[[reading]]\n{text}\n")
    with pytest.raises(CourseError) as error:
        course_at(TEXT)
    assert EXCEPTIONS[text] in str(error.value)
    assert "exceptions.toml" in str(error.value)


def test_the_ids_of_readings_are_those_of_causes():
    [meta] = get_type_hints(Cause, include_extras=True)["id"].__metadata__
    assert meta.pattern == f"^{ID.pattern}$"
    readings = (*READINGS, *load_course(ROOT).exceptions)
    assert all(ID.fullmatch(reading.id) for reading in readings)
    assert len({reading.id for reading in readings}) == len({reading.cause for reading in readings})


def test_a_course_without_long_checks_needs_no_plan(course_at):
    text = TEXT[: TEXT.index("[fits.quick]")] + TEXT[TEXT.index("[worker]") :]
    for line in ('fit = "full"', "long = "):
        text = "\n".join(kept for kept in text.splitlines() if not kept.startswith(line))
    course = course_at(text)
    assert course.fit == "off"
    assert not course.fits


def test_one_check_may_be_seen_at_another_time_than_the_others(course_at):
    text = TEXT.replace('visibility = "visible"', 'visibility = "after_due_date"', 1)
    modules = course_at(f'{text}\n[modules.linear.visibility]\nforward = "visible"\n').modules
    assert modules["linear"].visibility["forward"] == "visible"
    assert modules["linear"].visibility["trains"] == "after_due_date"
    assert modules["tower"].visibility["forward"] == "after_due_date"


def test_without_a_word_every_check_is_visible(course_at):
    line = next(line for line in TEXT.splitlines() if line.startswith("visibility"))
    seen = {
        v
        for m in course_at(TEXT.replace(line, "", 1)).modules.values()
        for v in m.visibility.values()
    }
    assert seen == {"visible"}


CHANGES_A_SCORE = {
    "autograder/suite/properties.py": True,
    "autograder/sandbox/worker.py": True,
    "autograder/broker.py": True,
    "autograder/grading.py": True,
    "tower_student/submission.py": True,
    "course/course.toml": True,
    "course/tests/hidden/test_attention.py": True,
    "course/tests/hidden/stand_ins/softmax.py": True,
    "course/data/numbers.txt": True,
    "autograder/cli.py": False,
    "autograder/export/html.py": False,
    "autograder/export/console.py": False,
    "tower_student/cli.py": False,
    "course/solutions/softmax.py": False,
    "course/notes.md": False,
}


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    """A folder with copies of both packages and of a course."""
    folder = tmp_path_factory.mktemp("copies")
    shutil.copytree(ROOT / "autograder", folder / "autograder")
    shutil.copytree(ROOT / "student" / "tower_student", folder / "tower_student")
    shutil.copytree(ROOT / "tests" / "kit" / "courses" / "attention", folder / "course")
    settings = folder / "course" / "course.toml"
    settings.write_text('data = ["data/*"]\n' + settings.read_text())
    (folder / "course" / "data").mkdir()
    (folder / "course" / "data" / "numbers.txt").write_text("1 2 3\n")
    (folder / "course" / "notes.md").write_text("Notes.\n")
    return folder


@pytest.mark.parametrize("name", CHANGES_A_SCORE)
def test_the_digest_of_the_suite_changes_with_what_can_change_a_score(copies, monkeypatch, name):
    patterns = course_module._JUDGING_CODE
    moved = {copies / package.name: files for package, files in patterns.items()}
    monkeypatch.setattr(course_module, "_JUDGING_CODE", moved)
    before = suite_digest(load_course(copies / "course"))
    with (copies / name).open("a") as file:
        file.write("# changed\n")
    assert (suite_digest(load_course(copies / "course")) != before) == CHANGES_A_SCORE[name]


def test_every_file_that_the_digest_is_made_of_is_there():
    for package, patterns in course_module._JUDGING_CODE.items():
        for pattern in patterns:
            assert list(package.glob(pattern)), pattern
