"""The pictures of the handouts: what the scripts draw, readable for everybody, and each where it teaches."""

import re
import subprocess
import sys
from pathlib import PurePosixPath
from xml.etree import ElementTree

import pytest
from helpers import ROOT

from autograder.course import load_course
from autograder.release import student_repository

HANDOUTS = ROOT / "assignments" / "handouts"
PICTURES = {path.name: path.read_text() for path in HANDOUTS.glob("*.svg")}
COURSE = load_course(ROOT)
SVG = "{http://www.w3.org/2000/svg}"

each_picture = pytest.mark.parametrize("name", PICTURES)
each_module = pytest.mark.parametrize("module", COURSE.modules)


def luminance(colour):
    """Relative luminance of #rgb or #rrggbb, as WCAG 2.2 defines it."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = (int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.sandbox
def test_what_is_committed_is_what_the_scripts_draw(tmp_path):
    subprocess.run([sys.executable, "-m", "pictures", tmp_path], cwd=ROOT, check=True)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == PICTURES


@each_picture
def test_a_picture_is_small_and_says_in_words_what_it_shows(name):
    assert len(PICTURES[name].encode()) < 15_000
    root = ElementTree.fromstring(PICTURES[name])
    assert root.get("role") == "img"
    assert len(root.findtext(f"{SVG}title")) > 10
    assert len(root.findtext(f"{SVG}desc")) > 100


@each_picture
def test_letters_are_large_enough_on_a_phone(name):
    """A phone of 375 pixels leaves 343 for a picture; 10 of them for a letter."""
    sizes = [
        float(size) for size in re.findall(r"(?:font:|font-size[:=]\D*)([\d.]+)", PICTURES[name])
    ]
    assert sizes
    width = int(re.search(r'viewBox="0 0 (\d+) ', PICTURES[name])[1])
    assert min(sizes) * 343 / width > 10


@each_picture
def test_a_picture_has_contrast_in_light_and_dark(name):
    light, dark = re.findall(r":root\{(.*?)\}", PICTURES[name], re.DOTALL)
    for scheme in (light, dark):
        colours = dict(re.findall(r"--(\w+):(#\w+)", scheme))
        for colour in ("ink", "faint", "blue", "red"):
            assert contrast(colours[colour], colours["ground"]) > 4.5, colour
        assert contrast(colours["ink"], colours["tint"]) > 4.5
        assert contrast(colours["line"], colours["ground"]) > 3


@each_picture
def test_a_picture_stands_in_its_handout_with_a_caption_and_words_in_its_place(name):
    page = (HANDOUTS / f"{name.partition('.')[0]}.md").read_text()
    (words,) = re.findall(rf"^!\[(.+)\]\({re.escape(name)}\)\n\n\*[^*]+\.\*$", page, re.MULTILINE)
    assert len(words) > 40


@each_picture
def test_students_get_a_picture_with_its_handout(name):
    assert student_repository(COURSE)[PurePosixPath("handouts") / name] == PICTURES[name]


@each_module
def test_a_handout_begins_with_what_it_takes_and_asks_before_it_tells(module):
    page = (HANDOUTS / f"{module}.md").read_text()
    top = page.partition("## ")[0]
    assert re.search(r"\*\*Time:\*\* about \d+ (minutes|hours)\.", top)
    assert re.search(r"\*\*Difficulty:\*\* (easy|medium|hard)\.\s\*\*Know\sbefore:\*\*", top)
    question, answer = page.index("## Predict first"), page.index("<details>")
    assert question < answer < page.index("</details>") < page.index("## What is asked")


def test_there_is_one_recipe_for_installing():
    """The one in the README of a student's repository."""
    installing = [
        str(path)
        for path, text in student_repository(COURSE).items()
        if path.suffix == ".md" and "pip install" in text
    ]
    assert installing == ["README.md"]
