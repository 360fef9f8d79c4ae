"""The student's repository: what `tower check`, `tower submit` and a released repository do for a student."""

import ast
import contextlib
import importlib
import io
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from command import tower
from helpers import ROOT
from rich.console import Console

from autograder.bank import Bank
from autograder.course import load_course
from autograder.release import student_repository, write
from tower_student import hints, outcomes, show, submit
from tower_student.course import Course, course_in
from tower_student.submission import read_submission

pytestmark = pytest.mark.sandbox

COURSE = load_course(ROOT)
MODULES = list(COURSE.modules)
SOLUTIONS = {name: (ROOT / "solutions" / f"{name}.py").read_text() for name in MODULES}


@pytest.fixture
def repository(tmp_path):
    """A student's repository with nothing written yet."""
    write(student_repository(COURSE), tmp_path / "repository")
    return tmp_path / "repository"


def solve(repository, *modules, **changes):
    """Write the reference's modules; a change is a pair of texts, the old one and the new one."""
    for name in (*modules, *changes):
        old, new = changes.get(name, ("", ""))
        assert old in SOLUTIONS[name]
        (repository / f"{name}.py").write_text(
            SOLUTIONS[name].replace(old, new) if old else SOLUTIONS[name]
        )


def shown(run, opened=None, modules=MODULES, *, trains=False):
    text = io.StringIO()
    course = Course(COURSE.title, tuple(MODULES), trains=trains)
    show.show(run, modules, opened or {}, Console(file=text, width=100), course)
    return " ".join(text.getvalue().split())


# The map and the first broken outcome


@pytest.mark.parametrize("content", [None, "", "[]", '{"version": 1}', "\xff"])
def test_title_and_order_come_from_the_release_or_what_is_left_of_it(repository, content):
    known = Course(COURSE.title, tuple(MODULES), trains=True)
    assert course_in(repository) == known
    assert course_in(ROOT / "assignments") == known, "from course.toml beside it"
    if content is None:
        (repository / "tests" / "course.json").unlink()
    else:
        (repository / "tests" / "course.json").write_text(content, encoding="latin-1")
    assert course_in(repository) == Course("", tuple(sorted(MODULES)), trains=True)


def test_a_test_of_the_students_own_is_no_module(repository):
    (repository / "tests" / "test_mine.py").write_text("def test_mine(): pass\n")
    assert course_in(repository).modules == tuple(MODULES)


def test_nothing_written_is_nothing_begun(repository):
    run = outcomes.run_tests(repository, MODULES)
    assert {outcome.status for outcome in run.outcomes} == {"unwritten"}
    assert {outcome.module for outcome in run.outcomes} == set(MODULES)
    text = shown(run)
    assert "Not written yet. Return w·x + b." in text
    assert re.search(r"Your line: gradient_loop.py, line \d+, in predict", text)
    assert text.count("not begun") == len(MODULES) - 1


def test_the_reference_passes_every_public_test(repository):
    solve(repository, *MODULES)
    run = outcomes.run_tests(repository, MODULES)
    assert {outcome.status for outcome in run.outcomes} == {"passed"}
    text = shown(run)
    assert "Every public test passes." in text
    assert "tower submit" in text
    assert "tower train" not in text, "this course is not said to train anything"
    assert "tower train" in shown(run, trains=True)


def test_after_a_module_comes_the_next(repository):
    solve(repository, "gradient_loop", "tower")
    run = outcomes.run_tests(repository, ["gradient_loop"])
    assert "Next: handouts/linear.md" in shown(run, modules=["gradient_loop"])
    assert "Next: tower check" in shown(outcomes.TestRun(()), modules=["tower"])


def test_what_else_fails_and_what_is_right_is_said_in_a_line_each(repository):
    solve(repository, "gradient_loop", linear=("output + self.bias", "output - self.bias"))
    solve(repository, kaiming_init=("math.sqrt(3 / fan_in)", "math.sqrt(2 / fan_in)"))
    text = shown(outcomes.run_tests(repository, MODULES))
    assert "✗ linear Autograd finds the gradients" in text.replace("  ", " ")
    assert "✓ linear Without a bias, zeros in give zeros out." in text
    assert "✗ kaiming_init " in text
    assert "✓ kaiming_init " not in text, "of another module only what fails"


