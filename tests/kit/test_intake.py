"""Who handed in what: every layout that a class arrives in, and everything that can be wrong with one."""

import re
import zipfile

import pytest
from helpers import ROOT

from autograder.classroom.intake import hand_ins, student_name
from autograder.course import load_course
from autograder.errors import UsageError

MODULES = ["gradient_loop", "linear", "conv2d", "kaiming_init", "tower"]
WANTED = load_course(ROOT).wanted()
TEXT = b"x = 1\n"
NONE = "which holds none of gradient_loop.py, linear.py, conv2d.py, kaiming_init.py, tower.py."


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


@pytest.mark.parametrize("name", ["linear.py", "homework.py", "all.zip", "linear (1).py"])
def test_canvas_with_versions_of_any_name(tmp_path, name):
    stem, ending = name.rsplit(".", 1)
    for number, version in enumerate(["", "-10", "-2"]):
        path, text = (
            tmp_path / f"ng_7_{number}_{stem}{version}.{ending}",
            f"class CustomLinear:\n    x = {number}\n",
        )
        if ending == "zip":
            pack(path, "linear.py", text=text)
        else:
            put(tmp_path, path.name, text=text.encode())
    (item,) = hand_ins(tmp_path, WANTED)
    assert b"x = 1" in item.submission.sources["linear"], item.submission.problems


def test_parts_with_numbers_are_no_versions(tmp_path):
    put(tmp_path, "ng_7_8_part-1.py", text=b"class CustomLinear: pass\n")
    put(tmp_path, "ng_7_9_part-2.py", text=b"class CustomConv2d: pass\n")
    (item,) = hand_ins(tmp_path, WANTED)
    assert sorted(item.submission.sources) == ["conv2d", "linear"]


@pytest.mark.parametrize("name", ["tower-of-insight-submissions", "renamed"])
def test_github_classroom_repositories(tmp_path, name):
    folder = tmp_path / name
    put(folder, *(f"tower-of-insight-{who}/linear.py" for who in ("ada", "anna-b", "bob")))
    put(folder, *(f"tower-of-insight-{who}/.git/HEAD" for who in ("ada", "anna-b", "bob")))
    assert sorted(taken(folder)) == ["ada", "anna-b", "bob"]


def test_blackboard_with_two_attempts(tmp_path):
    """Each attempt has a .txt about it; of a student without files there is nothing else."""
    put(
        tmp_path,
        "Homework_1_ada_attempt_2026-11-19-09-00-00_linear.py",
        "Homework_1_ada_attempt_2026-11-19-09-00-00.txt",
        text=b"old = 1\n",
    )
    put(
        tmp_path,
        "Homework_1_ada_attempt_2026-11-20-18-30-00_linear (1).py",
        "Homework_1_ada_attempt_2026-11-20-18-30-00_Tower.ipynb.txt",
        "Homework_1_ada_attempt_2026-11-20-18-30-00.txt",
        "Homework_1_bob_attempt_2026-11-20-18-30-00.txt",
        "Homework_1_eve_attempt_2026-11-20-18-30-00_homework.pdf",
    )
    pack(tmp_path / "Homework_1_mia_attempt_2026-11-20-18-30-00_all.zip", "conv2d.py")
    found = {item.student: item for item in hand_ins(tmp_path, MODULES)}
    assert found["ada"].submission.sources["linear"] == TEXT
    assert found["ada"].remark == (
        "2 attempts were handed in; the newest counts, of 2026-11-20-18-30-00."
    )
    assert found["bob"].problem == "Nothing was handed in."
    assert found["eve"].problem == f"Handed in was homework.pdf, {NONE}"
    assert sorted(found["mia"].submission.sources) == ["conv2d"]


BRIGHTSPACE = [
    ("Nov 9, 2026 630 PM", "Nov 10, 2026 1205 AM"),
    ("Nov 20, 2026 9:05 AM", "Nov 20, 2026 1:05 PM"),
    ("30 September 2026 310 PM", "1 October 2026 310 PM"),
    ("13 September 2026 0910", "13 September 2026 1500"),
]


