"""Every sentence for people can be translated: in a pseudo-language no English is left."""

import ast
import html
import os
import re
import shutil
import subprocess
import sys

import pseudo
import pytest
from command import tower
from helpers import ROOT
from test_train import few

from autograder.course import load_course
from autograder.errors import CourseError
from autograder.translations import CALLS, TABLES, update
from tower_student import drawing, language, training
from tower_student.language import VARIABLE, plural, tr
from tower_student.text import PREFIX

FLAWED = ROOT / "tests" / "bank" / "samples" / "flawed"
SHOWN = {
    "CheckFailed": 0,
    "TooSlow": 0,
    "Killed": 0,
    "expect": 1,
    "why": 1,
    "compare": 0,
    "compare_number": 0,
    "UsageError": 0,
    "CourseError": 0,
    "GraderFault": 0,
    "TowerError": 0,
    "IsolationError": 0,
    "Stopped": 0,
    "print": 0,
}
"""Where sentences go, and their position among the arguments."""
CODE = {"tower ", "::stop-commands::", "output_size(, )"}
"""What is printed and is no sentence: a version, commands, a call."""
SOURCES = sorted(
    path
    for folder in ("autograder", "student", "tests/hidden", "assignments/tests")
    for path in (ROOT / folder).rglob("*.py")
    if "sandbox" not in path.parts
)


def literal(node):
    """The text of a string that stands in the code, f-strings with their values left out."""
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value for part in node.values if isinstance(part, ast.Constant))
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def is_sentence(text):
    plain = re.sub(r"\[[^\]]*\]", "", text)  # rich's markup
    return bool(re.search("[a-z]{3}", plain)) and text not in CODE and "nbgrader " not in text


def unmarked(text):
    """The lines on which a sentence is shown, or is to be translated, that no extractor finds."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            position = SHOWN.get(name)
            given = (
                node.args[position] if position is not None and position < len(node.args) else None
            )
            if name != "why" and given is not None and is_sentence(literal(given)):
                yield node.lineno, literal(given)
            for at in CALLS.get(name, ()):
                if at < len(node.args) and isinstance(
                    node.args[at], ast.JoinedStr | ast.BinOp | ast.IfExp
                ):
                    yield node.lineno, ast.unparse(node.args[at])
            for row in node.keywords if name in TABLES else ():
                first = row.value.elts[0] if isinstance(row.value, ast.Tuple) else row.value
                if row.arg and not isinstance(first, ast.Constant | ast.Name | ast.Call):
                    yield row.lineno, ast.unparse(first)
        elif (
            isinstance(node, ast.Assert)
            and node.msg is not None
            and isinstance(node.msg, ast.JoinedStr)
        ):
            yield node.lineno, literal(node.msg)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_people_read_is_marked_where_it_stands(path):
    assert list(unmarked(path.read_text(encoding="utf-8"))) == []


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The course, with catalogues of the pseudo-language."""
    folder = tmp_path_factory.mktemp("translated") / "course"
    for name in ("solutions", "assignments", "tests/hidden"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "course.toml", folder)
    (folder / "data").symlink_to(ROOT / "data")
    for path in update(load_course(folder), pseudo.NAME):
        pseudo.translate_file(path)
    return folder