def test_the_first_that_fails_comes_before_what_is_not_written(repository):
    solve(repository, linear=("output + self.bias", "output - self.bias"))
    run = outcomes.run_tests(repository, MODULES)
    broken = show.first_broken(run)
    assert (broken.module, broken.status) == ("linear", "failed")
    text = shown(run)
    assert "[1 + 0.5, 0 + 1, 6.5 - 1] = [1.5, 1, 5.5]" in text, "the arithmetic of the test"
    assert "got [0.5, -1.0, 7.5]" in text
    assert re.search(r"Your line: linear.py, line \d+, in forward", text)
    assert "return output if self.bias is None else output - self.bias" in text
    assert re.search(r"✗ linear .*← here", text)


WRONG = {
    "raises": (
        ("output = input @ self.weight.T", "output = input @ self.weight"),
        ["RuntimeError", "output = input @ self.weight", "inner sizes of a matrix product"],
    ),
    "cannot be read": (
        ("output = input @ self.weight.T", "output = input @"),
        ["SyntaxError", "output = input @", "linear.py can be imported"],
    ),
    "fails at import": (
        ("class CustomLinear", "print(undefined)\n\n\nclass CustomLinear"),
        ["NameError", "print(undefined)", "linear.py can be imported"],
    ),
    "prints": (
        ("output + self.bias", "print('shape', input.shape) or output"),
        ["It printed:", "shape torch.Size([2])"],
    ),
    "raises what is no error": (
        ("output = input @ self.weight.T", "raise KeyboardInterrupt"),
        ["Stopped", "raise KeyboardInterrupt"],
    ),
    "exits": (
        ("output = input @ self.weight.T", "raise SystemExit(0)"),
        ["SystemExit", "raise SystemExit(0)"],
    ),
    "skips": (
        ("output = input @ self.weight.T", "__import__('pytest').skip('done')"),
        ["✗ linear", "Skipped: done"],
    ),
    "exits at import": (
        ("class CustomLinear", "raise SystemExit\n\n\nclass CustomLinear"),
        ["SystemExit", "linear.py can be imported"],
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_failure_shows_the_students_own_line(repository, kind):
    change, told = WRONG[kind]
    solve(repository, linear=change)
    text = shown(outcomes.run_tests(repository, ["linear"]), modules=["linear"])
    for words in told:
        assert words in text, text
    assert "linear.py, line" in text


def test_a_brick_that_fails_comes_before_a_tower_that_cannot_be_imported(repository):
    solve(repository, linear=("output + self.bias", "output - self.bias"))
    solve(repository, tower=("class TowerOfInsight", "print(undefined)\n\n\nclass TowerOfInsight"))
    assert show.first_broken(outcomes.run_tests(repository, MODULES)).module == "linear"


SAMPLE = [mutant for name in MODULES for mutant in list(Bank(ROOT).mutants(name))[7::40]]


@pytest.mark.parametrize("mutant", SAMPLE, ids=lambda mutant: f"{mutant.module}-{mutant.name}")
def test_a_line_that_is_named_stands_where_the_mistake_is(repository, mutant):
    """In a function that was changed, or one that it calls or is called by: in none that only ran too."""
    solve(repository, *MODULES)
    (repository / f"{mutant.module}.py").write_bytes(mutant.source)
    right, wrong = (definitions(text) for text in (SOLUTIONS[mutant.module], mutant.source))
    changed = {name for name in wrong if wrong[name] != right.get(name)}
    called = {
        name for name in wrong if any(name in wrong[one] or one in wrong[name] for one in changed)
    }
    for outcome in outcomes.run_tests(repository, [mutant.module]).outcomes:
        raised = re.match(r"\w+Error\b", outcome.message)
        if outcome.status != "passed" and outcome.line and not raised:
            assert outcome.line.within in changed | called | {""}, outcome


def definitions(text):
    """The functions of a module, by name, as ast writes them."""
    found = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef))
    return {node.name: ast.unparse(node) for node in found}


