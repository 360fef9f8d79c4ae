"""Who wrote the same: names, comments and layout hide nothing, the skeleton counts for nothing."""

import io
import re

import pytest
from helpers import ROOT
from rich.console import Console

from autograder.bank import Bank
from autograder.classroom.gradebook import Gradebook
from autograder.classroom.similar import COMMON, alike, compare_class
from autograder.errors import UsageError
from autograder.export import similar as export
from autograder.report import Alike
from tower_student.submission import Submission

SKELETON = (ROOT / "assignments" / "conv2d.py").read_text()
OWN = (ROOT / "solutions" / "conv2d.py").read_text()
OTHER = Bank(ROOT).folder / "variants"


def renamed(text):
    """As someone hands in a friend's work: other names, no comments, other blank lines."""
    text = re.sub(r"#.*", "", text)
    for old, new in (("columns", "cols"), ("kernel", "kk"), ("output", "result"), ("windows", "w")):
        text = re.sub(rf"\b{old}\b", new, text)
    return text.replace("\n\n", "\n\n\n")


def pairs(texts, threshold=0.6):
    return {(pair.left, pair.right): pair for pair in alike("conv2d", texts, SKELETON, threshold)}


def variant(name):
    return (OTHER / f"conv2d__{name}.py").read_text()


def test_a_copy_under_other_names_is_found_and_independent_work_is_not():
    texts = {
        "ada": OWN,
        "bob": renamed(OWN),
        "eve": variant("window_by_window"),
        "mallory": variant("shift_and_add"),
    }
    found = pairs(texts)
    assert ("ada", "bob") in found
    assert found["ada", "bob"].share > 0.9
    assert ("eve", "mallory") not in found


def test_two_skeletons_are_not_alike():
    assert pairs({"ada": SKELETON, "bob": SKELETON + "\n"}) == {}


def test_lines_that_are_shared_are_named():
    (pair,) = pairs({"ada": OWN, "bob": "\n\n\n" + renamed(OWN)}).values()
    for text, runs in zip(pair.texts, pair.lines, strict=True):
        lines = text.split("\n")
        marked = "\n".join(line for a, b in runs for line in lines[a - 1 : b])
        assert "def forward_im2col" in marked
        assert len(marked) < len(text)


def test_what_many_have_written_is_common_knowledge():
    texts = {f"s{i:02}": OWN + f"\n# {i}\n" for i in range(COMMON + 1)}
    assert pairs(texts) == {}
    texts.pop("s00")
    assert len(pairs(texts)) == COMMON * (COMMON - 1) // 2


@pytest.mark.parametrize(
    "text", ["", "x", "(" * 5000, "'" * 1000, "\x0c\x0b", "def f(:\n" * 100, "é" * 999]
)
def test_odd_texts_are_compared_as_well(text):
    assert pairs({"ada": text, "bob": OWN}) == {}


def test_a_page_escapes_what_students_wrote():
    evil = "<script>alert(1)</script>\"'&"
    pair = Alike("linear", evil, "bob", (1.0, 0.5), (f"# {evil}\n", "x"), (((1, 1),), ()))
    for page in (export.pair_page(pair), export.index_page(evil, [pair], 0, 2, 0.6)):
        assert "<script" not in page
        assert "&lt;script&gt;" in page


def test_a_page_shows_texts_without_what_would_reorder_or_hide_them():
    evil = "x = 1  # \u202e\u2066\x1b[31m\x00\x07\r\u200b\ud800 end\ny = 2"
    pair = Alike("linear", "ada", "bob", (1.0, 0.5), (evil, "x"), (((2, 2),), ()))
    page = export.pair_page(pair)
    assert "x = 1  # [31m end" in page
    assert "<mark>y = 2</mark>" in page
    assert all(character.isprintable() or character == "\n" for character in page)


def test_a_class_gets_a_list_and_a_page_for_each_pair(course, tmp_path):
    with Gradebook(tmp_path, make=True) as book:
        texts = {"ada": OWN, "bob": renamed(OWN), "eve": variant("einsum_windows")}
        book.hand_in(Submission(n, {"conv2d": t.encode()}, {}) for n, t in texts.items())
    printed = io.StringIO()
    compare_class(course, tmp_path, 0.6, lambda *_: None, Console(file=printed, width=200))
    assert "conv2d.py  ada, bob" in printed.getvalue()
    index = (tmp_path / "similar" / "index.html").read_text()
    pages = re.findall(r'href="(\d{4}\.html)"', index)
    assert pages == ["0001.html"]
    page = (tmp_path / "similar" / "0001.html").read_text()
    assert page.count("<mark>") > 20
    compare_class(course, tmp_path, 1.0, lambda *_: None, Console(file=io.StringIO()))
    assert not (tmp_path / "similar" / "0001.html").exists() or "ada" in index


def test_without_a_gradebook_it_is_a_usage_error(course, tmp_path):
    with pytest.raises(UsageError, match=r"no gradebook\.sqlite"):
        compare_class(course, tmp_path, 0.6, lambda *_: None, Console(file=io.StringIO()))