@pytest.mark.parametrize(("before", "after"), BRIGHTSPACE)
@pytest.mark.parametrize("form", ["{}/linear.py", "{} - linear.py", "{} - my work.zip"])
def test_brightspace_with_two_attempts(tmp_path, before, after, form):
    for time, text in ((after, b"new = 1\n"), (before, b"old = 1\n")):
        name = form.format(f"1234-5678 - Ada King-Noel - {time}")
        if name.endswith(".zip"):
            pack(tmp_path / name, "linear.py", text=text)
        else:
            put(tmp_path, name, text=text)
    put(tmp_path, "index.html", f"99-5678 - Bob Ng - {before}/notes.txt")
    found = {item.student: item for item in hand_ins(tmp_path, MODULES)}
    assert found["Ada King-Noel"].submission.sources["linear"] == b"new = 1\n"
    assert "2 attempts were handed in" in found["Ada King-Noel"].remark
    assert found["Bob Ng"].problem == f"Handed in was notes.txt, {NONE}"


LISTED = """\
---
submission_1:
  :submitters:
  - :name: Ada Lovelace
    :sid: '100'
    :email: ada@example.org
  :created_at: 2026-11-19 09:00:00.123 Z
  :score: 3.0
  :history:
  - :created_at: 2026-11-01 09:00:00 Z
    :submitters:
    - :name: Nobody
  :results:
    tests:
    - name: forward
submission_2:
  :submitters:
  - :name: Ada Lovelace
    :sid: '100'
  :created_at: 2026-11-20 18:30:00.5 Z
submission_3:
  :submitters:
  - :name: "Bob Ng"
  - :name: 'Eve O''Hara'
  :created_at: 2026-11-20 18:30:00 Z
submission_5:
  :submitters: []
"""


def test_gradescope_with_its_list(tmp_path):
    put(tmp_path, "submission_metadata.yml", text=LISTED.encode())
    put(tmp_path, "submission_1/linear.py", text=b"old = 1\n")
    put(tmp_path, "submission_2/linear.py", "submission_3/tower.py", "submission_4/conv2d.py")
    put(tmp_path, "submission_5/conv2d.py")
    found = {item.student: item for item in hand_ins(tmp_path, MODULES)}
    assert sorted(found) == ["Ada Lovelace", "Bob Ng, Eve O'Hara", "submission_4", "submission_5"]
    assert found["Ada Lovelace"].submission.sources["linear"] == TEXT
    assert found["Ada Lovelace"].remark.endswith("the newest counts, of 2026-11-20 18:30:00.")


@pytest.mark.parametrize(
    "text", [b"", b"\xff\xfe", b"a: &a [*a]\n" * 1000, b"submission_1:\n" * 9999]
)
def test_a_list_of_gradescopes_that_is_none_tells_nothing(tmp_path, text):
    put(tmp_path, "submission_metadata.yml", text=text)
    put(tmp_path, "submission_1/linear.py")
    assert taken(tmp_path) == {"submission_1": ["linear"]}


def test_google_classroom(tmp_path):
    """A copy made for each student bears the student's name; what is uploaded bears nobody's."""
    put(
        tmp_path,
        "Ada Lovelace - linear.py",
        "Copy of Bob Ng - Linear.py",
        "Ada Lovelace - tower.py",
    )
    put(tmp_path, "Copy of linear.py", "Kopie von tower (1).py")
    found = {item.student: item for item in hand_ins(tmp_path, MODULES)}
    assert sorted(found) == ["Ada Lovelace", "Bob Ng", "Copy of linear", "Kopie von tower (1)"]
    assert sorted(found["Ada Lovelace"].submission.sources) == ["linear", "tower"]
    assert found["Copy of linear"].remark == (
        'The name of "Copy of linear.py" does not say whose it is; rename it, as ada_linear.py.'
    )