def test_of_several_functions_that_returned_none_is_named(repository):
    """Which of them is wrong, nobody can tell."""
    solve(repository, conv2d=("columns", "columns"))
    text = SOLUTIONS["linear"].replace("nn.Parameter(torch.empty(out", "(torch.empty(out")
    (repository / "linear.py").write_text(text)
    outcome = show.first_broken(outcomes.run_tests(repository, ["linear"]))
    assert "named_parameters" in outcome.message
    assert outcome.line is None


def test_a_module_that_is_not_there_is_named(repository):
    (repository / "linear.py").unlink()
    text = shown(outcomes.run_tests(repository, ["linear"]), modules=["linear"])
    assert "linear.py is not there" in text


def test_what_was_written_since_is_seen_even_within_the_same_second(repository):
    """Python tells a cached module from its source by whole seconds and the size."""
    solve(repository, linear=("output + self.bias", "output - self.bias"))
    for wanted, operator in (("failed", "-"), ("passed", "+"), ("failed", "-"), ("passed", "+")):
        solve(repository, linear=("output + self.bias", f"output {operator} self.bias"))
        os.utime(repository / "linear.py", (1_700_000_000, 1_700_000_000))
        statuses = {
            outcome.status for outcome in outcomes.run_tests(repository, ["linear"]).outcomes
        }
        assert ("failed" in statuses) == (wanted == "failed")


def test_what_is_installed_below_the_folder_stays_as_it_is(repository, monkeypatch):
    """The README has the environment, torch in it, in .venv/ beside the modules."""
    packages = repository / ".venv" / "lib" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "installed_here.py").write_text("")
    monkeypatch.syspath_prepend(str(packages))
    before = importlib.import_module("installed_here")
    solve(repository, linear=("import math", "import math\nimport installed_here"))
    assert {outcome.status for outcome in outcomes.run_tests(repository, ["linear"]).outcomes} == {
        "passed"
    }
    assert sys.modules.pop("installed_here") is before


def test_what_code_switches_for_the_whole_process_ends_with_its_run(repository):
    solve(
        repository,
        linear=(
            "import math",
            "import math\nimport torch\ntorch.set_grad_enabled(False)\n"
            "torch.set_default_dtype(torch.float64)",
        ),
    )
    outcomes.run_tests(repository, ["linear"])
    solve(repository, "linear")
    assert {outcome.status for outcome in outcomes.run_tests(repository, ["linear"]).outcomes} == {
        "passed"
    }


def test_tests_that_cannot_be_read_are_a_wrong_usage(repository):
    (repository / "tests" / "test_linear.py").write_text("def (")
    done = tower("check", "linear", cwd=repository)
    assert done.returncode == 2
    assert "The public tests cannot be read" in done.stderr


# The command


def test_the_command_says_how_far_the_tower_stands(repository):
    solve(repository, "gradient_loop", "linear")
    done = tower("check", cwd=repository)
    assert done.returncode == 1, done.stderr
    assert "Tower of Insight: 26 of 74 public tests pass" in done.stdout
    assert re.search(r"✓ gradient_loop .* 14 of 14", done.stdout)
    assert re.search(r"· conv2d .*← here", done.stdout)
    assert tower("check", "linear", cwd=repository).returncode == 0


@pytest.mark.parametrize("named", ["linear.py", "linear,gradient_loop", "./linear.py"])
def test_modules_are_named_as_people_name_them(repository, named):
    solve(repository, "gradient_loop", "linear")
    assert tower("check", named, cwd=repository).returncode == 0


