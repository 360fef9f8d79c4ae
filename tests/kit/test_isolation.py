"""The levels of isolation: what is claimed is in force, what is missing is said, limits hold."""

import ctypes
import gc
import itertools
import json
import os
import resource
import select
import shutil
import struct
import subprocess
import sys
import sysconfig
import textwrap
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import get_args

import pytest
from helpers import ROOT, checks_of, failed
from lab_world import descendants_left, is_alive
from typer.testing import CliRunner

from autograder import broker as broker_module
from autograder import cli, doctor, isolation
from autograder.broker import Broker
from autograder.cli import _options
from autograder.errors import IsolationError
from autograder.export.view import message
from autograder.grading import grade
from autograder.sandbox import kernel, landlock, scratch, seccomp, visible
from autograder.sandbox.lockdown import MECHANISMS
from tower_student.submission import Submission

pytestmark = pytest.mark.sandbox

PR_CAPBSET_DROP, CAP_KILL = 24, 5
FACTS = ("landlock", "seccomp", "sealed", "uid", "namespaces")
PROBES = (
    *("read_hidden", "list_hidden", "write_outside", "file_metadata", "grader_memory", "signal"),
    *("socket", "privileges", "trace", "share_user", "fork", "execute"),
)

# What a machine lacks, and the level it then gives.
LESS = {
    "A": ("uid", "namespaces"),
    "B": ("landlock", "uid", "namespaces"),
    "D": MECHANISMS,
}


def claims(**named):
    return {name: named.get(name, 0 if name == "landlock" else False) for name in FACTS}


# The levels


@pytest.mark.parametrize(
    ("facts", "level"),
    [
        (claims(landlock=7, seccomp=True, uid=True), "A+"),
        (claims(landlock=1, seccomp=True, namespaces=True), "A+"),
        (claims(landlock=1, seccomp=True), "A"),
        (claims(seccomp=True, sealed=True), "B"),
        (claims(seccomp=True, sealed=True, uid=True, namespaces=True), "B"),
        (claims(seccomp=True, uid=True), "C"),
        (claims(seccomp=True), "D"),
        (claims(seccomp=True, namespaces=True), "D"),
        (claims(landlock=7, uid=True, namespaces=True), "D"),
        (claims(), "D"),
    ],
)
def test_facts_amount_to_a_level(facts, level):
    found = isolation.assess(facts, dict.fromkeys(PROBES, True))
    assert found.level == level
    assert ("not forge-proof" in found.detail) == (level == "D")
    assert found.contradictions == ()


def test_what_can_still_be_done_is_named():
    denied = dict.fromkeys(PROBES, True) | {"file_metadata": False, "share_user": False}
    found = isolation.assess(claims(landlock=7, seccomp=True), denied)
    assert found.detail == "Landlock 7, seccomp; not covered: file metadata"
    assert found.contradictions == ()


@pytest.mark.parametrize("probe", PROBES)
def test_a_probe_that_succeeds_contradicts_the_highest_claim(probe):
    """Whatever a worker can do after all, some mechanism that it claims promises that it cannot."""
    facts = claims(landlock=7, seccomp=True, uid=True, namespaces=True)
    denied = dict.fromkeys(PROBES, True) | {probe: False}
    assert isolation.assess(facts, denied).contradictions == (probe,)


def test_a_probe_that_was_not_made_counts_as_one_that_succeeded():
    assert isolation.assess(claims(seccomp=True), {}).contradictions


@pytest.mark.parametrize("level", LESS)
def test_a_machine_that_gives_less_says_so_and_grades_alike(course, solutions, level):
    with Broker(course.policy, [course.root], require="D", without=LESS[level]) as broker:
        broker.start()
        submission = Submission("x", solutions, {})
        report = grade(course, submission, broker, seed=1, fit="off")
        assert broker.reasons.keys() >= set(LESS[level])
    assert report.isolation.level == level
    assert failed(report) == set()


