"""`tower update` brings a newer release into a student's repository, and touches nothing of theirs."""

import io
import json
import zipfile
from pathlib import PurePosixPath

import pytest
from command import tower
from helpers import ROOT

import autograder
import tower_student
from autograder.course import load_course
from autograder.errors import UsageError
from autograder.release import student_repository, write
from tower_student.changelog import for_students, news
from tower_student.course import MANIFEST, Release
from tower_student.update import plan

pytestmark = pytest.mark.sandbox

COURSE = load_course(ROOT)
MODULES = tuple(COURSE.modules)
FILES = {str(path): text for path, text in student_repository(COURSE).items()}
HANDOUT, TEST = "handouts/linear.md", "tests/test_linear.py"


def release(changes=(), without=(), modules=MODULES, version="0.1.0"):
    """The files of a release that differs from the course's: other texts, files left out."""
    texts = {**FILES, **dict(changes)}
    files = {
        PurePosixPath(name): text
        for name, text in texts.items()
        if name not in without and name != str(MANIFEST)
    }
    manifest = Release.of(version, "Tower of Insight", modules, files)
    return files | {MANIFEST: manifest.as_json()}


@pytest.fixture
def repository(tmp_path):
    """A student's repository; linear is written."""
    write(release(), tmp_path / "repository")
    (tmp_path / "repository" / "linear.py").write_text("mine = 1\n")
    return tmp_path / "repository"


@pytest.fixture
def newer(tmp_path):
    """Writes a newer release and returns its folder."""

    def newer(*args, **options):
        write(release(*args, **options), tmp_path / "newer")
        return tmp_path / "newer"

    return newer


def update(repository, source):
    return tower("update", source, cwd=repository)


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_corrected_handout_and_test_arrive_and_what_was_written_stays(repository, newer):
    corrections = {HANDOUT: "corrected\n", TEST: "# corrected\n", "linear.py": "another skeleton\n"}
    done = update(repository, newer(corrections))
    assert done.returncode == 0, done.stderr
    after = contents(repository)
    assert after[HANDOUT] == b"corrected\n"
    assert after[TEST] == b"# corrected\n"
    assert after["linear.py"] == b"mine = 1\n"
    assert after["conv2d.py"] == FILES["conv2d.py"].encode(), "a module that nobody wrote in"
    assert done.stdout.splitlines() == [f"written  {HANDOUT}", f"written  {TEST}"]
    assert not [name for name in after if name.endswith(".new")]


def test_the_same_release_changes_nothing(repository, newer):
    before = contents(repository)
    assert update(repository, newer()).stdout == "Nothing is new.\n"
    assert contents(repository) == before


def test_what_the_student_has_changed_gets_the_new_version_beside_it(repository, newer):
    (repository / HANDOUT).write_text("my notes\n")
    (repository / TEST).write_text("# mine\n")
    done = update(repository, newer({HANDOUT: "corrected\n"}))
    assert done.returncode == 0, done.stderr
    assert (repository / HANDOUT).read_text() == "my notes\n"
    assert (repository / f"{HANDOUT}.new").read_text() == "corrected\n"
    assert f"yours    {HANDOUT}; the new version is {HANDOUT}.new" in done.stdout
    assert (repository / TEST).read_text() == "# mine\n"
    assert not (repository / f"{TEST}.new").exists(), "there is no new version of it"


def test_a_second_update_still_knows_what_is_the_students(repository, newer):
    (repository / HANDOUT).write_text("my notes\n")
    plan(repository, newer({HANDOUT: "first\n"})).apply(repository)
    plan(repository, newer({HANDOUT: "second\n"})).apply(repository)
    assert (repository / HANDOUT).read_text() == "my notes\n"
    assert (repository / f"{HANDOUT}.new").read_text() == "second\n"


def test_lines_that_git_has_ended_as_on_windows_are_no_change(repository, newer):
    path = repository / HANDOUT
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    planned = plan(repository, newer({HANDOUT: "corrected\n"}))
    assert planned.written[HANDOUT] == b"corrected\n"


def test_a_module_that_is_new_comes_with_its_skeleton(repository, newer):
    pool = {"pool.py": "skeleton\n", "handouts/pool.md": "pool\n", "tests/test_pool.py": "# pool\n"}
    source = newer(pool, modules=(*MODULES, "pool"))
    plan(repository, source).apply(repository)
    assert {name: (repository / name).read_text() for name in pool} == pool
    (repository / "pool.py").write_text("mine\n")
    plan(repository, newer(pool | {"pool.py": "other\n"}, modules=(*MODULES, "pool"))).apply(
        repository
    )
    assert (repository / "pool.py").read_text() == "mine\n"


@pytest.mark.parametrize("name", ["pool.py", "pool.ipynb"])
def test_a_module_that_the_student_has_begun_already_is_not_written_over(repository, newer, name):
    (repository / name).write_text("mine\n")
    plan(repository, newer({"pool.py": "skeleton\n"}, modules=(*MODULES, "pool"))).apply(repository)
    assert (repository / name).read_text() == "mine\n"
    assert (repository / "pool.py").exists() == (name == "pool.py")


def test_a_dropped_module_takes_its_pages_and_leaves_what_was_written(repository, newer):
    (repository / TEST).write_text("# mine\n")
    dropped = ("linear.py", HANDOUT, TEST)
    done = update(repository, newer(without=dropped, modules=[m for m in MODULES if m != "linear"]))
    assert done.returncode == 0, done.stderr
    assert not (repository / HANDOUT).exists()
    assert f"removed  {HANDOUT}" in done.stdout
    assert f"yours    {TEST}; the course no longer has it" in done.stdout
    assert (repository / TEST).read_text() == "# mine\n"
    assert (repository / "linear.py").read_text() == "mine = 1\n"


