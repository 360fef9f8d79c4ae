"""What this machine gives to keep student code apart, found by trying, and what to do for more."""

import os
import platform
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.broker import Broker
from autograder.course import Course
from autograder.errors import GraderFault
from autograder.gpu import reason_against
from autograder.isolation import PROBES, WEAK, Isolation
from autograder.selftest import examine as self_test
from tower_student import doctor
from tower_student.language import mark, plural, tr

_TITLES = {
    "landlock": "Landlock",
    "seccomp": "seccomp",
    "uid": mark("user id of its own"),
    "namespaces": mark("namespaces of its own"),
}
_GIVES = {
    "landlock": mark("files, ports and signals are denied by the kernel"),
    "seccomp": mark("system calls a submission needs, and no others"),
    "uid": mark("workers run as users that own nothing"),
    "namespaces": mark("workers see no other file, process or network"),
}
_ADVICE = {
    "landlock": mark(
        "Linux 5.13 or newer with landlock among its security modules (lsm= on the kernel's command line). "
        "Without it a submission cannot open any file, its own included."
    ),
    "seccomp": mark(
        "Install libseccomp: the package libseccomp2 of Debian and Ubuntu, libseccomp elsewhere."
    ),
    "uid": mark(
        "Run the grader as root, in a container with the capabilities SETUID, SETGID and KILL, and with "
        "Python outside /root."
    ),
    "namespaces": mark(
        "Allow user namespaces (sysctl kernel.apparmor_restrict_unprivileged_userns=0 on Ubuntu). In a "
        "container a user id of its own does as well."
    ),
}
GPU_ADVICE = mark(
    "For --device cuda: NVIDIA's driver, a build of torch with CUDA, and in a container --gpus all."
)
NO_GPU_NEEDED = mark(
    "There is nothing to do if you grade on the CPU: what needs a GPU is not verified then."
)
SELF_TEST_ADVICE = mark(
    "Nothing can be graded here until this is fixed: a fault of the machine or of the kit, never of a "
    "submission. docs/versions.md lists the versions of Python and torch that were tried."
)


@dataclass(frozen=True)
class Finding(doctor.Finding):
    """One line of the diagnosis.

    Attributes:
        is_self_test: whether it is a part of the grader's self-test.
    """

    is_self_test: bool = False


@dataclass(frozen=True)
class Diagnosis:
    """The level of isolation that this machine gives, what it consists of, and the grader's self-test."""

    level: str
    detail: str
    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        """Whether the grader passes its self-test here."""
        return not any(f.state == "bad" and f.is_self_test for f in self.findings)


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
            findings.append(Finding(tr(title), "good", tr(_GIVES[name])))
        else:
            advice = "" if name in enough else tr(_ADVICE[name])
            findings.append(Finding(tr(title), "missing", _reason(reasons[name]), advice))
    return findings


def _reason(said: str) -> str:
    """What the fork server says of a mechanism, before any submission: a sentence, or one with details."""
    sentence, colon, details = said.partition(": ")
    return f"{tr(sentence)}{colon}{details}"


def _probes(found: Isolation) -> Finding:
    title = tr("attempts of a worker")
    names = {name: tr(PROBES[name]) for name in sorted(found.denied)}
    possible = [names[name] for name in names if not found.denied[name]]
    if not possible:
        text = tr(
            "all denied: {attempts}; lockdown and attempts took {time:.1f} ms",
            attempts=", ".join(names.values()),
            time=1000 * found.seconds,
        )
        return Finding(title, "good", text)
    text = tr(
        "{denied} of {total} denied; possible: {possible}",
        denied=len(names) - len(possible),
        total=len(names),
        possible=", ".join(possible),
    )
    return Finding(title, "bad" if found.level == WEAK else "missing", text)


def _self_test(broker: Broker, *, gpu: bool = False) -> list[Finding]:
    """What a worker answers to the questions of the grader's self-test, part by part."""
    return [
        Finding(
            tr("self-test: {part}", part=answer.kind),
            "bad" if answer.wrong else "good",
            answer.wrong or tr("answered rightly, in {time:.1f} ms", time=1000 * answer.seconds),
            tr(SELF_TEST_ADVICE) if answer.wrong else "",
            is_self_test=True,
        )
        for answer in self_test(broker, gpu=gpu)
    ]


