"""What is handed in under other names than were asked for: read where only one reading is possible."""

import json

import pytest
from helpers import ROOT
from test_submission import measured, zipped

from autograder.course import load_course
from autograder.errors import UsageError
from tower_student.definitions import code, defined, shared, stubs
from tower_student.filenames import is_evident
from tower_student.submission import Wanted, read_submission

WANTED = load_course(ROOT).wanted()
LINEAR, CONV2D, TOWER = (
    (ROOT / "solutions" / f"{name}.py").read_text() for name in ("linear", "conv2d", "tower")
)
SKELETON = (ROOT / "assignments" / "linear.py").read_text()


def notebook(*cells):
    code_cells = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "source": cell} for cell in cells
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": code_cells})


def put_all(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def read(folder, files):
    return read_submission(put_all(folder, files), WANTED)


EVIDENT = {
    "linear": [
        *("linear (1).py", "Linear.py", "LINEAR.PY", "ada-linear.py", "linear_final_v2.py"),
        *("hw1-linear.py", "linear - Copy.py", "Kopie von linear.py", "Copy of linear.ipynb"),
        *(
            "linear.py.txt",
            "linear.ipynb.json",
            "hw1linear2.py",
            "MyLinear.py",
            "2024.11.linear.py",
        ),
        *("lïnear linear – Kopie (3).ipynb", "ｌｉｎｅａｒ.py", "линейный linear.py"),
    ],
    "gradient_loop": [
        "GradientLoop.py",
        "gradient-loop (2).py",
        "gradientloop.py",
        "GRADIENT_LOOP.py",
    ],
    "conv2d": ["Conv2D.py", "CONV2D.PY", "conv_2d.py", "conv2d2.py", "ada conv2d v3.ipynb"],
    "tower": ["TowerOfInsight.py", "the-tower.ipynb"],
}
NOT_EVIDENT = [
    *("test_linear.py", "linear_test.py", "Test-Linear (1).py", "linear_tests.py"),
    *("nonlinear.py", "bilinear.py", "linearly.py", "lin.py", "line.py", "ear.py"),
    *(
        "linear",
        "linear.txt",
        "linear.py.",
        "linear.py ",
        "linear.pyc",
        "linear.py.bak",
        "linear.py\n",
    ),
    *(".linear.py", "._linear.py", "linear.py.zip", "linear.docx"),
]


@pytest.mark.parametrize(
    ("module", "name"), [(m, n) for m, names in EVIDENT.items() for n in names]
)
def test_a_name_as_people_write_it_says_which_module_it_is(module, name):
    assert is_evident(name, module)


@pytest.mark.parametrize("name", NOT_EVIDENT)
def test_a_name_that_only_looks_like_it_says_nothing(name):
    assert not is_evident(name, "linear")


def test_names_are_looked_at_in_no_time():
    names = ["a" * 10_000 + ".py", "Aa" * 127 + ".py", "1a" * 100 + ".py", "linea" * 50 + ".py"]
    _, seconds, _ = measured(lambda: [is_evident(name, "linear") for name in names * 1000])
    assert seconds < 2


@pytest.mark.parametrize("name", ["linear (1).py", "x/Linear.py", "linear.py.txt"])
def test_the_file_that_must_be_it_is_read_with_a_remark(tmp_path, name):
    found = read(tmp_path, {name: LINEAR})
    assert found.sources == {"linear": LINEAR.encode()}
    shown = name.removeprefix("x/")
    assert shown in found.remarks["linear"]
    assert "its name should be linear.py" in found.remarks["linear"]


def test_archives_and_single_files_are_read_by_the_same_law(tmp_path):
    archive = zipped(tmp_path / "s.zip", [("ada/my linear.py", LINEAR), ("ada/notes.md", "")])
    assert read_submission(archive, WANTED).sources == {"linear": LINEAR.encode()}
    for name in ("linear.py", "Linear (2).py", "homework.py", "homework.py.txt"):
        put_all(tmp_path, {name: LINEAR})
        assert read_submission(tmp_path / name, WANTED).sources == {"linear": LINEAR.encode()}
    put_all(tmp_path, {"h.ipynb": notebook(LINEAR)})
    assert set(read_submission(tmp_path / "h.ipynb", WANTED).sources) == {"linear"}


def test_the_name_that_was_asked_for_comes_first(tmp_path):
    found = read(tmp_path, {"linear.py": LINEAR, "linear (1).py": LINEAR + "\nx = 1\n"})
    assert found.sources["linear"] == LINEAR.encode()
    assert found.remarks == {}


def test_of_two_evident_names_the_one_that_holds_it_is_read(tmp_path):
    found = read(tmp_path, {"linear_notes.py": "x = 1\n", "linear_final.py": LINEAR})
    assert "linear_final.py" in found.remarks["linear"]


def test_two_that_may_be_it_are_a_question(tmp_path):
    other = LINEAR.replace("weight", "weights")
    found = read(tmp_path, {"linear_v1.py": LINEAR, "linear_v2.py": other, "tower.py": TOWER})
    assert found.problems["linear"] == (
        "linear.py was not submitted. It may be any of linear_v1.py, linear_v2.py; hand in one of them, as "
        "linear.py."
    )


def test_two_that_say_the_same_are_no_question(tmp_path):
    found = read(tmp_path, {"linear_v1.py": LINEAR, "linear_v2.py": f"# final\n\n{LINEAR}"})
    assert found.sources["linear"] == LINEAR.encode()


def test_a_file_that_says_nothing_by_its_name_is_known_by_what_it_defines(tmp_path):
    found = read(tmp_path, {"homework.py": LINEAR, "utils.py": "def helper(): pass\n"})
    assert found.remarks["linear"] == "Read from homework.py, which defines CustomLinear."


def test_an_evident_name_that_cannot_be_read_is_a_problem(tmp_path):
    (tmp_path / "linear (1).py").write_bytes(b"\xff")
    found = read(tmp_path, {"tower.py": TOWER})
    assert '"linear (1).py" could not be read: it is not UTF-8' in found.problems["linear"]


def test_no_link_is_followed_under_any_name(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    put_all(tmp_path / "elsewhere", {"secret.py": LINEAR})
    inside = tmp_path / "in"
    put_all(inside, {"tower.py": "x = 1\n"})
    (inside / "linear (1).py").symlink_to(tmp_path / "elsewhere" / "secret.py")
    (inside / "homework.py").hardlink_to(tmp_path / "elsewhere" / "secret.py")
    (inside / "folder").symlink_to(tmp_path / "elsewhere")
    assert "linear" not in read_submission(inside, WANTED).sources
    (inside / "tower.py").unlink()
    assert read_submission(inside, WANTED).sources == {}
    (inside / "linear (1).py").unlink()
    with pytest.raises(UsageError, match="holds none"):
        read_submission(inside, WANTED)


def test_a_crowd_of_other_files_costs_little(tmp_path):
    for i in range(2000):
        (tmp_path / f"other{i}.py").write_text("#" * 200_000 if i < 100 else "")
    _, seconds, peak = measured(lambda: read_submission(tmp_path, WANTED))
    assert seconds < 5
    assert peak < 64 << 20


# Encodings


ENCODED = {
    "UTF-16": ("# é\nx = 1\n".encode("utf-16"), "# é\nx = 1\n"),
    "UTF-16, the other way round": (b"\xfe\xff" + "x = 'é'\n".encode("utf-16-be"), "x = 'é'\n"),
    "Latin-1 by its cookie": (
        "# coding: latin-1\nx = 'é'\n".encode("latin-1"),
        "# coding: utf-8\nx = 'é'\n",
    ),
    "Emacs' cookie in line 2": (
        "#!/usr/bin/python\n# -*- coding: iso-8859-15 -*-\nx = '€'\n".encode("iso-8859-15"),
        "#!/usr/bin/python\n# -*- coding: utf-8 -*-\nx = '€'\n",
    ),
    "Cyrillic": ("# coding=cp1251\n# привет\n".encode("cp1251"), "# coding=utf-8\n# привет\n"),
}


@pytest.mark.parametrize("kind", ENCODED)
def test_text_that_says_its_encoding_is_kept_as_utf_8(tmp_path, kind):
    content, text = ENCODED[kind]
    (tmp_path / "linear.py").write_bytes(content)
    found = read_submission(tmp_path, ["linear"])
    assert found.sources["linear"].decode() == text
    assert found.remarks["linear"].endswith("text; save it as UTF-8.")
    compile(found.sources["linear"], "linear.py", "exec")


@pytest.mark.parametrize(
    "codec", ["rot13", "zlib", "unicode_escape", "utf-7", "idna", "no-such", "mbcs"]
)
def test_a_codec_that_is_no_encoding_of_text_is_not_used(tmp_path, codec):
    (tmp_path / "linear.py").write_bytes(f"# coding: {codec}\nx = '\xe9'\n".encode("latin-1"))
    assert "not UTF-8 text" in read_submission(tmp_path, ["linear"]).problems["linear"]


# The skeleton beside what is written


ADDED = f"# by Ada\nimport os\n\n{SKELETON}"
TRIMMED = (
    "class CustomLinear:\n    def __init__(self):\n        raise NotImplementedError('not begun')\n"
)
NOT_WRITTEN = {
    "as released": SKELETON,
    "with imports and comments": ADDED,
    "empty": "",
    "comments": "# to do\n",
    "another course's": TRIMMED,
    "of another name": "class Linear:\n    pass\n",
}


@pytest.mark.parametrize("kind", NOT_WRITTEN)
@pytest.mark.parametrize("where", ["linear.ipynb", "linear (1).py", "homework.ipynb"])
def test_what_is_written_counts_beside_what_is_not(tmp_path, kind, where):
    text = notebook(LINEAR) if where.endswith("ipynb") else LINEAR
    found = read(tmp_path, {"linear.py": NOT_WRITTEN[kind], where: text})
    assert b"self.weight" in found.sources["linear"]
    assert "since linear.py is not finished" in found.remarks["linear"]


def test_an_untouched_notebook_beside_what_is_written_is_named(tmp_path):
    found = read(tmp_path, {"linear.py": LINEAR, "linear.ipynb": notebook(SKELETON)})
    assert found.sources["linear"] == LINEAR.encode()
    assert found.remarks["linear"] == "Read from linear.py, since linear.ipynb is not finished."


def test_two_that_are_written_are_a_question(tmp_path):
    other = LINEAR.replace("weight", "weights")
    found = read(tmp_path, {"linear.py": LINEAR, "linear.ipynb": notebook(other)})
    said = "linear.py and linear.ipynb are both written; hand in one of them."
    assert found.problems["linear"] == said
    found = read(tmp_path, {"linear.ipynb": notebook(LINEAR)})
    assert found.sources["linear"] == LINEAR.encode(), "the same code, as jupytext pairs it"


def test_two_that_are_not_written_are_the_file(tmp_path):
    found = read(tmp_path, {"linear.py": SKELETON, "linear.ipynb": notebook("x = 1")})
    assert found.sources["linear"] == SKELETON.encode()


def test_without_a_skeleton_they_are_measured_against_each_other(tmp_path):
    put_all(tmp_path, {"linear.py": TRIMMED, "linear.ipynb": notebook(LINEAR)})
    for wanted in ("linear", Wanted("linear", frozenset({"CustomLinear"}))):
        assert b"self.weight" in read_submission(tmp_path, [wanted]).sources["linear"]


def test_a_notebook_that_cannot_be_read_is_named_beside_a_skeleton(tmp_path):
    found = read(tmp_path, {"linear.py": SKELETON, "linear.ipynb": "no JSON"})
    assert found.sources["linear"] == SKELETON.encode()
    assert "linear.ipynb could not be read" in found.remarks["linear"]


# One file for several modules


PART = {name: text.replace("from conv2d import CustomConv2d\nfrom linear import CustomLinear\n", "")
        for name, text in {"linear": LINEAR, "conv2d": CONV2D, "tower": TOWER}.items()}  # fmt: skip


def test_a_notebook_with_everything_serves_each_module(tmp_path):
    found = read(tmp_path, {"homework.ipynb": notebook(*PART.values())})
    assert set(found.sources) == {"linear", "conv2d", "tower"}
    tower = found.sources["tower"].decode()
    assert "from linear import CustomLinear" in tower
    assert "from conv2d import CustomConv2d" in tower
    assert {"CustomLinear", "CustomConv2d"}.isdisjoint(defined(tower))
    linear = found.sources["linear"].decode()
    assert {"CustomConv2d", "TowerOfInsight"}.isdisjoint(defined(linear))
    assert "import TowerOfInsight" not in linear
    lengths = {len(source.decode().splitlines()) for source in found.sources.values()}
    assert len(lengths) == 1, "lines keep their numbers"
    for module, source in found.sources.items():
        compile(source, module, "exec")


def test_parts_lie_in_several_files(tmp_path):
    files = {
        "part 1.py": PART["linear"] + PART["conv2d"],
        "part 2.py": PART["linear"] + PART["tower"],
    }
    found = read(tmp_path, files)
    assert set(found.sources) == {"linear", "conv2d", "tower"}
    assert "TowerOfInsight" in defined(found.sources["tower"].decode())


def test_a_module_may_hold_the_others(tmp_path):
    found = read(tmp_path, {"tower.py": "".join(PART.values())})
    assert "from linear import CustomLinear" in found.sources["tower"].decode()
    assert "which defines CustomLinear" in found.remarks["linear"]


def test_beside_modules_of_their_own_copies_stay_as_they_are(tmp_path):
    pasted = PART["linear"] + PART["tower"]
    found = read(tmp_path, {"tower.py": pasted, "linear.py": LINEAR, "conv2d.py": CONV2D})
    assert found.sources["tower"] == pasted.encode()


ODD = '''"""Text of a module.
class Brick:
"""
@decorated(
    1
)
# why
class Brick:
    """Lines
at the very beginning
    """
    def sized(self,
a=(1,
2)):
        return "#" + '"""' \\
"x"
# a comment at the very beginning

        # and its end


# %% [cell 2]
text = """
class Brick: pass
"""
class Tower:
    def __init__(self): self.brick = Brick()
'''


def test_a_definition_ends_where_python_says(tmp_path):
    found = shared(ODD, {"Brick": "brick"}, lambda module: True)
    lines, before = found.split("\n"), ODD.split("\n")
    assert lines[3] == "from brick import Brick"
    changed = [i for i, line in enumerate(lines) if line != before[i]]
    assert changed == list(range(3, 16))


def test_what_is_not_mentioned_is_blank_and_what_may_not_be_imported_stays():
    text = "def a(): return b()\ndef b(): pass\ndef c(): pass\nx = b()\n"
    of = {"b": "other", "c": "other"}
    assert shared(text, of, lambda _: True) == (
        "def a(): return b()\nfrom other import b\n\nx = b()\n"
    )
    assert shared(text, of, lambda _: False) == "def a(): return b()\ndef b(): pass\n\nx = b()\n"


@pytest.mark.parametrize("text", ["class B:\n  x = (\n", "class B:\n  x = ]\n", ""])
def test_where_brackets_do_not_match_a_text_stays_as_it_is(text):
    assert shared(text + "B\n", {"B": "b"}, lambda _: True) == text + "B\n"


def test_another_name_of_a_class_belongs_to_its_module_too():
    text = "class Linear: pass\nCustomLinear = Linear\nx = 3\nclass Tower(CustomLinear): pass\n"
    assert shared(text, {"CustomLinear": "linear", "x": "linear"}, lambda _: True) == (
        "class Linear: pass\nfrom linear import CustomLinear\nx = 3\nclass Tower(CustomLinear): pass\n"
    )


def test_what_is_set_on_a_class_belongs_to_its_module_too():
    text = "class B: pass\ndef f(self): pass\nB.f = f\ny = B()\n"
    assert shared(text, {"B": "b"}, lambda _: True) == (
        "from b import B\ndef f(self): pass\nfrom b import B\ny = B()\n"
    )


@pytest.mark.parametrize("broken", ["x = (1\n", 'x = """\n', "y = ]\n"])
def test_a_cell_that_python_cannot_read_takes_no_other_with_it(broken):
    text = f"# %% [cell 1]\n{broken}\n# %% [cell 2]\nclass B: pass\n\n# %% [cell 3]\nB()\n"
    found = shared(text, {"B": "b"}, lambda _: True)
    assert found == text.replace("class B: pass", "from b import B")


def test_a_form_feed_begins_no_line_of_a_body():
    text = "class B:\n    x = 1\n\x0cclass C: pass\ny = B\n"
    assert shared(text, {"B": "b"}, lambda _: True) == (
        "from b import B\n\n\x0cclass C: pass\ny = B\n"
    )


def test_line_ends_of_every_system_are_kept():
    text = "class B:\r\n    x = 1\r\n\ry = B\r\n"
    assert shared(text, {"B": "b"}, lambda _: True) == "from b import B\r\n\r\n\ry = B\r\n"


def test_stubs_in_texts_and_comments_are_none():
    text = (
        "# raise NotImplementedError\nx = 'raise NotImplementedError'\nraise NotImplementedError\n"
    )
    assert stubs(text) == 1
    assert code(text) == ["x = 'raise NotImplementedError'", "raise NotImplementedError"]


SLOW = [
    *(
        '"""' * 80_000,
        "'\\" * 120_000,
        '"' * 250_000,
        "\\" * 250_000,
        "(\n" * 120_000,
        "@a\n" * 80_000,
    ),
    *("def a(): pass\n" * 18_000, '"""\\"' * 50_000, "f'" * 120_000, "\r" * 250_000, "a" * 250_000),
    *("a:" * 120_000, "raise " * 40_000, "class a" * 30_000, "class " + " " * 250_000),
]


@pytest.mark.parametrize("text", SLOW, ids=range(len(SLOW)))
def test_no_text_is_slow_to_look_at(text):
    """256 KiB take less than a second, whatever they hold."""

    def look():
        return defined(text), stubs(text), code(text, ["a"]), shared(text, {"a": "b"}, bool)

    assert measured(look)[1] < 3
