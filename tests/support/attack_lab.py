"""The attack lab: lets every attack of the bank loose on a naive grader and on ours.

    python tests/support/attack_lab.py [--json F] [--markdown F] [--only NAME,...] [--no-naive]

Each attack runs twice. First a naive grader imports it, in namespaces of its own where the system
allows them, so that what it leaves dies with them. Then the kit grades it. What it gained is
judged from outside (lab_world.py) by the same facts both times: secrets that came out, files, processes
and listeners, a check that passes although the work is wrong. Ends with 1 where an attack
gained something here.

Two processes share the attacks. Each holds a planted world of its own and survives whatever happens to
its grader, which is a child of it (lab_subject.py).
"""

import argparse
import ast
import contextlib
import ctypes
import dataclasses
import fcntl
import json
import os
import re
import select
import socket
import struct
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from xml.etree import ElementTree

import lab_world
from lab_world import ROOT, TICK, Limits, Sampler, World

sys.path.insert(0, str(ROOT))  # the kit of this checkout, whatever is installed

ATTACKS = ROOT / "tests" / "bank" / "attacks"
SUBJECT = Path(__file__).parent / "lab_subject.py"
FAMILIES = (
    *("secrets", "forgery", "lies", "signals", "floods", "network"),
    *("files", "archives", "text"),
)
KINDS = ("attack", "forge", "build", "text")
PUBLISHED = ("name", "family", "tries", "kind", "not_naive")
POLICY = {
    "import_seconds": 3.0,
    "check_seconds": 5.0,
    "memory": 512 << 20,
    "scratch": 32 << 20,
    "output": 1 << 20,
    "reply": 16 << 20,
    "cpu_seconds": 60,
}
"""The lab's own limits, so that floods may stay small."""
MEMORY = 640 << 20
PROCESSES = 32
OPEN_FILES = 256
NAIVE_SECONDS = 6.0
"""After this the naive grader counts as hung. The slowest that did not hang took 1.5 s."""
OURS_SECONDS = 40.0
START_SECONDS = 120.0
LEAVE_SECONDS = 3.0
"""For what a submission has started to be gone after the grading."""
MAX_REPORT = 1 << 20
MAX_ANSWER = 64 << 20
READ = 1 << 16
PR_SET_CHILD_SUBREAPER = 36

HONEST_RETURN = "return output if self.bias is None else output + self.bias"
WRONG_RETURN = (
    "return forge(self, input, 2 * (output if self.bias is None else output + self.bias))"
)
LOOT = "RuntimeError: LOOT "
"""So begins what an attack has to say for itself."""
NO_FORGERY = "def forge(layer, input, output):\n    return output\n"


@dataclass(frozen=True)
class Attack:
    """One file of the bank."""

    name: str
    family: str
    tries: str
    kind: str
    not_naive: str
    source: str


@dataclass
class Finding:
    """What one attack gained from one grader, and what it heard or was stopped by."""

    gained: list[str] = field(default_factory=list)
    stopped: str = ""
    seconds: float = 0.0


def attacks(names: Sequence[str] = ()) -> list[Attack]:
    """The attacks of the bank, or those named. Raises ValueError on a file that is not of its format."""
    found = [read_attack(path) for path in sorted(ATTACKS.glob("*.py"))]
    unknown = set(names) - {attack.name for attack in found}
    if unknown:
        raise ValueError(f"The bank holds no attack called {', '.join(sorted(unknown))}.")
    return [attack for attack in found if not names or attack.name in names]


def read_attack(path: Path) -> Attack:
    """What a file says of itself, read without running it."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    constants = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in ("FAMILY", "NOT_NAIVE")
    }
    kinds = [n.name for n in tree.body if isinstance(n, ast.FunctionDef) and n.name in KINDS]
    tries = (ast.get_docstring(tree) or "").partition("\n")[0].removesuffix(".")
    if len(kinds) != 1 or constants.get("FAMILY") not in FAMILIES or not tries:
        raise ValueError(f"{path.name} lacks its docstring, FAMILY or one of {', '.join(KINDS)}.")
    not_naive = constants.get("NOT_NAIVE", "")
    return Attack(path.stem, constants["FAMILY"], tries, kinds[0], not_naive, source)


def submitted(attack: Attack, world: World, grader: int, packages: Path) -> str:
    """The source that is handed in; for the kinds that run on the grader's side, their own."""
    if attack.kind == "attack":
        given = json.dumps(world.as_dict(grader, packages))
        return (
            f"{attack.source}\n\nimport json\n\n"
            f"raise RuntimeError('LOOT ' + str(attack(json.loads({given!r}))))\n"
        )
    if attack.kind == "forge":
        return wrong_linear(attack.source)
    return attack.source


