"""What this machine gives to keep student code apart, found by trying, and what to do for more."""

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.broker import Broker
from autograder.course import Course
from autograder.errors import GraderFault
from autograder.gpu import reason_against
from autograder.sandbox.ladder import WEAK, Isolation
from autograder.selftest import examine as self_test

_TITLES = {
    "landlock": "Landlock",
    "seccomp": "seccomp",
    "uid": "user id of its own",
    "namespaces": "namespaces of its own",
}
_GIVES = {
    "landlock": "files, ports and signals are denied by the kernel",
    "seccomp": "system calls a submission needs, and no others",
    "uid": "workers run as users that own nothing",
    "namespaces": "workers see no other file, process or network",
}
_ADVICE = {
    "landlock": "Linux 5.13 or newer with landlock among its security modules (lsm= on the kernel's "
    "command line). Without it a submission cannot open any file, its own included.",
    "seccomp": "Install libseccomp: the package libseccomp2 of Debian and Ubuntu, libseccomp elsewhere.",
    "uid": "Run the grader as root, in a container with the capabilities SETUID, SETGID and KILL, and with "
    "Python outside /root.",
    "namespaces": "Allow user namespaces (sysctl kernel.apparmor_restrict_unprivileged_userns=0 on "
    "Ubuntu). In a container a user id of its own does as well.",
}
GPU_ADVICE = (
    "For --device cuda: NVIDIA's driver, a build of torch with CUDA, and in a container --gpus all."
)
SELF_TEST = "self-test: "
SELF_TEST_ADVICE = (
    "Nothing can be graded here until this is fixed: a fault of the machine or of the kit, never of a "
    "submission. docs/versions.md lists the versions of Python and torch that were tried."
)
_NEEDED_SPACE = 1 << 30


@dataclass(frozen=True)
class Finding:
    """One line of the diagnosis: `state` is "good", "missing" (could be better) or "bad"."""

    title: str
    state: str
    found: str
    advice: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """The level of isolation that this machine gives, what it consists of, and the grader's self-test."""

    level: str
    detail: str
    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        """Whether the grader passes its self-test here."""
        return not any(f.state == "bad" and f.title.startswith(SELF_TEST) for f in self.findings)


def examine(course: Course) -> Diagnosis:
    """Start a worker as a grading does, and see what it can do. Raises GraderFault."""
    with Broker(course.policy, [course.root], require=WEAK, imports=course.imports) as broker:
        broker.start()
        with broker.worker() as worker:
            found, reasons = worker.isolation, broker.reasons
        tested = _self_test(broker)
    findings = [*_mechanisms(found, reasons), _probes(found), *_machine(course), *_gpu(course)]
    return Diagnosis(found.level, found.detail, (*findings, *tested))


def _mechanisms(found: Isolation, reasons: Mapping[str, str]) -> list[Finding]:
    # One of the two is enough for the highest level.
    enough = {"uid", "namespaces"} if found.level == "A+" else set()
    findings = []
    for name, title in _TITLES.items():
        if name not in reasons:
            findings.append(Finding(title, "good", _GIVES[name]))
        else:
            advice = "" if name in enough else _ADVICE[name]
            findings.append(Finding(title, "missing", reasons[name], advice))
    return findings


def _probes(found: Isolation) -> Finding:
    names = {name: name.replace("_", " ") for name in sorted(found.denied)}
    possible = [names[name] for name in names if not found.denied[name]]
    if not possible:
        taken = f"lockdown and attempts took {1000 * found.seconds:.1f} ms"
        return Finding(
            "attempts of a worker", "good", f"all denied: {', '.join(names.values())}; {taken}"
        )
    return Finding(
        "attempts of a worker",
        "bad" if found.level == WEAK else "missing",
        f"{len(names) - len(possible)} of {len(names)} denied; possible: {', '.join(possible)}",
    )