def _gpu(course: Course) -> list[Finding]:
    """The GPU, started in a worker as a grading does it."""
    title = tr("GPU")
    if reason := reason_against():
        return [Finding(title, "missing", reason, f"{tr(GPU_ADVICE)} {tr(NO_GPU_NEEDED)}")]
    try:
        with Broker(course.policy, [course.root], require=WEAK, gpu=True) as broker:
            broker.start()
            with broker.worker(gpu=True):
                gpu = broker.gpu
            tested = _self_test(broker, gpu=True)
    except GraderFault as fault:
        return [Finding(title, "bad", str(fault), tr(GPU_ADVICE))]
    advice = []
    if not gpu["is_compiled_for"]:
        advice.append(
            tr(
                "torch has no machine code for this GPU and compiles what it needs at every start, which can "
                "take minutes: install a build for it, or raise limits.gpu_seconds."
            )
        )
    if gpu["is_exclusive"]:
        advice.append(
            tr(
                "Its compute mode lets in one process alone, so grade with --processes 1, or run "
                "`nvidia-smi --compute-mode DEFAULT`."
            )
        )
    found = Finding(
        title,
        "missing" if advice else "good",
        tr(
            "{name}, {memory:.0f} GiB, compute capability {capability}, CUDA {cuda}, cuDNN {cudnn}; starting "
            "it in a worker took {seconds:.1f} s; a worker may take {most:.1f} GiB of it; dtypes: {dtypes}",
            name=gpu["name"],
            memory=gpu["memory"] / 2**30,
            capability=gpu["capability"],
            cuda=gpu["cuda"],
            cudnn=gpu["cudnn"],
            seconds=gpu["seconds"],
            most=course.policy.gpu_memory / 2**30,
            dtypes=", ".join(gpu["dtypes"]),
        ),
        " ".join(advice),
    )
    return [found, *tested]


def _machine(course: Course) -> list[Finding]:
    space = doctor.space(
        tr("space for temporary files"),
        Path(tempfile.gettempdir()),
        tr("Free some space, or name another folder with TMPDIR."),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    enough_memory = memory >= course.policy.memory
    return [
        Finding(
            tr("system"),
            "good",
            plural(
                "Linux {release}, {machine}, {count} core",
                "Linux {release}, {machine}, {count} cores",
                os.cpu_count() or 1,
                release=platform.release(),
                machine=platform.machine(),
            ),
        ),
        Finding(
            "Python",
            "good",
            tr("{version} at {path}", version=platform.python_version(), path=sys.executable),
        ),
        Finding(
            tr("memory"),
            "good" if enough_memory else "missing",
            tr(
                "{size:.1f} GiB; a worker may take {most:.1f}",
                size=memory / 2**30,
                most=course.policy.memory / 2**30,
            ),
            "" if enough_memory else tr("Lower limits.memory in course.toml."),
        ),
        Finding(**vars(space)),
    ]


def show(diagnosis: Diagnosis, console: Console) -> None:
    """Print the diagnosis as a table, the level below it."""
    table = Table(title=tr("This machine"), title_justify="left", title_style="bold")
    table.add_column("")
    table.add_column(tr("what"))
    table.add_column(tr("here"), ratio=1, overflow="fold")
    table.add_column(tr("for more"), ratio=1, overflow="fold")
    for finding in diagnosis.findings:
        row = Text(finding.title, "bold"), Text(finding.found), Text(finding.advice, "cyan")
        table.add_row(Text(*doctor.MARKS[finding.state]), *row)
    console.print(table)
    style = "bold red" if diagnosis.level == WEAK else "bold green"
    level = tr("Isolation {level}:", level=diagnosis.level)
    console.print(Text(f"{level} ", style) + Text(diagnosis.detail))
    if diagnosis.level == WEAK:
        console.print(
            tr(
                "Grading is refused here. --allow-weak-isolation grades all the same, for submissions you "
                "trust."
            )
        )