def test_this_machine_gives_what_it_has(broker):
    """The level follows from what the kernel and the user allow, looked up here in another way."""
    with broker.worker() as worker:
        found = worker.isolation
    assert (landlock.version() == 0) == ("landlock" in broker.reasons)
    assert (os.geteuid() != 0) <= ("uid" in broker.reasons)
    assert set(found.denied) == set(PROBES) - {"share_user"}
    assert found.level in isolation.LEVELS[:4], broker.reasons


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root can end processes of other users at all.")
def test_root_that_may_not_end_other_users_gives_workers_no_user_of_their_own(tmp_path):
    """As in a container without CAP_KILL: such workers could not be ended when their time is up."""
    report = tmp_path / "report.json"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "autograder", "grade", "solutions", "--only", "kaiming_init"),
            *("--fit", "off", "--json", str(report)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        preexec_fn=lambda: kernel.prctl(PR_CAPBSET_DROP, CAP_KILL),
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(report.read_text())
    assert found["score"] == 15
    assert "own user id" not in found["isolation"]["detail"]


@pytest.mark.parametrize("level", ["A", "B", "D"])
def test_a_level_below_the_one_required_stops_the_run(course, solutions, level):
    stronger = isolation.LEVELS[isolation.LEVELS.index(level) - 1]
    submission = Submission("x", solutions, {})
    with Broker(course.policy, require=stronger, without=LESS[level]) as broker:
        broker.start()
        with pytest.raises(
            IsolationError,
            match=f"gives isolation {level}.*{stronger.replace('+', '.')} is demanded",
        ):
            grade(course, submission, broker, seed=1, fit="off")


def test_a_worker_that_can_do_what_its_level_excludes_stops_the_run(course, solutions, monkeypatch):
    """As if the canary could be read: the grader hears of it and believes the probe, not the claim."""
    genuine = isolation.assess
    monkeypatch.setattr(
        broker_module,
        "assess",
        lambda facts, denied, seconds: genuine(facts, denied | {"read_hidden": False}),
    )
    submission = Submission("x", solutions, {})
    with Broker(course.policy) as broker:
        broker.start()
        with pytest.raises(
            IsolationError, match="and yet could do what that excludes: read_hidden"
        ):
            grade(course, submission, broker, seed=1, fit="off")


def test_a_module_that_fails_at_import_has_run_and_the_report_says_where(course, broker):
    report = grade(course, submission_of("1 / 0"), broker, seed=1, fit="off", only=["linear"])
    assert report.isolation.level in isolation.LEVELS


@pytest.mark.parametrize("imports", [(), ("wave",)])
def test_where_no_file_can_be_opened_a_course_says_what_else_is_imported(course, imports):
    source = "import wave\n" + (ROOT / "solutions" / "linear.py").read_text()
    with Broker(course.policy, require="B", without=LESS["B"], imports=imports) as broker:
        submission = Submission("x", {"linear": source.encode()}, {})
        report = grade(course, submission, broker, seed=1, fit="off", only=["linear"])
    assert report.score == 20
    assert bool(report.modules[0].note) == (not imports)


# The command line


@pytest.fixture
def weak_machine(monkeypatch):
    for module in (broker_module, doctor):
        monkeypatch.setattr(module, "Broker", partial(Broker, without=MECHANISMS))


def run(*arguments):
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def test_a_weak_machine_is_refused(weak_machine, tmp_path):
    report = tmp_path / "report.json"
    result = run("grade", ROOT / "solutions", "--fit", "off", "--json", report)
    assert isinstance(result.exception, IsolationError)
    assert "tower doctor" in str(result.exception)
    assert not report.exists()


def test_a_weak_machine_may_be_allowed_and_every_result_says_so(weak_machine, tmp_path):
    outputs = {name: tmp_path / f"report.{name}" for name in ("json", "junit", "html")}
    options = [part for name, path in outputs.items() for part in (f"--{name}", path)]
    result = run(
        "grade",
        ROOT / "solutions",
        "--only",
        "linear",
        "--fit",
        "off",
        "--allow-weak-isolation",
        *options,
    )
    assert result.exception is None
    for text in (result.output, *(path.read_text() for path in outputs.values())):
        assert "not forge-proof" in text


def test_contradicting_options_are_refused():
    result = run("grade", "x", "--allow-weak-isolation", "--require-isolation", "A")
    assert "contradict" in str(result.exception)
    unknown = run("grade", "x", "--require-isolation", "E")
    assert "'E' is not one of 'A+', 'A', 'B', 'C'." in unknown.output


def test_every_level_that_may_be_required_is_a_choice():
    assert (*get_args(_options.Level), isolation.WEAK) == isolation.LEVELS


def test_the_doctor_says_what_there_is_and_what_to_do(weak_machine):
    result = run("doctor")
    assert result.exit_code == 1
    for name in ("Landlock", "seccomp", "user id", "namespaces", "libseccomp", "not forge-proof"):
        assert name in result.output


def test_the_doctor_finds_this_machine_fit():
    result = run("doctor")
    assert result.exit_code == 0, result.output
    assert "Isolation " in result.output


WITHOUT_LINUX = """
import sys, sysconfig, torch
sysconfig.get_config_vars()
sys.platform = "darwin"
for name in ("fcntl", "resource"):
    sys.modules[name] = None
from autograder import cli
sys.argv = ["tower", *{arguments}]
cli.main()
"""


def without_linux(*arguments):
    code = WITHOUT_LINUX.format(arguments=list(arguments))
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)