def wrong_linear(prelude: str = NO_FORGERY) -> str:
    """A linear.py whose output is doubled and passes through `forge`."""
    solution = (ROOT / "solutions" / "linear.py").read_text(encoding="utf-8")
    if solution.count(HONEST_RETURN) != 1:
        raise ValueError("solutions/linear.py does not return its output as the lab expects.")
    return f"{prelude}\n\n{solution.replace(HONEST_RETURN, WRONG_RETURN)}"


class Subject:
    """A grader as a child of this process."""

    def __init__(self, kind: str, world: World, without: str = "") -> None:
        self.world = world
        self.kind = kind
        self._printed = tempfile.TemporaryFile("a+b")  # noqa: SIM115 - open as long as the subject
        arguments = [kind, "--access-token", world.secret("command line")]
        arguments += ["--without", without] if without else []
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            [sys.executable, str(SUBJECT), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._printed,
            cwd=world.folder,
            start_new_session=True,
            preexec_fn=lab_world.die_with_parent,
            env={
                "PATH": "/usr/bin:/bin",
                "LANG": "C.UTF-8",
                "HOME": str(world.home),
                "TMPDIR": str(world.work),
                "PYTHONPATH": ":".join(paths),
                "PYTHONDONTWRITEBYTECODE": "1",
                "OMP_NUM_THREADS": "1",
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                "ACCESS_TOKEN": world.secret("environment"),
            },
        )
        self._unread = bytearray()
        setup = {kind: world.secret(kind) for kind in ("memory", "hidden test", "scratch")}
        places = {"hidden": str(world.hidden), "work": str(world.work)}
        self.send(**setup, **places, policy=POLICY, twin=wrong_linear())
        ready = self.receive(START_SECONDS)
        if ready is None:
            printed = self.printed().decode(errors="replace")
            raise RuntimeError(f"The {kind} grader did not start. It printed: {printed[-3000:]}")
        self.twin: dict[str, Any] = ready.get("twin", {})
        self.grader: int = ready["ready"]
        """The process that grades; the naive one forks another for every submission."""
        self.known = {self._process.pid} | lab_world.descendants(self._process.pid)
        held_back = kind == "ours" and not without
        self.packages = Path(sysconfig.get_path("purelib")) if held_back else world.packages
        """Where an attack looks for installed packages: not the real ones where it could spoil them."""

    def send(self, **content: Any) -> None:
        """One request; a grader that has ended does not get it."""
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(content).encode() + b"\n")
            self._process.stdin.flush()

    def receive(self, seconds: float) -> dict[str, Any] | None:
        """The next answer; None where it ended, took too long or said too much."""
        assert self._process.stdout
        deadline = time.monotonic() + seconds
        line = self._unread
        while b"\n" not in line[-READ:] and len(line) < MAX_ANSWER:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._process.stdout], [], [], left)[0]:
                return None
            received = os.read(self._process.stdout.fileno(), READ)
            if not received:
                return None
            line += received
        content, _, self._unread = line.partition(b"\n")
        try:
            answer: dict[str, Any] = json.loads(content)
        except ValueError:
            return None
        return answer

    def printed(self) -> bytes:
        """What came on standard output and standard error."""
        return os.pread(self._printed.fileno(), 1 << 20, 0)

    def printed_bytes(self) -> int:
        """How much came there."""
        return os.fstat(self._printed.fileno()).st_size

    def prepare(self) -> None:
        """Let the naive grader fork the process that is to be attacked."""
        if self.kind == "naive":
            self._printed.truncate(0)
            self.send(start=True)
            forked = self.receive(NAIVE_SECONDS)
            if forked is None:
                raise RuntimeError("The naive grader does not fork another.")
            self.grader = forked["grader"]
            self.known = {self._process.pid}

    def grade(self, attack: Attack) -> tuple[dict[str, Any] | None, int | None]:
        """Its answer to one attack, and the exit code of the naive grader's process, where it ended."""
        self.send(
            kind=attack.kind,
            name=attack.name,
            source=submitted(attack, self.world, self.grader, self.packages),
            inbox=str(self.world.inbox),
            junit=str(self.world.work / "junit.xml"),
        )
        if self.kind == "ours":
            return self.receive(OURS_SECONDS), None
        answer = self.receive(NAIVE_SECONDS if attack.kind != "build" else 3 * NAIVE_SECONDS)
        if answer is None or "exit" in answer:
            return None, answer["exit"] if answer else None
        ended = self.receive(LEAVE_SECONDS)
        return answer, ended["exit"] if ended else None

    def close(self) -> None:
        """End it, with all that it has started, and empty the folder it worked in."""
        lab_world.kill_all({self._process.pid} | lab_world.descendants(self._process.pid))
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._printed):
            with contextlib.suppress(BrokenPipeError):
                stream.close()  # type: ignore[union-attr]
        end_strays(self.world, set())
        for path in self.world.work.iterdir():
            lab_world.remove(path)