def test_the_repository_is_found_from_below(repository):
    solve(repository, "linear")
    assert tower("check", "linear", cwd=repository / "handouts").returncode == 0


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "cp437"])
def test_where_the_console_lacks_a_character_passed_differs_from_failed(repository, encoding):
    """As one of Windows that knows cp1252 alone."""
    solve(repository, "gradient_loop", linear=("output + self.bias", "output - self.bias"))
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    command = [sys.executable, "-m", "autograder", "check", "linear", "gradient_loop"]
    done = subprocess.run(
        command, cwd=repository, capture_output=True, check=False, env=environment
    )
    assert done.returncode == 1, done.stderr
    text = done.stdout.decode(encoding)
    assert "8 of 12" in text
    assert "+ gradient_loop" in text.replace("√", "+")
    assert "x linear" in text
    assert "?" not in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["linear.py,nothing"], "There are no tests for nothing. Choose"),
        (["nothing"], "There are no tests for nothing. Choose from gradient_loop, linear"),
        (["--in", "tests"], "There are no public tests in tests"),
        (["--pdb", "--watch"], "--pdb goes with neither"),
    ],
)
def test_a_wrong_usage_names_the_way_out(repository, arguments, words):
    done = tower("check", *arguments, cwd=repository)
    assert done.returncode == 2
    assert words in " ".join(done.stderr.split())


def test_hints_open_one_by_one(repository):
    solve(repository, linear=("output + self.bias", "output - self.bias"))
    broken = show.first_broken(outcomes.run_tests(repository, ["linear"]))
    assert len(broken.hints) >= 2
    assert "Hint 1" not in tower("check", "linear", cwd=repository).stdout
    for count in (*range(1, len(broken.hints) + 1), len(broken.hints)):
        text = " ".join(tower("check", "linear", "--hint", cwd=repository).stdout.split())
        opened = re.findall(r"Hint (\d):", text)
        assert opened == [str(number) for number in range(1, count + 1)]
        assert ("hint left" in text or "hints left" in text) == (count < len(broken.hints))
    assert "No hint is left. Read on: handouts/linear.md" in text
    assert "Hint 1" in tower("check", "linear", cwd=repository).stdout, "what is open stays open"


@pytest.mark.parametrize("content", ["", "[]", '{"a": "b"}', "\xff"])
def test_a_file_of_hints_that_is_none_counts_as_none(repository, content):
    (repository / ".tower").mkdir()
    (repository / ".tower" / "hints.json").write_text(content, encoding="latin-1")
    assert hints.opened(repository) == {}


def test_every_public_test_says_what_it_asks_and_has_hints(repository):
    solve(repository, *MODULES)
    for outcome in outcomes.run_tests(repository, MODULES).outcomes:
        assert len(outcome.hints) >= 2, outcome.id
        assert outcome.asks[-1] in ".?", outcome.id
        assert len(outcome.asks) < 100
        for hint in outcome.hints:
            assert len(hint) > 20, outcome.id


def test_no_hint_is_a_line_of_the_solution(repository):
    solve(repository, *MODULES)
    lines = {
        line.split("#")[0].strip()
        for text in SOLUTIONS.values()
        for line in text.splitlines()
        if len(line.strip()) > 25
    }
    for outcome in outcomes.run_tests(repository, MODULES).outcomes:
        for hint in outcome.hints:
            assert not [line for line in lines if line and line in hint], outcome.id


def worked_lines(hint):
    """Yield code in backticks that does something, as text and as a tree; a mere name does nothing."""
    for code in re.findall("`([^`]+)`", hint):
        with contextlib.suppress(SyntaxError):
            tree = ast.parse(code)
            doing = ast.Assign | ast.AugAssign | ast.BinOp | ast.Call
            if any(isinstance(node, doing) for node in ast.walk(tree)):
                yield code, tree


def computed(source):
    """Return what each statement computes, as text in which all variables have one name."""
    statements = ast.walk(ast.parse(re.sub(r"\bself\.(?=\w)", "", source)))
    values = [getattr(node, "value", None) for node in statements if isinstance(node, ast.stmt)]
    return {
        re.sub(r"(?<!func=Name\()\bid='\w+'", "id='x'", ast.dump(value))
        for value in values
        if value and not isinstance(value, ast.Name | ast.Constant)
    }