def test_without_linux_grading_says_what_it_needs():
    result = without_linux("grade", "solutions")
    assert result.returncode == 2
    assert "Linux" in result.stderr
    assert "container" in result.stderr
    assert "Traceback" not in result.stderr


def test_without_linux_the_public_tests_work(tmp_path):
    for folder in ("assignments", "solutions"):
        shutil.copytree(ROOT / folder, tmp_path, dirs_exist_ok=True)
    result = without_linux("check", "linear", "--in", str(tmp_path))
    assert result.returncode == 0, result.stdout + result.stderr
    assert "12 of 12" in result.stdout
    assert without_linux("check", "linear", "--in", "assignments").returncode == 1


# The filter of system calls


def outcome(instructions, number, architecture, arguments=()):
    """What the filter returns for one system call: an interpreter of the kernel's classic BPF."""
    data = struct.pack("=iIQ6Q", number, architecture, 0, *arguments, *[0] * (6 - len(arguments)))
    accumulator = position = 0
    while True:
        code, on_true, on_false, k = struct.unpack_from("HBBI", instructions, 8 * position)
        position += 1
        match code:
            case 0x20:
                accumulator = struct.unpack_from("=I", data, k)[0]
            case 0x54:
                accumulator &= k
            case 0x05:
                position += k
            case 0x15:
                position += on_true if accumulator == k else on_false
            case 0x25:
                position += on_true if accumulator > k else on_false
            case 0x35:
                position += on_true if accumulator >= k else on_false
            case 0x06:
                return k
            case _:
                raise AssertionError(f"instruction {code:#x}")


ALLOW, EPERM, ENOSYS, PRETENDED, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x00050000, 0x80000000
# Numbers from the kernel's own tables, for calls whose numbers differ between the two.
ARCHITECTURES = {
    "x86_64": (
        0xC000003E,
        {
            "openat": 257,
            "socket": 41,
            "kill": 62,
            "fcntl": 72,
            "clone": 56,
            "ptrace": 101,
            "prctl": 157,
            "prlimit64": 302,
            "execve": 59,
            "unlinkat": 263,
            "read": 0,
        },
    ),
    "aarch64": (
        0xC00000B7,
        {
            "openat": 56,
            "socket": 198,
            "kill": 129,
            "fcntl": 25,
            "clone": 220,
            "ptrace": 117,
            "prctl": 167,
            "prlimit64": 261,
            "execve": 221,
            "unlinkat": 35,
            "read": 63,
        },
    ),
}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_filter_allows_what_is_needed_and_nothing_else(name):
    token, numbers = ARCHITECTURES[name]
    open_filter, sealed = (seccomp.build(sealed=s, architecture=name) for s in (False, True))

    def ask(call, *arguments, instructions=open_filter):
        return outcome(instructions, numbers[call], token, arguments)

    assert ask("openat") == ask("read") == ask("read", instructions=sealed) == ALLOW
    assert ask("openat", instructions=sealed) == EPERM
    for refused in ("socket", "kill", "ptrace", "execve"):
        assert ask(refused) == EPERM
    assert ask("unlinkat") == PRETENDED
    assert ask("clone", 0x3D0F00) == ALLOW  # what pthread_create asks for
    assert ask("clone", 0x01200011) == EPERM  # what fork asks for
    assert ask("fcntl", 3, 2) == ALLOW  # F_SETFD
    f_setown, f_setsig = 8, 10
    assert ask("fcntl", 3, f_setown) == ask("fcntl", 3, f_setsig) == ENOSYS
    assert ask("fcntl", 3, f_setsig | 7 << 32) == ENOSYS
    assert ask("prlimit64", 0, 7, 0) == ALLOW  # its own limits may be asked for
    assert ask("prlimit64", 0, 7, 0x7FFF00000000) == EPERM  # and not set, nor those of others
    assert ask("prlimit64", 1, 7, 0x7FFF00000000) == EPERM
    assert ask("prlimit64", 1, 7, 0) == ENOSYS
    assert ask("prctl", 15) == ALLOW
    assert ask("prctl", 1) == ENOSYS  # PR_SET_PDEATHSIG
    for number in (
        425,
        434,
        435,
        438,
        *range(463, 1000),
    ):  # io_uring, pidfds, clone3, and what is to come
        assert outcome(open_filter, number, token) in (EPERM, ENOSYS)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_foreign_architecture_is_death(name):
    token, numbers = ARCHITECTURES[name]
    instructions = seccomp.build(sealed=False, architecture=name)
    i386, arm = 0x40000003, 0x40000028
    for foreign in {i386, arm, *(t for t, _ in ARCHITECTURES.values())} - {token}:
        assert outcome(instructions, numbers["read"], foreign) == KILL
    if name == "x86_64":  # the x32 interface: the same token, and a bit in the number
        assert outcome(instructions, 0x40000000 | 39, token) == KILL