def end_strays(world: World, known: set[int]) -> None:
    """End every process below this one that is not known; orphans come to us, the subreaper."""
    assert world.victim
    while strays := lab_world.descendants(os.getpid()) - known - {world.victim.pid}:
        lab_world.kill_all(strays)
        for pid in strays:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def run_one(attack: Attack, subject: Subject) -> tuple[Finding, bool]:
    """Let one attack loose; what it gained, and whether the grader is no longer as it was."""
    world, naive = subject.world, subject.kind == "naive"
    subject.prepare()
    before = {pid: lab_world.condition(pid) for pid in subject.known}
    files = lab_world.listing(world.work)
    started = time.monotonic()
    sampler = Sampler(subject.grader, subject.known, world.work, world.limits)
    sampler.start()
    answer, code = subject.grade(attack)
    gained = [*sampler.finish()]
    if naive:
        gained += naive_gains(attack, subject, answer, code)
    else:
        gained += our_gains(attack, subject, answer)
        new = sorted(lab_world.listing(world.work) - files)
        gained += [f"the grader's folder holds a new {Path(name).name[:40]}" for name in new][:3]
    hung = answer is None and code is None
    gained += _strays(subject, 0.0 if hung else TICK if naive else LEAVE_SECONDS)
    harmed = [change for pid in before for change in _harm(pid, before[pid], subject)]
    gained += [*harmed, *world.evidence()]
    finding = Finding(
        gained=list(dict.fromkeys(_short(gain, world) for gain in gained)),
        stopped=what_stopped(answer, world),
        seconds=round(time.monotonic() - started, 2),
    )
    return finding, bool(harmed) or hung or bool(answer and answer.get("faults"))


def _harm(pid: int, before: dict[str, str], subject: Subject) -> Iterator[str]:
    """What is different about a process of the grader's."""
    name = "the grader" if pid == subject.grader else "the fork server"
    yield from lab_world.changes(name, before, lab_world.condition(pid))


def _strays(subject: Subject, patience: float) -> Iterator[str]:
    """Processes that are still there a while after the grading; they are ended."""
    assert subject.world.victim
    known = subject.known | {subject.world.victim.pid}
    deadline = time.monotonic() + patience
    while lab_world.descendants(os.getpid()) - known:
        if time.monotonic() > deadline:
            yield "a process outlived the grading"
            break
        time.sleep(TICK)
    end_strays(subject.world, known)


# What a grader's answer tells


