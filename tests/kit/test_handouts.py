"""What students read follows from course.toml: no page states an old number or name after a change."""

import re
import shutil
from pathlib import Path

import pytest
from helpers import ROOT
from test_docs import EXERCISE

from autograder.course import load_course
from autograder.errors import CourseError
from autograder.handouts import Page
from autograder.nbgrader import build
from autograder.release import refreshed, student_repository, unreleased, write

COURSE = load_course(ROOT)


@pytest.fixture
def folder(tmp_path):
    """A copy of the course, to be changed."""
    for name in ("solutions", "assignments", "tests/hidden"):
        ignored = shutil.ignore_patterns("__pycache__", ".pytest_cache")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    shutil.copy(ROOT / "course.toml", tmp_path)
    return tmp_path


def change(folder, *pairs):
    """Replace texts of course.toml, each of which stands there once."""
    path = folder / "course.toml"
    text = path.read_text()
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text)


def section(name):
    """The tables of one module in course.toml."""
    text = (ROOT / "course.toml").read_text()
    start = text.index(f"[modules.{name}]")
    return text[start : text.index("\n[", text.index("weights]", start)) + 1]


def table(text, *header):
    """The rows of the table with this header, cell by cell."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if cells(line)[: len(header)] == list(header))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append(cells(line))
    return rows


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def new_exercise(folder):
    """Add the exercise of docs/new-exercise.md to a copy of the course."""
    pattern = r"^`([\w.]+/[\w/.]+)`[^`\n]*:\n\n```\w+\n(.*?)^```$"
    for name, text in re.findall(pattern, EXERCISE, re.MULTILINE | re.DOTALL):
        if not name.startswith("tests/bank"):
            (folder / name).write_text(text)
    (lines,) = re.findall(r"^```toml\n(\[modules.*?)^```$", EXERCISE, re.MULTILINE | re.DOTALL)
    change(folder, ("[fits.quick]", f"{lines}\n[fits.quick]"))


# Points, modules, title and plans are changed all at once, and every page is read.


def changed(folder):
    """Other points and title, kaiming_init dropped, average_pool added, another goal for the fit."""
    change(
        folder,
        ('title = "Tower of Insight"', 'title = "Nets by Hand"'),
        (section("kaiming_init"), ""),
        ("[modules.gradient_loop]\npoints = 15", "[modules.gradient_loop]\npoints = 12"),
        ("[modules.linear]\npoints = 20", "[modules.linear]\npoints = 17"),
        ("[modules.conv2d]\npoints = 30", "[modules.conv2d]\npoints = 33"),
        ("[modules.tower]\npoints = 20", "[modules.tower]\npoints = 24"),
        ("steps = 200", "steps = 321"),
        ("target = 0.91", "target = 0.88"),
    )
    new_exercise(folder)
    return load_course(folder)


STALE = {
    "the title": r"Tower of Insight",
    "the number of modules, which was five and is five": r"\b(four|six) modules\b",
    "a dropped module": r"kaiming_init|kaiming\.md",
    "points of a module": r"\b(15|20|30) points\b|\b(are|to) (15|20|30) in all",
    "the total": r"\*\*100\*\*|\b100 points",
    "a plan": r"\|\s*200\s*\||\b0\.91\b",
    "a marker": r"<!--|tower: (with|points|checks|title)|^# end$",
}


def test_no_page_states_an_old_number_or_name(folder):
    released = student_repository(changed(folder))
    assert len(released) > 30
    for path, text in released.items():
        if path.parts[0] == "tools":  # the command is the same for every course
            continue
        for what, pattern in STALE.items():
            found = re.search(pattern, text, re.MULTILINE)
            assert not found, f"{path} states {what}: {found[0]}"


def test_each_pattern_of_an_old_number_or_name_is_found_in_the_course_as_it_was():
    """The test above can fail: what it looks for stood in the pages before."""
    released = [text for text in student_repository(COURSE).values() if isinstance(text, str)]
    before = "\n".join((*released, *refreshed(COURSE).values()))
    for what in STALE.keys() - {"the number of modules, which was five and is five"}:
        assert re.search(STALE[what], before, re.MULTILINE), what


def test_every_page_states_the_new_numbers_and_names(folder):
    course = changed(folder)
    released = {str(path): text for path, text in student_repository(course).items()}
    modules = ["gradient_loop", "linear", "conv2d", "tower", "average_pool"]
    rows = table(released["handouts/README.md"], "order", "file")
    assert [(row[1], row[4]) for row in rows[:-1]] == [
        (f"`{name}.py`", str(points))
        for name, points in zip(modules, (12, 17, 33, 24, 10), strict=True)
    ]
    assert rows[0][3] == "gradient descent, twice", "what was written by hand stays"
    assert rows[4][3] == "Average pooling by hand: one number for every window of an image"
    assert rows[-1][4] == "**96**"
    for name, module in course.modules.items():
        assert f"worth {module.points} points" in released[f"handouts/{name}.md"] or (
            name == "average_pool"
        )
        stated = {row[0]: float(row[1]) for row in table(released[f"handouts/{name}.md"], "check")}
        assert list(stated) == [f"`{check}`" for check in module.weights]
        usual = sum(points for check, points in stated.items() if not check.startswith("`gpu_"))
        assert usual == pytest.approx(module.points, abs=0.1)
    assert ["quick", "321", "0.88"] in table(released["handouts/tower.md"], "fit")
    assert released["README.md"].startswith("# Nets by Hand\n")
    assert "five modules" in released["README.md"]
    for name in modules:
        assert {f"{name}.py", f"handouts/{name}.md", f"tests/test_{name}.py"} <= released.keys()
    assert not [path for path in released if "kaiming" in path]


def test_a_module_that_others_name_goes_with_all_that_names_it(folder):
    change(folder, (section("gradient_loop"), ""))
    released = student_repository(load_course(folder))
    for path, text in released.items():
        if path.parts[0] != "tools":
            assert "gradient_loop" not in text, path
    assert "four modules" in str(released)


def test_what_is_dropped_is_named_and_left_as_it_is(folder):
    before = (folder / "assignments" / "handouts" / "kaiming_init.md").read_text()
    course = changed(folder)
    assert [str(path) for path in unreleased(course)] == [
        "assignments/handouts/kaiming_init.fans.svg",
        "assignments/handouts/kaiming_init.md",
        "assignments/handouts/kaiming_init.spread.svg",
        "assignments/kaiming_init.py",
        "assignments/tests/test_kaiming_init.py",
    ]
    write(refreshed(course), folder / "assignments")
    assert (folder / "assignments" / "handouts" / "kaiming_init.md").read_text() == before


def test_what_was_dropped_comes_back_as_it_was(folder):
    """Passages for modules that are away keep their position in assignments/."""
    settings = (folder / "course.toml").read_text()
    change(folder, (section("kaiming_init"), ""), ('title = "Tower of Insight"', 'title = "T"'))
    write(refreshed(load_course(folder)), folder / "assignments")
    linear = (folder / "assignments" / "handouts" / "linear.md").read_text()
    assert "kaiming_init)<!-- end -->" in linear
    (folder / "course.toml").write_text(settings)
    back = refreshed(load_course(folder))
    assert {path: text for path, text in back.items() if path.name != "README.md"} == {
        path: text for path, text in refreshed(COURSE).items() if path.name != "README.md"
    }


def test_notebooks_get_the_pages_that_students_get(folder):
    course = changed(folder)
    files = {str(path): text for path, text in build(course, fit="off", level="C").items()}
    source = f"source/{course.slug}/"
    assert {f"{source}{name}.ipynb" for name in course.modules} <= files.keys()
    for path, text in files.items():
        assert not re.search(r"<!--|tower: (points|checks|with)", text), path
        assert "kaiming_init" not in text, path
    assert "worth 17 points" in files[f"{source}linear.ipynb"]
    (shown,) = re.findall(r"!\[[^]]+\]\(([^)]+)\)", files[f"{source}linear.ipynb"])
    assert files[source + shown].startswith("<svg"), "a notebook shows the picture beside it"


# What a course may lack


def test_a_course_needs_no_templates_and_may_have_a_readme_of_its_own(folder):
    assert not (folder / "templates").exists()
    readme = folder / "assignments" / "README.md"
    readme.write_text("# Mine: <!-- tower: title -->x<!-- end -->\n")
    released = {str(path): text for path, text in student_repository(load_course(folder)).items()}
    assert released["README.md"] == "# Mine: Tower of Insight\n"


@pytest.mark.parametrize("name", ["handouts/linear.md", "tests/test_linear.py"])
def test_a_page_that_is_missing_is_named_with_its_path(folder, name):
    (folder / "assignments" / name).unlink()
    for make in (refreshed, student_repository):
        with pytest.raises(CourseError, match=f"assignments/{name} does not exist: write it"):
            make(load_course(folder))


def test_a_check_that_no_hidden_test_is_named_after_is_not_released(folder):
    change(folder, ("calculate_fan = 3", "calculate_fan = 3\nfans = 2"))
    said = r"weights has fans, and .*test_kaiming_init\.py has no test_fans\."
    with pytest.raises(CourseError, match=said):
        student_repository(load_course(folder))


# Markers


def page(text, path="page.md", course=COURSE):
    return Page(course, Path(path), text)


def test_text_without_markers_stays_as_it_is():
    text = "# A page\n\n<!-- a comment -->\n\n```\n# end\n```\n\n\n\nlast, without a line break"
    assert page(text).released() == page(text).refreshed() == text


@pytest.mark.parametrize(
    ("text", "released"),
    [
        ("<!-- tower: title -->x<!-- end -->!", "Tower of Insight!"),
        ("<!-- tower: total --><!-- end --> points", "100 points"),
        ("the <!-- tower: count file -->x<!-- end -->", "the five files"),
        ("a<!-- tower: with linear --> b<!-- end --> c", "a b c"),
        ("a\n\n<!-- tower: with linear.nothing -->\nb\n<!-- end -->\n\nc\n", "a\n\nc\n"),
        ("<!-- tower: with linear -->\na\n<!-- end -->\nb\n", "a\nb\n"),
        ("a<!-- tower: with tests/nothing.py --> b<!-- end -->", "a"),
        ("<!-- tower: example linear -->linear_x linear<!-- end -->", "linear_x linear"),
        ("<!-- tower: example MODULE -->test_MODULE.py<!-- end -->", "test_gradient_loop.py"),
        (
            "<!-- tower: with linear --><!-- tower: points linear --><!-- end --> p<!-- end -->",
            "20 p",
        ),
    ],
)
def test_a_marker_gives_what_course_toml_says(text, released):
    assert page(text).released() == released
    assert page(page(text).refreshed()).refreshed() == page(text).refreshed()
    assert page(page(text).refreshed()).released() == released


def test_python_and_toml_have_markers_in_lines_of_their_own():
    text = (
        "x = [\n    # tower: with linear\n    1,\n    # end\n"
        "    # tower: with linear.none\n    2,\n    # end\n]\n"
    )
    for path in ("a.py", "a.toml"):
        assert page(text, path).released() == "x = [\n    1,\n]\n"
        assert page(text, path).refreshed() == text


def test_bonus_points_stand_apart(folder):
    change(folder, ("[modules.kaiming_init]\n", "[modules.kaiming_init]\nbonus = true\n"))
    text = "<!-- tower: modules -->\n<!-- end -->\n"
    rows = table(page(text, course=load_course(folder)).released(), "order")
    assert rows[3][4] == "15 bonus"
    assert rows[-1][3:] == ["**together**, bonus apart", "**85**"]


def test_a_table_keeps_its_header_and_its_own_column(folder):
    text = (
        "<!-- tower: checks kaiming_init -->\n| Prüfung | Punkte | sieht an |\n|---|--:|---|\n"
        "| `generator` | 99 | gleiche \\| Zahlen |\n| `gone` | 1 | nothing |\n<!-- end -->\n"
    )
    released = page(text).released()
    assert released.startswith(
        "| Prüfung | Punkte | sieht an |\n|---|--:|---|\n| `calculate_fan` | 3 |"
    )
    assert "| `generator` | 1 | gleiche \\| Zahlen |\n" in released
    assert "gone" not in released


def test_a_check_without_a_text_has_the_title_of_its_hidden_test(folder):
    change(folder, ("predict = 1\n", "predict = 1\nunknown = 1\n"))
    course = load_course(folder)
    new = "<!-- tower: checks gradient_loop -->\n<!-- end -->\n"
    with pytest.raises(CourseError, match=r"page.md, line 1: say what gradient_loop.unknown looks"):
        page(new, course=course).released()
    hidden = folder / "tests" / "hidden" / "test_gradient_loop.py"
    hidden.write_text(
        f'{hidden.read_text()}\n\ndef test_unknown():\n    """It is | asked.\n    """\n'
    )
    assert "| `unknown` | 0.94 | It is \\| asked. |" in page(new, course=course).released()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "a\n<!-- tower: nothing -->x<!-- end -->",
            "line 2: unknown directive 'nothing'; there are",
        ),
        (
            "a\n\n<!-- tower: points nothing -->x<!-- end -->",
            "line 3: nothing is no module of course",
        ),
        ("<!-- tower: points -->x<!-- end -->", "line 1: expected tower: points MODULE"),
        ("<!-- tower: title linear -->x<!-- end -->", "line 1: expected tower: title"),
        (
            "<!-- tower: limit minutes -->x<!-- end -->",
            "line 1: minutes is no limit of course.toml",
        ),
        ("<!-- tower: with -->x<!-- end -->", "line 1: expected tower: with NAME"),
        ("<!-- tower: with linaer -->x<!-- end -->", "line 1: there is no module linaer, neither"),
        ("<!-- tower: -->x<!-- end -->", "line 1: unknown directive ''"),
        ("a\n<!-- tower: title -->x", "line 2: the end of tower: title is missing"),
        ("a\nb <!-- end -->", "line 2: an end, and no tower: marker before it is open"),
        (
            "<!-- tower: plans no -->\n<!-- end -->",
            r"line 1: \[fits.quick\] of course.toml has no no",
        ),
    ],
)
def test_a_marker_that_is_not_understood_is_named_with_its_line(text, words):
    with pytest.raises(CourseError, match=f"page.md, {words}"):
        page(text).released()
    with pytest.raises(CourseError, match=f"page.md, {words}"):
        page(text).refreshed()
