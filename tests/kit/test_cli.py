"""The command line: usage errors name the choices, exit codes mean what --help says."""

import importlib
import json
import os
import pty
import re
import resource
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from command import tower
from helpers import ROOT
from rich.console import Console
from typer.testing import CliRunner
from ways import report_of

from autograder.authoring import new_course, new_module
from autograder.cli import app
from autograder.cli._grading import demand_no_faults
from autograder.errors import GraderFault, UsageError
from autograder.report import CheckResult
from tower_student import terminal

pytestmark = pytest.mark.sandbox

TOWER = [str(Path(sys.executable).parent / "tower")]


def in_a_process(*arguments, **kwargs):
    return subprocess.run(
        [*TOWER, *map(str, arguments)], capture_output=True, text=True, timeout=300, **kwargs
    )


def one_line(text):
    return " ".join(text.split())


def python(code):
    """What a process prints that runs this."""
    environment = {**os.environ, "COLUMNS": "60", "TERMINAL_WIDTH": ""}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


HELP_OF_ALL = """
import contextlib, io, json, sys
from typer.main import get_group
from autograder import cli

root, pages = get_group(cli.app), {}

def walk(command, path):
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        root.main([*path, "--help"], prog_name="tower", standalone_mode=False)
    pages[" ".join(path)] = shown.getvalue()
    if hasattr(command, "list_commands"):
        for name in command.list_commands(None):
            walk(command.get_command(None, name), (*path, name))

walk(root, ())
print(json.dumps([pages, "torch" in sys.modules]))
"""


def test_help_of_every_command_fits_a_narrow_terminal_and_does_not_import_torch():
    pages, has_torch = json.loads(python(HELP_OF_ALL))
    assert not has_torch
    assert {"", "grade", "class", "check", "gradescope run", "new module"} < set(pages)
    for path, page in pages.items():
        assert page.startswith(f"Usage: tower {path}".rstrip()), path
        assert max(map(len, page.splitlines())) <= 60, path
        assert not re.search(r"[^]>]\.\.\.|…", page), path  # [ARGS]... is no cut
        assert "--debug" in page, path


