"""`tower doctor` of a student: what is wrong with the computer or the folder, and one remedy for each."""

import contextlib
import io
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers import ROOT

import tower_student
from autograder.course import load_course
from autograder.release import student_repository, write
from tower_student import cli, doctor, terminal
from tower_student.course import MANIFEST

COURSE = load_course(ROOT)
MAIN = [sys.executable, "-c", "from tower_student.cli import main; main()"]


@pytest.fixture
def repository(tmp_path):
    """A student's repository with every module written."""
    folder = tmp_path / "repository"
    write(student_repository(COURSE), folder)
    for name in COURSE.modules:
        shutil.copy(ROOT / "solutions" / f"{name}.py", folder)
    return folder


def tower(*arguments, cwd):
    """Run the student's command in this process; returns its exit code and what it prints."""
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.chdir(cwd):
        patch.setattr(sys, "argv", ["tower", *arguments])
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            code = terminal.call(cli.app)
    return code, out.getvalue()


def examined(repository):
    return {finding.title: finding for finding in doctor.examine(repository)}


def bad(repository):
    return {title: f for title, f in examined(repository).items() if f.state == "bad"}


def test_where_all_is_well_it_says_so_and_what_is_there(repository):
    import torch

    code, text = tower("doctor", cwd=repository)
    assert code == 0, text
    for words in (
        platform.python_version(),
        "64 bits",
        torch.__version__,
        f"{COURSE.title}, release {tower_student.__version__}",
        "5 of 5 can be read by Python",
        "GiB",
        "Everything that the course needs is there.",
    ):
        assert words in " ".join(text.split()), text


def test_it_finds_the_repository_from_below(repository):
    code, text = tower("doctor", cwd=repository / "handouts")
    assert code == 0, text


def test_in_another_folder_it_says_where_to_go(tmp_path):
    code, text = tower("doctor", cwd=tmp_path)
    assert code == 1
    assert "Go to the folder of your repository" in " ".join(text.split())


def test_without_torch_it_still_runs(repository, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    found = bad(repository)
    assert list(found) == ["torch"]
    assert found["torch"].found == "not installed"
    assert "README.md" in found["torch"].advice
    code, _ = tower("doctor", cwd=repository)
    assert code == 1


@pytest.mark.parametrize(
    ("system", "words"), [("win32", "Visual C++ Redistributable"), ("linux", "Remove .venv")]
)
def test_a_torch_that_cannot_be_loaded_is_explained(repository, monkeypatch, system, words):
    """As on Windows without Microsoft's runtime."""

    def refuse(name):
        raise OSError("[WinError 126] The specified module could not be found.")

    monkeypatch.setattr(doctor.importlib, "import_module", refuse)
    monkeypatch.setattr(sys, "platform", system)
    found = bad(repository)
    assert list(found) == ["torch", "numpy"]
    assert "WinError 126" in found["torch"].found
    assert words in found["torch"].advice


def test_a_torch_that_is_too_old_is_named(repository):
    path = repository / "tools" / "pyproject.toml"
    path.write_text(path.read_text().replace("torch>=2.7.1", "torch>=99.1"))
    found = bad(repository)
    assert list(found) == ["torch"]
    assert "99.1 or newer is needed" in found["torch"].advice


def test_packages_that_are_missing_or_too_old_are_named(repository):
    path = repository / "tools" / "pyproject.toml"
    text = path.read_text().replace("rich>=13.9", "rich>=99").replace("babel>", "no_such_thing>")
    path.write_text(text)
    found = bad(repository)
    assert list(found) == ["packages"]
    assert "no_such_thing" in found["packages"].found
    assert "rich" in found["packages"].found


PYTHONS = {
    "of 32 bits": ({"maxsize": 2**31 - 1}, "x86", "64-bit"),
    "too old": ({"version_info": (3, 9, 1)}, "x86_64", "3.11 or newer"),
    "of an Intel Mac": ({"platform": "darwin"}, "x86_64", "Colab"),
}


@pytest.mark.parametrize("kind", PYTHONS)
def test_a_python_for_which_there_is_no_torch_is_named(repository, monkeypatch, kind):
    changes, machine, words = PYTHONS[kind]
    real = {name: getattr(sys, name) for name in dir(sys) if not name.startswith("__")}
    monkeypatch.setattr(doctor, "sys", SimpleNamespace(**(real | changes)))
    monkeypatch.setattr(platform, "machine", lambda: machine)
    found = bad(repository)
    assert list(found) == ["Python"]
    assert words in found["Python"].advice


def test_outside_of_an_environment_it_advises_one_and_fails_nothing(repository, monkeypatch):
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    found = examined(repository)["environment"]
    assert found.state == "missing"
    assert "README.md" in found.advice


def test_numpy_that_torch_cannot_use_is_named(repository, monkeypatch):
    import torch

    def refuse(tensor):
        raise RuntimeError("Numpy is not available")

    monkeypatch.setattr(torch.Tensor, "numpy", refuse)
    assert list(bad(repository)) == ["numpy"]


def test_a_module_that_python_cannot_read_is_named_with_its_line(repository):
    (repository / "linear.py").write_text("def forward(:\n")
    (repository / "conv2d.py").write_bytes(b"# \xff\n")
    found = bad(repository)
    assert list(found) == ["linear.py", "conv2d.py"]
    assert "line 1" in found["linear.py"].found
    assert all(f.advice for f in found.values())


def test_what_is_not_written_yet_is_nothing_wrong(tmp_path):
    write(student_repository(COURSE), tmp_path)
    assert bad(tmp_path) == {}


def test_a_file_that_hides_a_library_is_named(repository):
    (repository / "random.py").write_text("")
    (repository / "torch.py").write_text("")
    found = bad(repository)
    assert list(found) == ["names of files"]
    assert "random.py, torch.py" in found["names of files"].found


def test_tests_that_are_missing_or_changed_are_named(repository):
    (repository / "tests" / "test_linear.py").unlink()
    assert "tests/test_linear.py" in bad(repository)["repository"].found
    assert "tower update" in bad(repository)["repository"].advice


def test_a_command_older_than_the_release_is_renewed(repository):
    path = repository / MANIFEST
    path.write_text(
        path.read_text().replace(f'"version": "{tower_student.__version__}"', '"version": "99.0.0"')
    )
    found = examined(repository)["command"]
    assert found.state == "bad"
    assert "requirements.txt" in found.advice


def test_a_full_disk_is_named(repository, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=1 << 20))
    assert list(bad(repository)) == ["disk space"]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8"])
def test_a_terminal_without_the_characters_is_named_and_shows_plain_ones(repository, encoding):
    done = subprocess.run(
        [*MAIN, "doctor"],
        cwd=repository,
        env={**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "100"},
        capture_output=True,
        check=False,
    )
    text = " ".join(done.stdout.decode(encoding).split())
    assert done.returncode == 0, done.stderr
    assert ("PYTHONUTF8=1" in text) == (encoding != "utf-8")
    assert "?" not in text


def test_every_remedy_is_a_sentence(repository, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=1 << 20))
    for name in ("linear.py", "random.py"):
        (repository / name).write_text("def (")
    advised = [finding for finding in doctor.examine(repository) if finding.state != "good"]
    assert len(advised) >= 5
    assert [f for f in advised if not f.advice.endswith(".")] == []


def test_the_version_is_said():
    assert tower("--version", cwd=Path()) == (0, f"tower {tower_student.__version__}\n")