def names():
    """Words that are the same in every language: identifiers, and what things are called."""
    found = {
        "Tower",
        "Insight",
        "Landlock",
        "NumPy",
        "RuntimeError",
        "IndexError",
        "TypeError",
        "float32",
    }
    found |= {
        "cpu",
        "off",
        "kit",
        "torch",
        "python",
        "platform",
        "Linux",
        "fit",
        "tensor",
        "True",
        "None",
    }
    found |= {"ada", "bob", "eve", "student"}
    for path in (*ROOT.glob("solutions/*.py"), *ROOT.glob("tests/*/test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for attribute in ("id", "attr", "arg", "name"):
                found |= set(re.findall("[A-Za-z]+", getattr(node, attribute, None) or ""))
    return found - {"of", "is", "the", "and"}


NAMES = names()


def run(course, *arguments, cwd=ROOT, start=tower):
    """What a command prints in the pseudo-language."""
    given = {VARIABLE: pseudo.NAME, "TOWER_COURSE": str(course), "COLUMNS": "160"}
    done = start(*arguments, cwd=cwd, **given)
    assert done.stdout or done.stderr
    return "\n".join(
        line for line in (done.stdout + done.stderr).splitlines() if PREFIX not in line
    )


def in_a_process(*arguments, cwd, **environment):
    """For `tower check`: the pytest around this process would explain the asserts of the public tests."""
    command = [sys.executable, "-m", "autograder", *arguments]
    given = os.environ | environment
    return subprocess.run(command, cwd=cwd, env=given, capture_output=True, text=True, check=False)


def text_of(page):
    """What a page says, to eyes and ears, but for what a submission wrote."""
    page = re.sub(r"<(style|figure|code)\b.*?</\1>", "", page, flags=re.DOTALL)
    spoken = re.findall(r'(?:aria-label|title|alt)="([^"]*)"', page)
    return html.unescape(" ".join([*spoken, re.sub(r"<[^>]*>", " ", page)]))


@pytest.mark.sandbox
def test_a_grading_leaves_no_english(course, tmp_path):
    page = tmp_path / "report.html"
    printed = run(course, "grade", FLAWED, "--fit", "off", "-o", page)
    assert pseudo.translated("Likely cause") in printed
    assert pseudo.english(printed, NAMES) == []
    written = page.read_text(encoding="utf-8")
    assert f'<html lang="{pseudo.NAME}"' in written
    assert pseudo.english(text_of(written), NAMES) == []


@pytest.mark.sandbox
def test_a_class_leaves_no_english(course, tmp_path):
    shutil.copytree(FLAWED, tmp_path / "in" / "ada")
    shutil.copytree(ROOT / "solutions", tmp_path / "in" / "bob")
    (tmp_path / "in" / "eve").mkdir()
    (tmp_path / "in" / "eve" / "linear.py").write_text("import nothing_of_that_name\n")
    printed = run(course, "class", tmp_path / "in", "--out", tmp_path / "out", "--fit", "off")
    assert pseudo.english(printed, NAMES) == []
    pages = [*(tmp_path / "out").rglob("*.html")]
    assert len(pages) == 7
    for page in pages:
        assert pseudo.english(text_of(page.read_text(encoding="utf-8")), NAMES) == []


@pytest.mark.sandbox
def test_a_student_sees_no_english(course, tmp_path):
    run(course, "release", "--out", tmp_path, "--course", course)
    unwritten = run(course, "check", cwd=tmp_path, start=in_a_process)
    assert pseudo.english(unwritten, NAMES | {"Return"}) == []
    for path in FLAWED.glob("*.py"):
        shutil.copy(path, tmp_path)
    for arguments in (["check"], ["check", "--hint"], ["check", "nothing"], ["submit"]):
        shown = run(course, *arguments, cwd=tmp_path, start=in_a_process)
        assert pseudo.english(shown, NAMES) == []


@pytest.mark.sandbox
def test_a_training_and_its_pages_leave_no_english(course, tmp_path):
    run(course, "release", "--out", tmp_path, "--course", course)
    plan = training.plan_of(tmp_path)
    packed = tmp_path / "tests" / plan.packed
    packed.write_bytes(few(training.data_of(plan, tmp_path)))
    shutil.copy(ROOT / "solutions" / "linear.py", tmp_path)
    (tmp_path / "conv2d.py").write_text("import nothing_of_that_name\n")
    printed = run(course, "train", "--epochs", "1", cwd=tmp_path)
    known = NAMES | {
        "training",
        "html",
        "kaiming",
        "uniform",
        "ModuleNotFoundError",
        "No",
        "module",
    }
    known |= {"named", "import", "draw", "tower"}
    assert pseudo.english(printed, known) == []
    written = (tmp_path / "training.html").read_text(encoding="utf-8")
    assert f'<html lang="{pseudo.NAME}"' in written
    assert pseudo.english(text_of(written), known) == []
    language.speak(pseudo.NAME, [tmp_path / "tests" / language.FOLDER])
    try:
        with training.workshop(tmp_path, plan) as shop:
            page = drawing._page(shop, "", "")
    finally:
        language.speak(language.ENGLISH, [])
    page = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert pseudo.english(text_of(page), known) == []


@pytest.mark.sandbox
def test_an_instructor_sees_no_english(course, tmp_path):
    for arguments in (
        ["doctor"],
        ["grade", tmp_path / "nowhere"],
        ["grade", FLAWED, "--only", "nothing"],
    ):
        assert pseudo.english(run(course, *arguments), NAMES | {"seccomp"}) == []


@pytest.fixture
def speak(tmp_path):
    """Speak a language of which one sentence is known; afterwards English again."""

    def speak(text):
        rule = "n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2"
        heading = (
            'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
            f'"Plural-Forms: nplurals=3; plural=({rule});\\n"\n\n'
        )
        (tmp_path / "ru.po").write_text(heading + text, encoding="utf-8")
        language.speak("ru", [tmp_path])

    yield speak
    language.speak(language.ENGLISH, [])


def test_what_is_not_translated_appears_in_english(speak):
    speak('msgid "{count} points"\nmsgstr "{count} баллов"\n')
    assert tr("{count} points", count=5) == "5 баллов"
    assert tr("{count} checks", count=5) == "5 checks"


def test_a_slip_in_a_translation_appears_in_english(speak):
    speak('msgid "{count} points"\nmsgstr "{cuont} баллов"\n')
    assert tr("{count} points", count=5) == "5 points"


def test_numbers_have_the_forms_of_their_language(speak):
    forms = ("{count} балл", "{count} балла", "{count} баллов")
    numbered = "".join(f'msgstr[{i}] "{form}"\n' for i, form in enumerate(forms))
    speak(f'msgid "{{count}} point"\nmsgid_plural "{{count}} points"\n{numbered}')
    said = [plural("{count} point", "{count} points", count) for count in (1, 3, 5, 21)]
    assert said == ["1 балл", "3 балла", "5 баллов", "21 балл"]


def test_values_are_no_templates(speak):
    speak('msgid "{name} is missing."\nmsgstr "Нет {name}."\n')
    assert tr("{name} is missing.", name="{name!r:>9} {0} %s") == "Нет {name!r:>9} {0} %s."


@pytest.mark.sandbox
def test_a_catalogue_that_is_none_is_a_wrong_course(course, tmp_path):
    copy = tmp_path / "course"
    shutil.copytree(course, copy, symlinks=True)
    (copy / "tests" / "hidden" / "locale" / "xx.po").write_text("no catalogue")
    printed = run(copy, "grade", FLAWED, "--fit", "off")
    assert "xx.po" in printed
    assert "Traceback" not in printed


def test_an_update_keeps_what_is_translated(course, tmp_path):
    copy = tmp_path / "course"
    shutil.copytree(course, copy, symlinks=True)
    path = copy / "tests" / "hidden" / "test_linear.py"
    path.write_text(
        path.read_text(encoding="utf-8").replace("every leading shape", "any leading shape")
    )
    _, hidden = update(load_course(copy), pseudo.NAME)
    catalogue = language.read_catalogue(hidden)
    assert catalogue.get("The output equals nn.Linear's for any leading shape.").string == ""
    title = (
        "The product is computed by matrix arithmetic, not by nn.Linear, nn.Bilinear or F.linear."
    )
    assert catalogue.get(title).string == pseudo.translated(title)


def test_a_source_that_cannot_be_read_is_named(course, tmp_path):
    copy = tmp_path / "course"
    shutil.copytree(course, copy, symlinks=True)
    (copy / "tests" / "hidden" / "fit.py").write_text("def (\n")
    with pytest.raises(CourseError, match=r"fit\.py cannot be read"):
        update(load_course(copy), pseudo.NAME)