def test_a_command_is_imported_when_it_is_called():
    code = (
        "import sys; from autograder import cli; from typer.testing import CliRunner\n"
        "CliRunner().invoke(cli.app, ['schema'])\n"
        "print(*(name for name in sys.modules if name.startswith('autograder.cli.')))"
    )
    assert python(code).split() == ["autograder.cli.schema"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--debug", "show", "nobody", "--in", "/nowhere"],
        ["show", "nobody", "--in", "/nowhere", "--debug"],
        ["--debug", "new", "module", "first"],
        ["new", "--debug", "module", "first"],
        ["new", "module", "first", "--debug"],
        ["check", "--in", "/nowhere", "--debug"],
    ],
    ids=" ".join,
)
def test_debug_goes_before_a_command_and_after_it(arguments, tmp_path):
    done = tower(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    arguments.remove("--debug")
    assert "Traceback" not in tower(*arguments, cwd=tmp_path).stderr


@pytest.mark.parametrize("debug", [False, True])
def test_the_traceback_of_a_fault_is_shown_with_debug_alone(debug, capsys):
    faults = (("linear.bias: it broke", "line 7"), ("linear.shape: it broke", "line 7"))
    with pytest.raises(GraderFault) as raised:
        demand_no_faults(SimpleNamespace(faults=faults))
    errors = Console(stderr=True, width=200)
    assert terminal.show_error(raised.value, errors, debug=debug) == 3
    said = one_line(capsys.readouterr().err)
    assert "linear.bias, linear.shape: it broke" in said
    assert ("line 7" in said) == debug
    assert ("Run again with --debug" in said) != debug


@pytest.mark.parametrize("words", ["gra", "gradescope b", "grade --dev", "grade --device cu"])
def test_completion_knows_commands_options_and_values(words):
    environment = {**os.environ, "COMP_WORDS": f"tower {words}", "_TOWER_COMPLETE": "complete_bash"}
    environment["COMP_CWORD"] = str(len(words.split()))
    found = in_a_process(env=environment).stdout.split()
    expected = {"gra": "grade", "b": "build", "--dev": "--device", "cu": "cuda"}
    assert expected[words.split()[-1]] in found


def test_completion_can_be_shown():
    told = {
        **os.environ,
        "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1",
    }  # no shell may be above us
    done = in_a_process("--show-completion", "bash", env=told)
    assert "_TOWER_COMPLETE=complete_bash" in done.stdout + done.stderr


USAGE = {
    "a path that does not exist": (["grade", "/nowhere"], "/nowhere does not exist"),
    "no path": (["grade"], "Missing argument"),
    "an unknown module": (
        ["grade", "solutions", "--only", "linaer"],
        "Invalid value for '--only': 'linaer' is not one of 'gradient_loop', 'linear', 'conv2d', "
        "'kaiming_init', 'tower'. Did you mean 'linear'?",
    ),
    "an unknown fit": (
        ["grade", "solutions", "--fit", "quik"],
        "Invalid value for '--fit': 'quik' is not one of 'off', 'quick', 'full', 'recipe'. "
        "Did you mean 'quick'?",
    ),
    "a fit that cannot be measured": (
        ["calibrate", "--fit", "off"],
        "Invalid value for '--fit': 'off' is not one of 'quick', 'full', 'recipe'.",
    ),
    "an unknown option": (["grade", "solutions", "--zzz"], "No such option: --zzz"),
    "a misspelt option": (
        ["grade", "solutions", "--devise", "cpu"],
        "No such option: --devise. Did you mean '--device'?",
    ),
    "an unknown verb": (["mark", "solutions"], "No such command 'mark'."),
    "a misspelt verb": (["garde", "x"], "No such command 'garde'. Did you mean 'grade'?"),
    "a misspelt verb of a group": (["new", "corse", "x"], "Did you mean 'course'?"),
    "a misspelt device": (
        ["grade", "solutions", "--device", "cdua"],
        "Invalid value for '--device': 'cdua' is not one of 'cpu', 'cuda', 'auto'. "
        "Did you mean 'cuda'?",
    ),
    "a level in lower case": (["doctor", "--require-isolation", "a+"], "Did you mean 'A+'?"),
    "a misspelt device of the student's command": (
        ["bench", "--device", "cpuu"],
        "Did you mean 'cpu'?",
    ),
    "a misspelt module of the student's command": (
        ["check", "linaer", "--in", "assignments"],
        "There are no tests for linaer. Choose from gradient_loop, linear, conv2d, kaiming_init, "
        "tower. Did you mean 'linear'?",
    ),
    "a report of an unknown format": (
        ["grade", "solutions", "-o", "report.htm"],
        "Invalid value for '--output': '.htm' is not one of '.html', '.json', '.xml'. "
        "Did you mean '.html'?",
    ),
    "a negative seed": (["grade", "solutions", "--seed", "-1"], "Invalid value for '--seed'"),
    "a report in no folder": (
        ["grade", "solutions", "--json", "/nowhere/report.json"],
        "/nowhere/report.json cannot be written",
    ),
    "no course": (["grade", "solutions", "--course", "/tmp"], "There is no course.toml in /tmp"),
}


@pytest.mark.parametrize("kind", USAGE)
def test_a_usage_error_is_a_sentence_and_exit_code_2(kind):
    arguments, words = USAGE[kind]
    done = tower(*arguments, cwd=ROOT)
    assert done.returncode == 2
    assert words in one_line(done.stderr.replace("│", " "))
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("width", range(20, 60))
def test_a_folders_name_gives_no_command_by_way_of_an_error(tmp_path, width, capsys):
    """At some width the console breaks the line where the command begins."""
    text = f"{tmp_path}/x\x1b[2J\x9b2J\r::error::a ##[debug]b\u202e does not exist"
    errors = Console(stderr=True, width=width)
    assert terminal.show_error(UsageError(text), errors) == 2
    assert terminal.show_error(ValueError(text), errors) == 3
    lines = capsys.readouterr().err.split("\n")
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in lines), lines
    assert not set("\x1b\x9b\r\u202e") & set("".join(lines))


def test_an_empty_directory_is_a_usage_error_that_names_the_modules(tmp_path):
    done = tower("grade", tmp_path)
    assert done.returncode == 2
    assert "gradient_loop.py, linear.py, conv2d.py, kaiming_init.py, tower.py" in one_line(
        done.stderr
    )


def test_grade_writes_reports_and_exits_with_0_whatever_the_score(tmp_path):
    (tmp_path / "linear.py").write_text("raise ValueError('no')\n")
    report, junit = tmp_path / "report.json", tmp_path / "report.xml"
    done = tower(
        *("grade", tmp_path, "--only", "linear", "--fit", "off", "--seed", 3),
        *("--json", report, "--junit", junit),
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(report.read_text())["score"] == 0
    assert "<testsuites" in junit.read_text()
    assert "linear.py, line 1, failed and was passed over: ValueError" in one_line(done.stdout)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "linear.py",
        "report.json",
        "report.xml",
    ]