def test_nothing_is_both_allowed_and_refused():
    assert not set(seccomp.ALLOWED) & set(seccomp.REFUSED)
    assert set(seccomp.OPENING) <= set(seccomp.ALLOWED)
    assert set(seccomp.ONE_OF) <= set(seccomp.REFUSED)


# What is visible


def test_nothing_hidden_lies_under_anything_visible(tmp_path, monkeypatch):
    packages = tmp_path / "site-packages"
    for name in ("torch/lib", "numpy", "kit/suite", "kit/sandbox"):
        (packages / name).mkdir(parents=True)
    (tmp_path / "course").mkdir()
    (packages / "link").symlink_to(packages / "kit")
    sysconfig.get_path("stdlib")  # reads a module of its own from the path
    monkeypatch.setattr(sys, "path", [str(packages), str(tmp_path / "course"), *sys.path])
    hidden = [packages / "kit", tmp_path / "course"]
    shown = [Path(path) for path in visible.visible_paths([str(path) for path in hidden])]
    assert {packages / "torch", packages / "numpy"} <= set(shown)
    for path, secret in itertools.product(shown, hidden):
        assert not secret.is_relative_to(path.resolve())
        assert not path.resolve().is_relative_to(secret)


# Limits


def submission_of(source):
    """A submission that runs this on import, where the class is missing if it fails."""
    text = "class CustomLinear:\n" + textwrap.indent(source, "    ")
    return Submission("x", {"linear": text.encode()}, {})


def first_message(course, broker, source):
    """What the report says of a module that runs `source` when imported."""
    report = grade(course, submission_of(source), broker, seed=1, fit="off", only=["linear"])
    assert report.score == 0
    assert report.faults == ()
    return message(checks_of(report)["linear.forward"])


@pytest.fixture(scope="module")
def small(course):
    """A broker with narrow limits."""
    policy = replace(
        course.policy, memory=2 << 30, scratch=4 << 20, processes=40, open_files=64, output=1 << 20
    )
    with Broker(policy, [course.root]) as broker:
        broker.start()
        yield broker


