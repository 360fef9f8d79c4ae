"""Who handed in what: every layout that a class arrives in, and everything that can be wrong with one."""

import re
import zipfile

import pytest
from helpers import ROOT

from autograder.classroom.intake import hand_ins, student_name
from autograder.errors import UsageError

MODULES = ["gradient_loop", "linear", "conv2d", "kaiming_init", "tower"]
TEXT = b"x = 1\n"


def put(folder, *names, text=TEXT):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)


def pack(path, *names, text=TEXT):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, text)


def taken(folder, **kwargs):
    """By student: the modules that were found, or the problem."""
    return {
        item.student: sorted(item.submission.sources) if item.submission else item.problem
        for item in hand_ins(folder, MODULES, **kwargs)
    }


def test_folders_archives_and_sets_lie_side_by_side(tmp_path):
    put(tmp_path, "ada/linear.py", "ada/conv2d.py")
    pack(tmp_path / "bob.zip", "linear.py")
    put(
        tmp_path,
        "eve_linear.py",
        "eve-gradient_loop.py",
        "eve.kaiming_init.ipynb",
        "mallory linear.py",
    )
    assert taken(tmp_path) == {
        "ada": ["conv2d", "linear"],
        "bob": ["linear"],
        "eve": ["gradient_loop", "linear"],
        "mallory": ["linear"],
    }


def test_a_set_says_of_a_module_what_is_wrong_with_it(tmp_path):
    put(tmp_path, "eve_linear.py")
    put(tmp_path, "eve_conv2d.py", text=b"\xff")
    (item,) = hand_ins(tmp_path, MODULES)
    assert "not UTF-8" in item.submission.problems["conv2d"]
    assert "was not submitted" in item.submission.problems["tower"]


def test_moodle_in_folders(tmp_path):
    put(tmp_path, "Ada Lovelace_1234567_assignsubmission_file_/linear.py")
    pack(
        tmp_path / "Bob Ng_765_assignsubmission_file" / "my work.zip",
        "src/linear.py",
        "src/tower.py",
    )
    put(tmp_path, "grading_worksheet.csv")
    put(tmp_path, "Bob Ng_765_assignsubmission_onlinetext/onlinetext.html")
    assert taken(tmp_path) == {"Ada Lovelace": ["linear"], "Bob Ng": ["linear", "tower"]}


def test_moodle_without_folders(tmp_path):
    begin = "Ada Lovelace_1234567_assignsubmission_file_"
    put(
        tmp_path,
        f"{begin}linear.py",
        f"{begin}kaiming_init.py",
        "Bob Ng_2_assignsubmission_file_conv2d.py",
    )
    pack(tmp_path / "Eve_3_assignsubmission_file_all.zip", "linear.py")
    assert taken(tmp_path) == {
        "Ada Lovelace": ["kaiming_init", "linear"],
        "Bob Ng": ["conv2d"],
        "Eve": ["linear"],
    }


def test_canvas_with_late_and_later_versions(tmp_path):
    put(
        tmp_path,
        "lovelaceada_LATE_12_345_linear.py",
        "lovelaceada_LATE_12_346_conv2d.py",
        text=b"old = 1\n",
    )
    put(tmp_path, "lovelaceada_12_399_linear-2.py", text=b"new = 1\n")
    put(tmp_path, "lovelaceada_12_398_linear-1.py", text=b"older = 1\n")
    pack(tmp_path / "ngbob_7_8_submission-1.zip", "tower.py")
    found = {item.student: item.submission for item in hand_ins(tmp_path, MODULES)}
    assert sorted(found) == ["lovelaceada", "ngbob"]
    assert found["lovelaceada"].sources["linear"] == b"new = 1\n"
    assert found["lovelaceada"].sources["conv2d"] == b"old = 1\n"


@pytest.mark.parametrize("name", ["tower-of-insight-submissions", "renamed"])
def test_github_classroom_repositories(tmp_path, name):
    folder = tmp_path / name
    put(folder, *(f"tower-of-insight-{who}/linear.py" for who in ("ada", "anna-b", "bob")))
    put(folder, *(f"tower-of-insight-{who}/.git/HEAD" for who in ("ada", "anna-b", "bob")))
    assert sorted(taken(folder)) == ["ada", "anna-b", "bob"]


def test_folders_that_share_a_beginning_are_no_repositories(tmp_path):
    put(tmp_path, "team-a/linear.py", "team-b/linear.py")
    assert sorted(taken(tmp_path)) == ["team-a", "team-b"]


def test_nbgraders_submitted_folder(tmp_path):
    put(tmp_path, "ada/tower_of_insight/linear.py", "ada/tower_of_insight/conftest.py")
    assert taken(tmp_path) == {"ada": ["linear"]}