def test_ilias(tmp_path):
    put(tmp_path, "Lovelace_Ada_ada_6713/linear.py", "Ng_Bob_bng_6714/20261120183000_linear.py")
    put(tmp_path, "Team_7/Su_Mia_mia_6715/linear.py", "Team_7/Eng_Max_max_6716/linear.py")
    assert taken(tmp_path) == {
        "Lovelace_Ada_ada_6713": ["linear"],
        "Ng_Bob_bng_6714": ["linear"],
        "Team_7": ["linear"],
    }


@pytest.mark.parametrize(
    "begin", ["ada_", "lovelaceada_LATE_12_345_", "Ada_1_assignsubmission_file_"]
)
@pytest.mark.parametrize("name", ["linear (1).py", "Linear.py", "LINEAR.PY", "linear_final.py"])
def test_evident_names_are_read_in_every_export(tmp_path, begin, name):
    put(tmp_path, begin + name, "bob_tower.py")
    found = next(item for item in hand_ins(tmp_path, MODULES) if item.student != "bob")
    assert sorted(found.submission.sources) == ["linear"]
    assert "its name should be linear.py" in found.submission.remarks["linear"]


def test_nothing_that_is_said_holds_the_path_of_the_class(tmp_path):
    """Students read it, and the path is the instructor's."""
    put(tmp_path, "ada/essay.pdf", "bob_essay.pdf", "eve_linear.pdf", "x.pdf", "good/linear.py")
    put(tmp_path, "rar.rar", "zip.zip", "mia_1_assignsubmission_file_/deep/er/essay.pdf")
    (tmp_path / "max").mkdir()
    for item in hand_ins(tmp_path, MODULES):
        said = [item.problem, item.remark]
        if item.submission:
            said += [*item.submission.problems.values(), *item.submission.remarks.values()]
        assert not any(str(tmp_path) in text for text in said), said
        assert item.submission or item.problem


def test_folders_that_share_a_beginning_are_no_repositories(tmp_path):
    put(tmp_path, "team-a/linear.py", "team-b/linear.py")
    assert sorted(taken(tmp_path)) == ["team-a", "team-b"]


def test_nbgraders_submitted_folder(tmp_path):
    put(tmp_path, "ada/tower_of_insight/linear.py", "ada/tower_of_insight/conftest.py")
    assert taken(tmp_path) == {"ada": ["linear"]}


PROBLEMS = {
    "an empty folder": (lambda d: d.mkdir(), r"^Nothing was handed in\.$"),
    "a folder of other things": (
        lambda d: put(d, "essay.docx"),
        r"^Handed in was essay\.docx, which holds none of gradient_loop\.py, linear\.py.*\.$",
    ),
    "two that could be it": (
        lambda d: (put(d, "old/linear.py"), put(d, "new/linear.py", text=b"x = 2\n")),
        r"^Several could be it: new, old\.$",
    ),
    "a broken archive": (lambda d: put(d, "a.zip", text=b"PK\3\4 and no more"), "damaged"),
    "two archives": (
        lambda d: (pack(d / "in.zip", "linear.py"), pack(d / "out.zip", "tower.py")),
        r"^Several could be it: in\.zip, out\.zip\.$",
    ),
    "an archive in an archive": (
        lambda d: pack(d / "out.zip", "in.zip", text=b"PK\3\4"),
        r"^Handed in was in\.zip",
    ),
    "another archive": (
        lambda d: put(d, "a.rar", text=b"Rar!\x1a\x07"),
        r"^Handed in was a\.rar",
    ),
    "a link": (lambda d: d.symlink_to(ROOT / "solutions"), "symbolic link"),
    "deeper than anyone looks": (lambda d: put(d, "a/b/c/d/e/f/linear.py"), "^Handed in was"),
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
    assert "Handed in was notes.txt" in taken(tmp_path)["ada"]
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