TOO_MUCH = {
    "memory": ("x = bytearray(3 << 30)", "MemoryError"),
    "shared_memory": ("import mmap\nx = mmap.mmap(-1, 3 << 30)", "Cannot allocate memory"),
    "memory_of_a_tensor": ("import torch\nx = torch.ones(1 << 29, dtype=torch.float64)", "memory"),
    "one_big_file": ("open('x', 'wb').write(bytes(8 << 20))", "File too large"),
    "a_file_that_is_reserved": (
        "import os\nos.posix_fallocate(os.open('x', 66), 0, 1 << 30)",
        "not implemented",
    ),
    "many_files": (
        "for i in range(100_000):\n    open(f'{i}', 'wb').write(bytes(1 << 16))",
        "wrote more than 4,194,304 bytes|No space left on device",
    ),
    "many_empty_files": (
        "for i in range(10**7): open(f'{i}', 'wb')",
        "wrote more than 4,194,304 bytes|No space left on device",
    ),
    "nested_folders": (
        "import os\nwhile True:\n    os.mkdir('a')\n    os.chdir('a')",
        "wrote more than 4,194,304 bytes|No space left on device",
    ),
    "a_folder_that_hides_its_content": (
        "import os\nos.mkdir('a')\nos.mkdir('b', 0)\nos.listdir('b')\nos.mkdir('b/c')\n"
        "while True: pass",
        "wrote more|Permission denied|Operation not permitted",
    ),
    "files_that_are_removed_and_stay_open": (
        "import os\nx = []\n"
        "for i in range(50):\n"
        "    x.append(open(f'{i}', 'wb'))\n    os.unlink(f'{i}')\n    x[-1].write(bytes(1 << 20))\n",
        "wrote more than 4,194,304 bytes|No space left on device",
    ),
    "temporary_files": (
        "import tempfile\nx = []\n"
        "while True:\n    x.append(tempfile.TemporaryFile())\n    x[-1].write(bytes(1 << 20))",
        "wrote more than 4,194,304 bytes|No space left on device",
    ),
    "descriptors": ("import os\nfor _ in range(100): os.dup(1)", "Too many open files"),
    "threads": (
        "import threading, time\nthreading.stack_size(65536)\n"
        "for _ in range(5000): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
        "can't start new thread",
    ),
    "processes": ("import os\nos.fork()", "not permitted"),
    "output": (
        "import os\nwhile True: os.write(1, b'y' * 1000)",
        "printed more than 1,048,576 bytes",
    ),
    "cpu_limit_lowered": (
        "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass",
        "not allowed",
    ),
    "cpu_limit_raised": (
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40))",
        "not allowed|Operation not permitted|not permitted",
    ),
}


@pytest.mark.parametrize("what", TOO_MUCH)
def test_too_much_ends_in_a_sentence(course, small, what):
    source, expected = TOO_MUCH[what]
    message = first_message(course, small, source)
    assert any(part in message for part in expected.split("|")), message
    with small.worker() as worker:
        assert worker.isolation.level != "D"


@pytest.mark.parametrize("what", ["threads", "many_files", "temporary_files", "nested_folders"])
def test_too_much_ends_without_namespaces_too(course, what):
    """There the fork server looks, and kills."""
    policy = replace(course.policy, scratch=4 << 20, processes=40)
    with Broker(policy, [course.root], without=("namespaces", "uid")) as broker:
        broker.start()
        source = TOO_MUCH[what][0] + "\nwhile True: pass"
        message = first_message(course, broker, source)
    assert "did not finish in time" not in message


def test_the_folder_is_cleared_away(course, small):
    first_message(course, small, TOO_MUCH["nested_folders"][0])
    assert list(small._scratch.glob("worker-*")) == []


def test_processor_time_is_limited(course):
    policy = replace(course.policy, cpu_seconds=1)
    with Broker(policy) as broker:
        broker.start()
        message = first_message(course, broker, "while True: pass")
    assert "The process ended before it answered" in message


def test_what_is_allowed_works(course, broker):
    """Files in one's own folder, threads, time, and all of torch that a module could want."""
    source = """
        import pathlib, tempfile, threading, time, torch, statistics, zoneinfo, json
        pathlib.Path("notes.txt").write_text("remember")
        assert pathlib.Path("notes.txt").read_text() == "remember"
        torch.save({"w": torch.ones(3)}, "w.pt")
        assert torch.load("w.pt")["w"].sum() == 3
        with tempfile.TemporaryDirectory() as folder, open(folder + "/x", "w") as file: file.write("x")
        with tempfile.TemporaryFile() as file: file.write(b"x")
        with tempfile.NamedTemporaryFile() as file: file.write(b"x")
        thread = threading.Thread(target=time.sleep, args=(0.01,))
        thread.start(); thread.join()
        torch.set_num_threads(2)
        model = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.Flatten(), torch.nn.Linear(4 * 36, 2))
        model(torch.randn(8, 1, 8, 8)).sum().backward()
        torch.optim.Adam(model.parameters()).step()
        torch.jit.script(torch.nn.ReLU())(torch.ones(2))
        torch.func.vmap(torch.sin)(torch.ones(3))
        raise ValueError("all of it worked")
    """
    assert "all of it worked" in first_message(course, broker, textwrap.dedent(source))


# Over a thousand checks


def resident_bytes():
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what is free is not held
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * resource.getpagesize()