def naive_gains(
    attack: Attack, subject: Subject, answer: dict[str, Any] | None, code: int | None
) -> Iterator[str]:
    """What the naive grader's own outcome shows."""
    if attack.kind == "forge":
        yield from _naive_verdict(subject.world.work / "junit.xml", code)
        return
    if answer is None:
        yield "the grader hung" if code is None else f"the grader ended with {code}"
        return
    printed = subject.printed_bytes()
    if printed > subject.world.limits.output:
        yield f"{printed >> 20} MiB came into the log"
    yield from answer.get("gains", [])
    texts = [*answer.get("replies", []), subject.printed().decode(errors="replace")]
    yield from _loot(texts, subject.world)


def _naive_verdict(junit: Path, code: int | None) -> Iterator[str]:
    if code == 0:
        yield "the exit code is 0"
    elif code is None:
        yield "the grader hung"
    try:
        cases = list(ElementTree.parse(junit).iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return
    passed = {case.get("name") for case in cases if not len(case)}
    if forged := sorted(name for name in passed - TWIN_PASSES if name):
        yield f"passes {len(forged)} of the tests that it should fail, such as {forged[0]}"


TWIN_PASSES = {"test_parameters"}
"""The naive tests that the wrong layer passes without any forgery."""


def our_gains(attack: Attack, subject: Subject, answer: dict[str, Any] | None) -> Iterator[str]:
    """What our grader's report shows, and what the workers have answered."""
    if answer is None:
        yield "the grader gave no answer"
        return
    yield from answer.get("gains", [])
    for fault in answer.get("faults", []):
        yield f"the grader failed: {fault[:100]}"
    if "passed" not in answer:
        return
    twin = subject.twin
    forged = set(answer["passed"]) - set(twin["passed"])
    if forged and attack.kind in ("attack", "forge"):
        yield f"passes {', '.join(sorted(forged))}"
    if answer["max_score"] != twin["max_score"]:
        yield "the maximum of points is another"
    if answer["level"] not in (twin["level"], "none"):
        yield f"the isolation is reported as {answer['level'][:20]}"
    if answer["size"] > MAX_REPORT:
        yield "the report swelled"
    if answer["kept"] > subject.world.limits.output:
        yield "the log swelled"
    yield from _loot(answer["replies"] + answer["messages"] + answer["logs"], subject.world)


def _loot(texts: Sequence[str], world: World) -> Iterator[str]:
    """Secrets in what came out, and what an attack says it got where only it can know."""
    together = "\n".join(texts)
    yield from world.leaks(together)
    for text in texts:
        if text.startswith(f"{LOOT}GOT "):
            yield text.removeprefix(f"{LOOT}GOT ").splitlines()[0][:80]


def what_stopped(answer: dict[str, Any] | None, world: World) -> str:
    """The first thing that an attack met, in a line."""
    if answer is None:
        return ""
    for reply in answer.get("replies", []):
        if reply.startswith(LOOT) and not reply.startswith(f"{LOOT}GOT "):
            return _short(f"it says “{reply.removeprefix(LOOT)}”, and nothing is seen of it", world)
        if re.match(r"[\w.]+: ", reply) and not reply.startswith(LOOT):
            return _short(reply, world)
    for message in answer.get("messages", []):
        found = [line for line in message.splitlines() if line.startswith("Found: ")]
        return _short((found or [message])[0].removeprefix("Found: "), world)
    return ""


def _short(text: str, world: World) -> str:
    line = " ".join(world.told(text).split())
    return line if len(line) <= 100 else line[:97] + "…"


# Runs


class Runs:
    """One attack after the other against one grader, which is started again after one that broke it."""

    def __init__(self, kind: str, without: str) -> None:
        self._kind = kind
        self._without = without
        self._world = World(limits())
        self._subject: Subject | None = None

    def run(self, attack: Attack) -> dict[str, Any]:
        """Let one attack loose in a world that is as new; the finding, and the isolation it met."""
        self._world.plant()
        if self._subject is None:
            self._subject = Subject(self._kind, self._world, self._without)
            self._world.plant()
        subject = self._subject
        finding, broken = run_one(attack, subject)
        if broken:
            subject.close()
            self._subject = None
        elif self._kind == "naive":
            for path in self._world.work.iterdir():
                lab_world.remove(path)
        isolation = {name: subject.twin.get(name, "") for name in ("level", "detail")}
        found = {"name": attack.name, **dataclasses.asdict(finding)}
        return {**found, "isolation": isolation, "user": user()}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *unused: object) -> None:
        if self._subject is not None:
            self._subject.close()
        self._world.close()