def fault(hint, solution):
    """Return why a hint is no worked line on another problem, as far as a program can tell, or ""."""
    worked = list(worked_lines(hint))
    if not worked:
        return "no code"
    if any("".join(code.split()) in "".join(solution.split()) for code, _ in worked):
        return "a line of the solution"
    if any(computed(ast.unparse(tree)) & computed(solution) for _, tree in worked):
        return "the solution by other names"
    return ""


@pytest.mark.parametrize("module", MODULES)
def test_the_last_hint_is_a_worked_line_on_another_problem(module):
    tests = ast.parse((COURSE.public_tests / f"test_{module}.py").read_text())
    found = {
        node.name: fault(outcomes.asks_and_hints(ast.get_docstring(node))[-1], SOLUTIONS[module])
        for node in tests.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    assert found == dict.fromkeys(found, "")
    assert found


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        ("The transposed weight stands on the right.", "no code"),
        ("`@` multiplies `self.weight` and `the input`.", "no code"),
        ("Return `input@self.weight.T`.", "a line of the solution"),
        ("See `out = x @ kernel.T`.", "the solution by other names"),
        ("See `self.sums = self.rows @ self.table.T`.", "the solution by other names"),
        ("Shares times values: `shares @ values` is (2, 3).", ""),
    ],
)
def test_a_hint_that_gives_the_solution_is_found(hint, expected):
    assert fault(hint, SOLUTIONS["linear"]) == expected


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, repository, *arguments):
        self._master, slave = pty.openpty()
        command = [sys.executable, "-m", "autograder", *arguments]
        self.process = subprocess.Popen(
            command,
            cwd=repository,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            # Shells let what they start in the background ignore Ctrl-C; the tests may run so.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            env={**os.environ, "TERM": "dumb", "NO_COLOR": "1"},
        )
        os.close(slave)
        self.text = ""

    def until(self, words, seconds=60):
        """Read until the words are there; returns what came up to then, and forgets it."""
        deadline = time.monotonic() + seconds
        while words not in self.text:
            left = deadline - time.monotonic()
            assert left > 0, self.text
            if select.select([self._master], [], [], left)[0]:
                try:
                    self.text += os.read(self._master, 1 << 16).decode(errors="replace")
                except OSError:
                    assert words in self.text, self.text
        read, self.text = self.text, ""
        return read

    def send(self, text):
        os.write(self._master, text.encode())

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self._master)


@pytest.fixture
def terminal():
    opened = []

    def terminal(repository, *arguments):
        opened.append(Terminal(repository, *arguments))
        return opened[-1]

    yield terminal
    for one in opened:
        one.close()


def until_watched(pid, count):
    """Wait until a process has so many folders watched; it says nothing of it."""
    deadline = time.monotonic() + 60
    while sum(path.read_text().count("inotify wd:") for path in fdinfo(pid)) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def fdinfo(pid):
    """What the kernel says of a process's open files, those that last."""
    ours = Path(f"/proc/{pid}/fd")
    for path in ours.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if path.readlink().name == "anon_inode:inotify":
                yield Path(f"/proc/{pid}/fdinfo") / path.name


def test_watching_runs_again_on_every_save_and_ends_with_ctrl_c(repository, terminal):
    solve(repository, linear=("output + self.bias", "output - self.bias"))
    watching = terminal(repository, "check", "linear", "--watch")
    watching.until("Waiting for a save")
    until_watched(watching.process.pid, 2)  # its folder and tests/
    for _ in range(2):
        solve(repository, "linear")
        assert "12 of 12" in watching.until(" s\r\n")
        solve(repository, linear=("output + self.bias", "output - self.bias"))
        assert "got [0.5, -1.0, 7.5]" in watching.until(" s\r\n")
    (repository / "tests" / "test_linear.py").write_text("def (")
    assert "cannot be read" in watching.until(" s\r\n")
    os.killpg(watching.process.pid, 2)
    watching.until("Ended.")
    assert watching.process.wait(20) == 0