def _self_test(broker: Broker, *, gpu: bool = False) -> list[Finding]:
    """What a worker answers to the questions of the grader's self-test, part by part."""
    return [
        Finding(
            f"{SELF_TEST}{answer.kind}",
            "bad" if answer.wrong else "good",
            answer.wrong or f"answered rightly, in {1000 * answer.seconds:.1f} ms",
            SELF_TEST_ADVICE if answer.wrong else "",
        )
        for answer in self_test(broker, gpu=gpu)
    ]


def _gpu(course: Course) -> list[Finding]:
    """The GPU, started in a worker as a grading does it."""
    title = "GPU"
    if reason := reason_against():
        none = "nothing to do if you grade on the CPU: what needs a GPU is not verified then"
        return [Finding(title, "missing", reason, f"{GPU_ADVICE} There is {none}.")]
    try:
        with Broker(course.policy, [course.root], require=WEAK, gpu=True) as broker:
            broker.start()
            with broker.worker(gpu=True):
                gpu = broker.gpu
            tested = _self_test(broker, gpu=True)
    except GraderFault as fault:
        return [Finding(title, "bad", str(fault), GPU_ADVICE)]
    advice = []
    if not gpu["is_compiled_for"]:
        advice.append(
            "torch has no machine code for this GPU and compiles what it needs at every start, which can "
            "take minutes: install a build for it, or raise limits.gpu_seconds."
        )
    if gpu["is_exclusive"]:
        advice.append(
            "Its compute mode lets in one process alone, so grade with --processes 1, or run "
            "`nvidia-smi --compute-mode DEFAULT`."
        )
    found = Finding(
        title,
        "missing" if advice else "good",
        f"{gpu['name']}, {gpu['memory'] / 2**30:.0f} GiB, compute capability {gpu['capability']}, CUDA "
        f"{gpu['cuda']}, cuDNN {gpu['cudnn']}; starting it in a worker took {gpu['seconds']:.1f} s; a worker "
        f"may take {course.policy.gpu_memory / 2**30:.1f} GiB of it; dtypes: {', '.join(gpu['dtypes'])}",
        " ".join(advice),
    )
    return [found, *tested]


def _machine(course: Course) -> list[Finding]:
    folder = tempfile.gettempdir()
    space = shutil.disk_usage(folder).free
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    enough_memory = memory >= course.policy.memory
    return [
        Finding(
            "system",
            "good",
            f"Linux {platform.release()}, {platform.machine()}, {os.cpu_count()} cores",
        ),
        Finding("Python", "good", f"{platform.python_version()} at {sys.executable}"),
        Finding(
            "memory",
            "good" if enough_memory else "missing",
            f"{memory / 2**30:.1f} GiB; a worker may take {course.policy.memory / 2**30:.1f}",
            "" if enough_memory else "Lower limits.memory in course.toml.",
        ),
        Finding(
            "room for temporary files",
            "good" if space >= _NEEDED_SPACE else "bad",
            f"{space / 2**30:.1f} GiB in {folder}",
            "" if space >= _NEEDED_SPACE else "Make room, or name another folder with TMPDIR.",
        ),
    ]


def show(diagnosis: Diagnosis, console: Console) -> None:
    """Print the diagnosis as a table, the level below it."""
    marks = {
        "good": Text("✓", "green"),
        "missing": Text("–", "yellow"),
        "bad": Text("✗", "bold red"),
    }
    table = Table(title="This machine", title_justify="left", title_style="bold")
    table.add_column("")
    table.add_column("what")
    table.add_column("here", ratio=1, overflow="fold")
    table.add_column("for more", ratio=1, overflow="fold")
    for finding in diagnosis.findings:
        row = Text(finding.title, "bold"), Text(finding.found), Text(finding.advice, "cyan")
        table.add_row(marks[finding.state], *row)
    console.print(table)
    style = "bold red" if diagnosis.level == WEAK else "bold green"
    console.print(Text(f"Isolation {diagnosis.level}: ", style) + Text(diagnosis.detail))
    if diagnosis.level == WEAK:
        console.print(
            "Grading is refused here. --allow-weak-isolation grades all the same, for submissions you trust."
        )