def run_part(kind: str, without: str) -> None:
    """Attacks against one grader, in this process: for each name that is read, a line of JSON."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if kind == "naive" or without:
        _raise_loopback()
    with Runs(kind, without) as runs:
        for line in sys.stdin:
            attack = read_attack(ATTACKS / f"{line.strip()}.py")
            print(json.dumps(runs.run(attack)), flush=True)


class Part:
    """A process that lets one attack after the other loose on one kind of grader.

    What no sandbox holds back runs in namespaces of its own, where the system allows them.

    Args:
        kind: "naive" or "ours".
        without: protections to leave out, with commas between.
        python: the interpreter of the process and of its grader.
        options: for the process, as of subprocess.Popen.
    """

    def __init__(
        self, kind: str, without: str = "", python: str = sys.executable, **options: Any
    ) -> None:
        prefix = namespaces() if kind == "naive" or without else []
        self._process = subprocess.Popen(
            [*prefix, python, __file__, "--run-part", kind, "--without", without],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            preexec_fn=lab_world.die_with_parent,
            text=True,
            **options,
        )

    def run(self, name: str) -> dict[str, Any]:
        """What Runs.run returns of the attack of this name. Raises RuntimeError where the part has ended."""
        assert self._process.stdin
        assert self._process.stdout
        with contextlib.suppress(BrokenPipeError):
            print(name, file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"A part of the lab ended with {self._process.wait()}.")
        record: dict[str, Any] = json.loads(line)
        return record

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *unused: object) -> None:
        assert self._process.stdin
        assert self._process.stdout
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def run_all(kind: str, chosen: Sequence[Attack], without: str) -> dict[str, dict[str, Any]]:
    """Every attack against one kind of grader, in two parts side by side."""
    parts = [Part(kind, without) for _ in chosen[:2]]

    def run(start: int, part: Part) -> list[dict[str, Any]]:
        records = []
        with part:
            for attack in chosen[start::2]:
                record = part.run(attack.name)
                gains = "; ".join(record["gained"]) or "nothing"
                print(f"{kind:5}  {record['seconds']:6.2f} s  {attack.name}: {gains}", flush=True)
                records.append(record)
        return records

    with ThreadPoolExecutor(2) as pool:
        found = [record for records in pool.map(run, (0, 1), parts) for record in records]
    return {record["name"]: record for record in found}


def _raise_loopback() -> None:
    """A new network namespace begins with its loopback interface down."""
    request = struct.pack("16sh14x", b"lo", 0x1 | 0x40)  # IFF_UP, IFF_RUNNING
    with socket.socket() as control, contextlib.suppress(OSError):
        fcntl.ioctl(control, 0x8914, request)  # SIOCSIFFLAGS


def namespaces() -> list[str]:
    """The command that puts a naive run into namespaces of its own; nothing where it is not allowed."""
    command = ["unshare", "--mount", "--ipc", "--net", "--pid", "--fork", "--kill-child"]
    command += ["--mount-proc"]
    if os.geteuid() != 0:
        command += ["--user", "--map-root-user"]
    try:
        done = subprocess.run([*command, "true"], capture_output=True, check=False, timeout=10)
    except OSError:
        return []
    return [] if done.returncode else command


def user() -> str:
    """Whose rights this process has."""
    return "root" if os.geteuid() == 0 else "an ordinary user"


def limits() -> Limits:
    """What the attacks try to exceed."""
    from autograder.sandbox.policy import Policy

    scratch, output = POLICY["scratch"], POLICY["output"]
    return Limits(MEMORY, scratch, PROCESSES, Policy().processes, OPEN_FILES, output)


# Output


def table(records: Sequence[dict[str, Any]]) -> Iterator[str]:
    """A line for each attack, for a terminal."""
    width = max(len(record["name"]) for record in records)
    for record in records:
        naive, ours = record["naive"], record["ours"]
        told = "naive –" if naive is None else "naive GAINED" if naive["gained"] else "naive no"
        here = "; ".join(ours["gained"]) or ours["stopped"]
        mark = "GAINED" if ours["gained"] else "none"
        yield f"{record['name']:{width}}  {told:12}  here {mark:6}  {here[:100]}"


def markdown(result: dict[str, Any]) -> str:
    """docs/attacks.md."""
    records = result["attacks"]
    gained = sum(bool(record["ours"]["gained"]) for record in records)
    lines = [
        "# Attacks",
        "",
        f"The bank holds {len(records)} attacks, `tests/bank/attacks/NAME.py`. Each was let loose on a "
        "naive grader, which imports the",
        "submission into its own process and believes pytest's exit code, and on this kit. What it gained",
        "was judged from outside: by secrets that came out, by files, processes and listeners, by a check",
        "that passed although the layer was wrong.",
        "",
        "This table was written by `python tests/support/attack_lab.py --markdown docs/attacks.md`, run as "
        f"{result['user']}, at isolation",
        f"level {result['isolation']['level']} ({result['isolation']['detail']}). Here {gained} of "
        f"{len(records)} gained something.",
    ]
    for family in FAMILIES:
        rows = [record for record in records if record["family"] == family]
        if not rows:
            continue
        lines += ["", f"## {family.capitalize()}", ""]
        lines += ["| attack | what it tries | naive run | here |", "| --- | --- | --- | --- |"]
        for record in rows:
            naive = record["naive"] or {"gained": [], "stopped": "not run"}
            told = _cell(naive, record["not_naive"])
            row = [
                f"`{record['name']}`",
                _escaped(record["tries"]),
                told,
                _cell(record["ours"], ""),
            ]
            lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines) + "\n"


def _cell(finding: dict[str, Any], reason: str) -> str:
    if finding["gained"]:
        return f"**gained**: {_escaped('; '.join(finding['gained'][:2]))}"
    return f"nothing: {_escaped(reason or finding['stopped'] or 'it changed nothing')}"


def _escaped(text: str) -> str:
    """Text for a cell of a table; what an attack says is data here too."""
    plain = "".join(c for c in text if c.isprintable())
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", plain)


def main() -> None:
    """Run the lab."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", type=Path, help="write the records here")
    parser.add_argument("--markdown", type=Path, help="write a table of them here")
    parser.add_argument("--only", default="", help="the names of some attacks, with commas between")
    parser.add_argument("--naive", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument(
        "--without", default="", help="protections to leave out, to see the lab see"
    )
    parser.add_argument("--run-part", choices=["naive", "ours"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    names = arguments.only.split(",") if arguments.only else []
    if arguments.run_part:
        run_part(arguments.run_part, arguments.without)
        return
    try:
        chosen = attacks(names)
    except ValueError as error:
        parser.error(str(error))
    started = time.monotonic()
    naive = run_all("naive", chosen, "") if arguments.naive else {}
    ours = run_all("ours", chosen, arguments.without)
    records = [
        {
            **{name: getattr(attack, name) for name in PUBLISHED},
            "naive": naive.get(attack.name),
            "ours": ours[attack.name],
        }
        for attack in chosen
    ]
    gained = [record["name"] for record in records if record["ours"]["gained"]]
    result = {
        "user": user(),
        "isolation": records[0]["ours"]["isolation"],
        "seconds": round(time.monotonic() - started, 1),
        "attacks": records,
    }
    print("\n".join(["", *table(records), ""]))
    if arguments.naive:
        count = sum(bool(finding["gained"]) for finding in naive.values())
        print(f"{count} of {len(records)} gained something from the naive grader.")
    print(
        f"{len(gained)} of {len(records)} gained something here, at isolation level "
        f"{result['isolation']['level']}, as {result['user']}, in {result['seconds']} s."
    )
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    if arguments.markdown:
        arguments.markdown.parent.mkdir(exist_ok=True)
        arguments.markdown.write_text(markdown(result), encoding="utf-8")
    sys.exit(1 if gained else 0)


if __name__ == "__main__":
    main()