def test_an_endless_loop_is_left_by_ctrl_c_with_the_line_it_was_at(repository, terminal):
    solve(
        repository,
        linear=(
            "output = input @ self.weight.T",
            "print('in it', file=__import__('sys').__stdout__, flush=True)\n"
            "        while True: input = input + 1",
        ),
    )
    run = terminal(repository, "check", "linear")
    run.until("in it")
    os.killpg(run.process.pid, 2)
    text = run.until(", in forward")
    assert "Stopped" in text
    assert re.search(r"linear.py, line \d+, in forward", text)
    assert run.process.wait(20) == 1


def test_the_debugger_opens_where_the_first_test_fails(repository, terminal):
    solve(repository, linear=("output = input @ self.weight.T", "output = input @ self.weight"))
    run = terminal(repository, "check", "linear", "--pdb")
    assert "output = input @ self.weight" in run.until("(Pdb)")
    run.send("p self.weight.shape\n")
    assert "torch.Size([3, 2])" in run.until("(Pdb)")
    run.send("q\n")
    assert run.process.wait(30) == 1


def test_a_breakpoint_of_the_students_opens_the_debugger(repository, terminal):
    solve(
        repository,
        linear=(
            "output = input @ self.weight.T",
            "breakpoint()\n        output = input @ self.weight.T",
        ),
    )
    run = terminal(repository, "check", "linear")
    run.until("(Pdb)")
    run.send("p 6 * 7\n")
    assert "42" in run.until("(Pdb)")


# Packing


def test_what_is_packed_is_what_the_grader_reads(repository):
    solve(repository, *MODULES)
    done = tower("submit", cwd=repository)
    assert done.returncode == 0, done.stderr
    read = read_submission(repository / "submission.zip", MODULES)
    assert read.sources == {name: text.encode() for name, text in SOLUTIONS.items()}
    assert f"digest {read.digest}" in done.stdout
    assert read.digest == read_submission(repository, MODULES).digest
    assert "5 of 5 modules" in done.stdout


def test_the_same_modules_make_the_same_zip(repository):
    first = submit.pack(repository, MODULES).content
    os.utime(repository / "linear.py", (1, 1))
    assert submit.pack(repository, MODULES).content == first
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert archive.namelist() == [f"{name}.py" for name in MODULES]


def test_of_a_file_and_a_notebook_the_written_one_is_named(repository):
    """Both are packed: it is the grader who knows the skeleton."""
    cell = {"cell_type": "code", "metadata": {}, "source": SOLUTIONS["linear"]}
    notebook = repository / "linear.ipynb"
    notebook.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "cells": [cell]}))
    packed = submit.pack(repository, ["linear"])
    assert packed.remarks["linear"] == "Read from linear.ipynb, since linear.py is not finished."
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        assert archive.namelist() == ["linear.py", "linear.ipynb"]
    (repository / "linear.py").write_text(SOLUTIONS["linear"].replace("output", "result"))
    said = "linear.py and linear.ipynb are both written; hand in one of them."
    assert submit.pack(repository, ["linear"]).submission.problems == {"linear": said}


def test_what_is_missing_broken_or_unfinished_is_named(repository):
    (repository / "linear.py").unlink()
    (repository / "conv2d.py").write_text("def (")
    (repository / "kaiming_init.py").write_bytes(b"\xff")
    (repository / "tower.py").write_bytes(b"#" * (300 << 10))
    done = tower("submit", cwd=repository)
    assert done.returncode == 0
    text = " ".join(done.stdout.split())
    assert "linear.py is missing." in text
    assert "conv2d.py, Python cannot read it: see line 1." in text
    assert "kaiming_init.py would not be taken: it is not UTF-8 text" in text
    assert "tower.py would not be taken: it is larger than 256 KiB" in text
    assert "gradient_loop.py, not written yet: lines" in text
    assert "2 of 5 modules" in text
    assert set(read_submission(repository / "submission.zip", MODULES).sources) == {
        "gradient_loop",
        "conv2d",
    }