@pytest.mark.parametrize(("floor", "code"), [(100, 0), (0, 0)])
def test_fail_under_lets_a_good_score_pass(floor, code):
    done = tower(
        *("grade", ROOT / "solutions", "--only", "kaiming_init", "--fit", "off"),
        *("--fail-under", floor),
    )
    assert done.returncode == code, done.stderr


def test_output_is_repeated_and_its_suffix_is_the_format(tmp_path):
    (tmp_path / "linear.py").write_text("")
    page, report, junit = (tmp_path / name for name in ("a.html", "b.json", "c.xml"))
    done = tower(
        *("grade", tmp_path, "--only", "linear", "--fit", "off"),
        *("-o", page, "--output", report, "-o", junit),
    )
    assert done.returncode == 0, done.stderr
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert json.loads(report.read_text())["score"] == 0
    assert "<testsuites" in junit.read_text()


def test_a_report_is_written_before_anything_is_printed(tmp_path):
    """A reader that has gone away, as head does, ends the printing and nothing else."""
    (tmp_path / "linear.py").write_text("")
    report = tmp_path / "report.json"
    command = [
        *TOWER,
        "grade",
        str(tmp_path),
        "--only",
        "linear",
        "--fit",
        "off",
        "-o",
        str(report),
    ]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=300)
    assert json.loads(report.read_text())["score"] == 0
    assert done.returncode == 3, "neither a verdict nor the end of one"
    assert "The report could not be printed: No space left on device" in one_line(done.stderr)
    assert "Traceback" not in done.stderr
    report.unlink()
    shell = f"{shlex.join(command)} <&- >&- 2>&-"
    assert subprocess.run(shell, shell=True, timeout=300).returncode == 0
    assert json.loads(report.read_text())["score"] == 0


@pytest.mark.parametrize("name", ["linear.py", "linear.ipynb", "tower.py"])
def test_a_module_that_cannot_be_read_gets_its_report_with_only(tmp_path, name):
    """As it does among others: no points, and why."""
    (tmp_path / name).write_bytes(b"\xff\0")
    report, junit, scope = (tmp_path / f"report.{kind}" for kind in ("json", "xml", "results"))
    done = tower(
        *("grade", tmp_path, "--only", "linear", "--fit", "off"),
        *("-o", report, "-o", junit, "--gradescope", scope),
    )
    assert done.returncode == 0, done.stderr
    content = json.loads(report.read_text())
    assert (content["score"], content["max_score"]) == (0, 20)
    said = "was not submitted" if name == "tower.py" else "could not be read"
    assert said in content["modules"][0]["note"]
    assert said in one_line(done.stdout)
    assert "<testsuites" in junit.read_text()
    assert json.loads(scope.read_text())["score"] == 0


def test_fail_under_exits_with_1_below_the_floor():
    done = in_a_process(
        *("grade", ROOT / "assignments", "--only", "kaiming_init", "--fit", "off"),
        "--fail-under",
        50,
    )
    assert done.returncode == 1
    assert "Score" in done.stdout
    assert "0.0 % is below --fail-under 50." in done.stderr


def test_an_empty_only_is_not_all_modules():
    done = tower("grade", ROOT / "solutions", "--only", "", "--fit", "off")
    assert done.returncode == 2
    assert "Invalid value for '--only': '' is not one of" in done.stderr


def test_what_is_graded_is_shown_even_where_its_file_cannot_be_written(tmp_path, monkeypatch):
    command = importlib.import_module("autograder.cli.grade")
    done = CheckResult("linear.forward", "It works.", "passed", 4.0, 4.0)
    monkeypatch.setattr(command, "graded", lambda *given, **options: report_of("linear", done))

    def full(report, exports):
        raise UsageError("The disk is full.")

    monkeypatch.setattr(command, "write", full)
    (tmp_path / "linear.py").write_text("")
    asked = ["grade", str(tmp_path), "--fit", "off", "--json", str(tmp_path / "a.json")]
    answer = CliRunner().invoke(app, asked)
    assert isinstance(answer.exception, UsageError)
    assert "Score" in answer.stdout