ASKED_BEFORE = """
import importlib.util, sys, tempfile
spec = importlib.util.spec_from_file_location("zygote", {zygote!r})
zygote = importlib.util.module_from_spec(spec)
spec.loader.exec_module(zygote)
tempfile.gettempdir()
sys.argv[0] = {zygote!r}
zygote.main()
"""


def test_a_library_that_asked_for_the_temporary_folder_before_the_fork_changes_nothing(
    course, tmp_path, monkeypatch
):
    """As dill does at its import, which torch loads where it is installed."""
    script = tmp_path / "zygote.py"
    script.write_text(ASKED_BEFORE.format(zygote=str(broker_module.ZYGOTE)))
    monkeypatch.setattr(broker_module, "ZYGOTE", script)
    source = "import os, tempfile\nraise ValueError(tempfile.gettempdir() == os.getcwd())"
    with Broker(course.policy) as broker:
        assert "ValueError: True" in first_message(course, broker, source)


@pytest.mark.timeout(600)
def test_a_thousand_checks_leave_nothing_behind(course, solutions):
    """Memory stays flat; no descriptor, process or file is left."""
    modules = ["gradient_loop", "linear", "kaiming_init"]
    submission = Submission("x", solutions, {})
    descriptors = len(os.listdir("/proc/self/fd"))
    with Broker(course.policy, [course.root]) as broker:
        broker.start()

        def run_checks(count):
            done = 0
            while done < count:
                report = grade(course, submission, broker, seed=done, fit="off", only=modules)
                done += len(checks_of(report))
                assert report.score == report.max_score
            return done

        run_checks(200)  # caches fill
        before = resident_bytes()
        assert run_checks(1000) >= 1000
        grown = resident_bytes() - before
        # One is the zygote, behind the process that waits for it where it has its own namespaces.
        assert len(descendants_left(broker._zygote.pid, allowed=1)) <= 1
        assert list(broker._scratch.glob("worker-*")) == []
        folder = broker.folder
    assert grown < 8 << 20
    assert not folder.exists()
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_the_size_of_a_folder_counts_everything(tmp_path):
    assert scratch.size(str(tmp_path), 1 << 30) == 0
    (tmp_path / "a").write_bytes(bytes(100_000))
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c").write_bytes(bytes(1_000_000))
    (tmp_path / "d").symlink_to("/usr")
    assert 1_100_000 <= scratch.size(str(tmp_path), 1 << 30) <= 1_200_000
    assert scratch.size(str(tmp_path), 50_000) > 50_000


KILLED = """
import os, signal, sys, time
from pathlib import Path
from autograder.broker import Broker
from autograder.course import course_root, load_course

course = load_course(course_root())
broker = Broker(course.policy, require="D", without={without!r})
worker = broker.worker()
print(broker.folder, broker._zygote.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("without", [(), MECHANISMS], ids=["locked", "bare"])
def test_a_grader_that_is_killed_leaves_no_process_and_no_file(without):
    result = subprocess.run(
        [sys.executable, "-c", KILLED.format(without=without)], capture_output=True, text=True
    )
    assert result.returncode == -9, result.stderr
    folder, zygote = result.stdout.split()
    pid = int(zygote)
    deadline = time.monotonic() + 20
    while (Path(folder).exists() or is_alive(pid)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(folder).exists()
    assert not is_alive(pid)


MOMENTS = {
    "while torch is imported": lambda broker: None,
    "before an answer is read": lambda broker: select.select([broker._control], [], []),
    "after a worker": lambda broker: broker.worker().close(),
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("without", [(), MECHANISMS], ids=["locked", "bare"])
def test_a_socket_that_closes_without_a_farewell_is_a_dead_grader(course, without, moment):
    """Even if the process is still the parent: the kernel closes a dying process's files first."""
    with Broker(course.policy, require="D", without=without) as broker:
        broker.start()
        MOMENTS[moment](broker)
        broker._control.close()
        broker._zygote.wait(60)
        assert not broker.folder.exists()


@pytest.mark.parametrize("without", [(), MECHANISMS], ids=["locked", "bare"])
def test_a_fork_server_that_is_told_to_end_leaves_the_graders_files(course, without):
    with Broker(course.policy, require="D", without=without) as broker:
        broker.worker().close()
        broker._stop_zygote()
        assert broker.folder.exists()
        broker.worker().close()