def test_nothing_at_all_is_a_wrong_usage_and_writes_nothing(repository):
    for name in MODULES:
        (repository / f"{name}.py").unlink()
    done = tower("submit", cwd=repository)
    assert done.returncode == 2
    assert "Nothing was packed" in done.stderr
    assert not (repository / "submission.zip").exists()


# The released repository


def secrets_of_the_course():
    """Lines that only solutions and hidden tests have: whoever reads one has read an answer."""
    public = "".join(
        path.read_text()
        for path in (*(ROOT / "assignments").rglob("*.py"), *(ROOT / "assignments").rglob("*.md"))
    )
    files = [ROOT / "solutions" / f"{name}.py" for name in MODULES]
    for file in (*files, *(ROOT / "tests" / "hidden").glob("*.py")):
        for line in file.read_text().splitlines():
            imports = line.startswith(("import ", "from "))
            if len(line.strip()) > 30 and line.strip() not in public and not imports:
                yield line.strip()


def test_nothing_of_solutions_or_hidden_tests_is_in_a_release(repository):
    lines = set(secrets_of_the_course())
    assert len(lines) > 500
    for path in repository.rglob("*"):
        if path.is_file():
            text = path.read_text(errors="replace")  # the packed data are none
            found = [line for line in lines if line in text]
            assert not found, path
            assert "SOLUTION" not in text or path.suffix == ".md"


def test_the_students_command_is_released_whole(repository):
    """Its pyproject.toml lies beside the package there, and within it here, so that every wheel holds it."""
    package = ROOT / "student" / "tower_student"
    files = [path for path in package.iterdir() if path.is_file()]
    told = {
        path.relative_to(repository / "tools")
        for path in (repository / "tools").rglob("*")
        if path.is_file()
    }
    inside = {Path(package.name) / path.name for path in files if path.suffix != ".toml"}
    assert told == {*inside, Path("pyproject.toml")}
    for path in files:
        released = (
            repository / "tools" / ("" if path.suffix == ".toml" else package.name) / path.name
        )
        assert released.read_bytes() == path.read_bytes()


def test_a_release_is_written_over_nobodys_work(repository):
    for _ in range(2):
        assert tower("release", "--out", str(repository)).returncode == 0
    solve(repository, "linear")
    done = tower("release", "--out", str(repository))
    assert done.returncode == 2
    assert "someone has worked on it" in " ".join(done.stderr.split())
    assert (repository / "linear.py").read_text() == SOLUTIONS["linear"]
    (repository / "file").write_text("")
    assert tower("release", "--out", str(repository / "file")).returncode == 2


ELSEWHERE = """
import os, signal, sys
import torch, pytest, watchfiles, rich.console, typer.main
for name in ("fcntl", "resource", "pty", "termios", "grp", "pwd"):
    sys.modules[name] = None
for name in ("fork", "fchmod", "geteuid", "getuid", "pidfd_open", "O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY"):
    delattr(os, name)
sys.path.insert(0, "tools")
from tower_student import cli
assert cli.__file__.startswith(os.path.abspath("tools")), cli.__file__
sys.argv = ["tower", *{arguments}]
cli.main()
"""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", "linear", "--hint"], "12 of 12"),
        (["submit"], "5 of 5 modules"),
        (["bench", "--help"], "what the stock layers buy"),
        (["train", "--help"], "Train your model by your own loop"),
    ],
)
def test_the_released_command_needs_nothing_that_only_linux_has(repository, arguments, words):
    """As on Windows or macOS: without the modules and functions of os that are missing there."""
    solve(repository, *MODULES)
    code = ELSEWHERE.format(arguments=arguments)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=repository,
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert words in " ".join(done.stdout.split())