def test_files_beside_the_modules_do_nothing(tmp_path):
    """conftest.py, pytest.ini, sitecustomize.py and shadows of libraries are not even read."""
    marker = tmp_path / "touched"
    evil = f"open({str(marker)!r}, 'w').close()\n"
    for name in ("conftest", "sitecustomize", "usercustomize", "torch", "json", "numpy", "pytest"):
        (tmp_path / f"{name}.py").write_text(evil)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --collect-only\n")
    (tmp_path / "course.toml").write_text("")
    (tmp_path / "kaiming_init.py").write_bytes(
        (ROOT / "solutions" / "kaiming_init.py").read_bytes()
    )
    done = in_a_process(
        "grade", ".", "--only", "kaiming_init", "--fit", "off", "--fail-under", 100, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert not marker.exists()


def test_a_hidden_suite_that_course_toml_does_not_describe_is_the_instructors_error(tmp_path):
    for name in ("assignments", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)
    text = (ROOT / "course.toml").read_text().replace("bias_uniform = 1", "bias_uniformity = 1")
    (tmp_path / "course.toml").write_text(text)
    done = tower(
        "grade", ROOT / "solutions", "--only", "kaiming_init", "--fit", "off", "--course", tmp_path
    )
    assert done.returncode == 2
    said = one_line(done.stderr)
    assert "modules.kaiming_init.weights has bias_uniformity, and" in said
    assert "lacks bias_uniform, and test_kaiming_init.py has test_bias_uniform." in said


def test_a_module_without_hidden_tests_is_the_instructors_error(tmp_path):
    new_course(tmp_path / "course", "A course")
    new_module(tmp_path / "course", "first", 10, [])
    (tmp_path / "course" / "tests" / "hidden" / "test_first.py").unlink()
    done = tower("grade", tmp_path / "course" / "solutions", "--course", tmp_path / "course")
    assert done.returncode == 2
    assert "test_first.py is not there" in one_line(done.stderr)


def test_ctrl_c_stops_cleanly_and_leaves_nothing(tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    report = tmp_path / "report.json"
    process = subprocess.Popen(
        [*TOWER, "grade", str(ROOT / "solutions"), "--fit", "full", "--json", str(report)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell lets what it starts in the background ignore Ctrl-C, and these tests may run there.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("tower-*/scratch/worker-*")) and time.monotonic() < deadline:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Stopped." in errors
    assert "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []


def test_an_empty_path_is_not_the_working_directory(tmp_path):
    done = tower("grade", "", cwd=tmp_path)
    assert done.returncode == 2
    assert "PATH is empty" in done.stderr


@pytest.mark.fit
def test_a_grading_with_the_fit_leaves_no_file(tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [*TOWER, "grade", str(ROOT / "solutions"), "--only", "tower", "--fit", "quick"]
    command += ["--seed", "4", "--fail-under", "100"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_a_clear_message_and_no_half_written_file(tmp_path):
    (tmp_path / "linear.py").write_text("")
    done = tower("grade", tmp_path, "--only", "linear", "--fit", "off", "--json", "/dev/full/x")
    assert done.returncode == 2
    from autograder.errors import TowerError
    from tower_student.files import write_whole

    target = tmp_path / "report.json"
    target.write_text("the old one")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(TowerError, match=r"report.json could not be written"):
            write_whole(target, "x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert target.read_text() == "the old one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["linear.py", "report.json"]


def test_a_progress_line_is_shown_on_a_terminal():
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [*TOWER, "grade", str(ROOT / "solutions"), "--only", "kaiming_init", "--fit", "off"],
        stdout=subprocess.DEVNULL,
        stderr=slave,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(slave)
    shown = read_to_the_end(master)
    os.close(master)
    assert process.wait(timeout=60) == 0
    assert "kaiming_init." in shown
    assert "%" in shown


def read_to_the_end(terminal):
    """What is shown until the last writer has gone, which a terminal reports as an error."""
    shown = bytearray()
    try:
        while part := os.read(terminal, 1 << 16):
            shown += part
    except OSError:
        pass
    return shown.decode(errors="replace")


def test_the_schema_is_printed():
    done = tower("schema")
    assert json.loads(done.stdout)["title"] == "Report of a graded submission"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import torch\nimport nothing_of_that_name\n", "line 2: ModuleNotFoundError"),
        ("def test_first(student:\n    pass\n", "line 1: "),
        ("import torch\n\n\ntorch.nothing_of_that_name\n", "line 4: AttributeError"),
    ],
    ids=["import", "syntax", "other"],
)
def test_a_hidden_test_that_cannot_be_collected_is_named(tmp_path, text, said):
    """pytest calls a run with such a file interrupted, as one that Ctrl-C has ended."""
    new_course(tmp_path / "course", "A course")
    new_module(tmp_path / "course", "first", 10, [])
    test = tmp_path / "course" / "tests" / "hidden" / "test_first.py"
    test.write_text(text)
    done = tower("grade", tmp_path / "course" / "solutions", "--course", tmp_path / "course")
    assert done.returncode == 2
    expected = f"test_first.py does not import: {said}"
    assert "".join(expected.split()) in "".join(
        done.stderr.split()
    )  # wrapped wherever the line ends
    assert "_pytest" not in done.stderr