PROBLEMS = {
    "an empty folder": (lambda d: d.mkdir(), "holds none of the modules"),
    "a folder of other things": (lambda d: put(d, "essay.docx"), "It holds essay.docx"),
    "two that could be it": (
        lambda d: put(d, "old/linear.py", "new/linear.py"),
        "several that could be it: new, old",
    ),
    "a broken archive": (lambda d: put(d, "a.zip", text=b"PK\3\4 and no more"), "damaged"),
    "a nested archive": (
        lambda d: (pack(d / "in.zip", "linear.py"), pack(d / "out.zip", "in.zip", text=b"PK")),
        "several that could be it",
    ),
    "an archive in an archive": (
        lambda d: pack(d / "out.zip", "in.zip", text=b"PK\3\4"),
        "holds none of the modules",
    ),
    "another archive": (lambda d: put(d, "a.rar", text=b"Rar!\x1a\x07"), "holds none"),
    "a link": (lambda d: d.symlink_to(ROOT / "solutions"), "symbolic link"),
    "deeper than anyone looks": (lambda d: put(d, "a/b/c/d/e/linear.py"), "holds none"),
    "an unreadable module": (
        lambda d: (d / "linear.py").mkdir(parents=True),
        "holds none|not a file",
    ),
}


@pytest.mark.parametrize("kind", PROBLEMS)
def test_what_is_wrong_is_named_and_the_class_goes_on(tmp_path, kind):
    make, words = PROBLEMS[kind]
    make(tmp_path / "bob")
    put(tmp_path, "ada/linear.py", "eve/linear.py")
    found = taken(tmp_path)
    assert found["ada"] == found["eve"] == ["linear"]
    item = next(item for item in hand_ins(tmp_path, MODULES) if item.student == "bob")
    text = item.problem or " ".join(item.submission.problems.values())
    assert re.search(words, text), text


def test_a_single_file_that_is_no_submission_is_named(tmp_path):
    put(tmp_path, "ada/linear.py")
    put(tmp_path, "bob.7z", text=b"7z\xbc\xaf\x27\x1c")
    assert "a 7z archive" in taken(tmp_path)["bob.7z"]


def test_links_inside_lead_nowhere(tmp_path):
    put(tmp_path, "ada/notes.txt")
    (tmp_path / "ada" / "work").symlink_to(ROOT / "solutions")
    (tmp_path / "bob_linear.py").symlink_to(ROOT / "solutions" / "linear.py")
    assert "holds none" in taken(tmp_path)["ada"]
    found = taken(tmp_path)["bob"]
    assert found == [] or "link" in found


def test_two_students_of_one_name_are_told_apart_and_pointed_out(tmp_path):
    put(tmp_path, "ada/linear.py")
    pack(tmp_path / "Ada.zip", "conv2d.py")
    put(
        tmp_path,
        "Bob Ng_1_assignsubmission_file_/linear.py",
        "Bob Ng_2_assignsubmission_file_/tower.py",
    )
    items = list(hand_ins(tmp_path, MODULES))
    assert sorted(item.student for item in items) == [
        "Ada (Ada.zip)",
        "Bob Ng (1)",
        "Bob Ng (2)",
        "ada (ada)",
    ]
    assert all("2 submissions bear one name" in item.remark for item in items)
    assert all(item.submission for item in items)


def test_names_are_harmless_and_distinct(tmp_path):
    odd = [
        "a\nb",
        "\u202eada",
        "x" * 250,
        "  ",
        "=cmd|' C calc'!A0",
        "é",
        "e\u0301",
        "\udcff\udcfe",
    ]
    for name in odd:
        put(tmp_path / name, "linear.py")
    items = list(hand_ins(tmp_path, MODULES))
    names = [item.student for item in items]
    assert len(set(names)) == len(names) == len(odd)
    for name in names:
        assert name.isprintable()
        assert name.encode("utf-8")
    assert sum("2 submissions bear one name" in item.remark for item in items) == 2, "é, twice"


def test_a_name_is_in_one_form_of_unicode():
    assert student_name("e\u0301") == student_name("é")
    assert student_name("") == "(no name)"


def test_the_results_are_no_student(tmp_path):
    put(tmp_path, "ada/linear.py", "results/students/x.html", "results/gradebook.csv")
    assert sorted(taken(tmp_path, leave=tmp_path / "results")) == ["ada"]


def test_one_submission_is_no_class(tmp_path):
    put(tmp_path, "linear.py")
    with pytest.raises(UsageError, match="is one submission, not a class"):
        list(hand_ins(tmp_path, MODULES))


@pytest.mark.parametrize("make", ["nothing", "empty", "file", "lists alone"])
def test_a_folder_that_holds_no_class_is_said_so(tmp_path, make):
    folder = tmp_path / "class"
    if make != "nothing":
        folder.mkdir()
    if make == "lists alone":
        put(folder, "grades.csv", ".DS_Store", "__MACOSX/x/linear.py")
    if make == "file":
        folder = tmp_path / "class.txt"
        folder.write_text("")
    with pytest.raises(UsageError, match=r"holds no submission|cannot be read"):
        list(hand_ins(folder, MODULES))