def test_a_file_that_is_gone_comes_back_and_a_module_that_is_gone_does_not(repository, newer):
    (repository / TEST).unlink()
    (repository / "conv2d.py").unlink()
    plan(repository, newer()).apply(repository)
    assert (repository / TEST).read_text() == FILES[TEST]
    assert not (repository / "conv2d.py").exists()


def test_a_new_command_says_how_it_is_renewed(repository, newer):
    name = "tools/pyproject.toml"
    done = update(repository, newer({name: "# newer\n"}))
    assert "python -m pip install -r requirements.txt" in done.stdout
    assert "pip install" not in update(repository, newer({name: "# newer\n"})).stdout


LOG = "# What has changed\n\n## 0.2.0\n\n- Two,\n  in two lines.\n\n## 0.1.0\n\n- One.\n"


def test_what_is_new_since_the_version_here_is_printed_and_kept(repository, newer):
    (repository / "CHANGELOG.md").unlink()
    done = update(repository, newer({"CHANGELOG.md": LOG}, version="0.2.0"))
    assert done.returncode == 0, done.stderr
    assert "What is new:\n- Two, in two lines.\n" in done.stdout
    assert "One." not in done.stdout
    assert (repository / "CHANGELOG.md").read_text() == LOG
    again = update(repository, newer({"CHANGELOG.md": LOG}, version="0.2.0"))
    assert again.stdout == "Nothing is new.\n"


def test_an_entry_that_an_instructor_adds_to_the_same_version_is_new(repository, newer):
    (repository / "CHANGELOG.md").write_text(LOG)
    added = LOG.replace("- One.", "- One.\n- A test of linear is corrected.")
    done = update(repository, newer({"CHANGELOG.md": added}))
    assert "What is new:\n- A test of linear is corrected.\n" in done.stdout
    assert "Two" not in done.stdout


def test_students_get_their_sections_of_the_changelog():
    text = (ROOT / "CHANGELOG.md").read_text()
    released = FILES["CHANGELOG.md"]
    assert f"## {tower_student.__version__}\n" in released, "this version has a section"
    assert tower_student.__version__ == autograder.__version__
    assert "instructors" not in released
    assert "- The first release." in released
    assert for_students("# Changelog\n\n## 0.3.0\n\n### For instructors\n\n- a\n") == ""
    assert news("", for_students(text), tower_student.__version__) == []


# Zips


def zipped(files, top=""):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{top}{name}", text)
    return made.getvalue()


@pytest.mark.parametrize("top", ["", "class-repository-main/"])
def test_a_zip_does_as_well(repository, tmp_path, top):
    source = tmp_path / "newer.zip"
    source.write_bytes(zipped(release({HANDOUT: "corrected\n"}), top))
    assert update(repository, source).returncode == 0
    assert (repository / HANDOUT).read_text() == "corrected\n"


def manifest_with(**changes):
    return release() | {
        MANIFEST: json.dumps({**json.loads(release()[MANIFEST]), **changes}),
    }


BAD = {
    "no zip": (b"nothing", "is no zip that can be read"),
    "no release": (zipped({"a.txt": "a"}), "is no release: it has no tests/course.json"),
    "no manifest that can be read": (
        zipped({str(MANIFEST): "[]"}),
        "is no release: tests/course.json cannot be read: it is no table.",
    ),
    "an absolute path": (zipped(release() | {"/etc/x": "x"}), "it holds the path '/etc/x'"),
    "a path upwards": (zipped(release() | {"a/../../x": "x"}), "it holds the path 'a/../../x'"),
    "a path of windows": (zipped(release() | {"C:x": "x"}), "it holds the path 'C:x'"),
    "a path in the manifest": (zipped(manifest_with(files={"../x": "0"})), "holds the path '../x'"),
    "a file missing": (
        zipped({n: t for n, t in release().items() if str(n) != TEST}),
        f"is no whole release: {TEST} is missing",
    ),
    "older": (zipped(release(version="0.0.9")), "is older than what is here: version 0.0.9"),
    "broken": (zipped(release()).replace(b"# linear", b"# lineaR"), "is no zip that can be read"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_is_a_sentence_and_changes_nothing(repository, tmp_path, kind):
    content, words = BAD[kind]
    source = tmp_path / "newer.zip"
    source.write_bytes(content)
    before = contents(repository)
    done = update(repository, source)
    assert done.returncode == 2, done.stdout + done.stderr
    assert words.replace(" ", "") in "".join(done.stderr.split())
    assert contents(repository) == before
    assert not list(tmp_path.glob("x"))


def test_a_folder_that_is_no_release_is_named(repository, tmp_path):
    with pytest.raises(UsageError, match=r"is no release: it has no tests/course\.json"):
        plan(repository, tmp_path)
    with pytest.raises(UsageError, match=r"There is no .*nothing"):
        plan(repository, tmp_path / "nothing")
    (repository / MANIFEST).unlink()
    with pytest.raises(UsageError, match=r"The folder .*repository is no release"):
        plan(repository, repository)


def test_an_update_that_broke_off_can_be_repeated(repository, newer, monkeypatch):
    """The manifest comes last: what was written before is known as it was released."""
    source = newer({HANDOUT: "corrected\n", TEST: "# corrected\n"})
    blocked = repository / TEST
    blocked.unlink()
    blocked.mkdir()  # it cannot be read
    before = contents(repository)
    assert update(repository, source).returncode == 2
    assert contents(repository) == before
    blocked.rmdir()
    (repository / HANDOUT).write_text("corrected\n")  # as far as an earlier try came
    planned = plan(repository, source)
    assert set(planned.written) == {TEST}
    assert planned.beside == {}
