"""The versions lab: does every supported Python and torch give the same grades?

    python tests/support/versions_lab.py --kept versions.json --markdown docs/versions.md

Each row of COMBINATIONS gets an environment of its own, with what `pip install` makes of it, which is
deleted again: a build of torch with CUDA takes some 6 GB. In it the solutions (with the whole fit), the
flawed sample and forty mutants are graded, ten attacks are let loose, and the tests of torch's internals
run. Points are compared check by check with those of the first row.

What is found is kept in --kept as it comes; a row that is there is not run again, so that rows can come from
several machines (--only 3.15). Ends with 1 where a row differs.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
SEED = 5
MUTANTS = 40
ATTACKS = (
    *("exit_at_import", "always_equal_tensor", "frame_with_the_real_number", "grader_frames"),
    *("access_hidden_tests", "fork_bomb", "flood_of_output", "busy_threads", "dispatch_mode"),
    "memory_flood",
)


PREFACE = """# Versions

Written by `make versions`; not by hand. The range of torch in pyproject.toml is what this page shows.

Each row is a clean environment as pip makes it. *Addresses* is what a process has mapped after
`import torch`, in GiB; a submission's memory counts from there. *Fit* is the accuracy that the solutions'
Tower reaches in one epoch. *As the first row*: the solutions, the flawed sample and the mutants get the same
points for every check. *Attacks*: how many of those let loose gained something. *Internals*: the tests
of what the kit takes from torch beside its public interface. *Self-test*: the parts of `tower doctor`'s that
were answered rightly.
"""


@dataclass(frozen=True)
class Combination:
    """One row: a Python, a version of torch, and its build: "cuda" is what PyPI has for Linux, or "cpu"."""

    python: str
    torch: str
    build: str

    @property
    def name(self) -> str:
        """As it stands in --kept."""
        return f"{self.python} {self.torch} {self.build}"


COMBINATIONS = (
    Combination("3.11", "2.13.0", "cpu"),  # the pinned version; all others are compared with it
    Combination("3.11", "2.7.1", "cuda"),  # the oldest
    Combination("3.13", "2.9.1", "cuda"),
    Combination("3.12", "2.13.0", "cuda"),
    Combination("3.14", "2.13.0", "cuda"),
    Combination("3.15", "2.15.0", "cuda"),  # the newest of both
)


@dataclass
class Found:
    """What was found in one environment. `points` holds points by check, by submission."""

    python: str
    torch: str
    cuda: str
    numpy: str
    addresses: float
    isolation: str
    self_test: dict[str, str]
    points: dict[str, dict[str, float]]
    accuracy: float
    seconds: float
    faults: list[str] = field(default_factory=list)
    attacks: int = 0
    gained: list[str] = field(default_factory=list)
    internals: str = ""


# In the environment


def found_here() -> Found:
    """Grade with the Python and the torch that run this."""
    import platform

    import numpy
    import torch

    sys.path.insert(0, str(ROOT))
    from autograder import selftest
    from autograder.bank import Bank
    from autograder.broker import Broker
    from autograder.course import load_course
    from autograder.export.view import message
    from autograder.grading import grade, prepare_process
    from autograder.pool import warm
    from tower_student.submission import Submission, read_submission

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    addresses = pages * os.sysconf("SC_PAGE_SIZE") / 2**30
    course = load_course(ROOT)
    # How fast a version is, on a machine that may be busy, is not what is compared.
    course = replace(course, policy=replace(course.policy, check_seconds=60.0))
    bank = Bank(ROOT)
    solutions = bank.solutions(course.modules)
    mutants = [m for module in course.modules for m in bank.mutants(module)]
    chosen = list(islice(mutants, 0, None, len(mutants) // MUTANTS))[:MUTANTS]
    work: dict[str, tuple[Submission, list[str], str]] = {
        "solutions": (Submission("solutions", solutions, {}), [], "full"),
        "flawed": (read_submission(bank.folder / "samples" / "flawed", course.modules), [], "off"),
    }
    for m in chosen:
        submission = Submission(m.name, solutions | {m.module: m.source}, {})
        work[f"{m.module}.{m.name}"] = (submission, [m.module], "off")
    points: dict[str, dict[str, float]] = {}
    faults, accuracy = [], 0.0
    with Broker(course.policy, [course.root]) as broker:
        started = time.monotonic()
        warm(broker)
        prepare_process()
        answers = {a.kind: a.wrong for a in selftest.examine(broker)}
        for name, (submission, only, fit) in work.items():
            report = grade(course, submission, broker, seed=SEED, fit=fit, only=only)
            checks = [check for module in report.modules for check in module.checks]
            points[name] = {check.id: check.score for check in checks}
            faults += [fault for fault, _ in report.faults]
            if name == "solutions":
                faults += [f"{c.id}: {message(c)}" for c in checks if c.status == "failed"]
            accuracy = max([accuracy, *(measured.value for measured in report.measured)])
        isolation = broker.isolation.level
    return Found(
        python=platform.python_version(),
        torch=torch.__version__,
        cuda=str(torch.version.cuda or ""),
        numpy=numpy.__version__,
        addresses=round(addresses, 2),
        isolation=isolation,
        self_test=answers,
        points=points,
        accuracy=accuracy,
        seconds=round(time.monotonic() - started, 1),
        faults=faults,
    )


# From outside


def interpreter(version: str) -> str | None:
    """A Python of this version, on the PATH or among pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [*sorted(map(str, pyenv.glob(f"{version}.*/bin/python"))), f"python{version}"]
    for candidate in candidates:
        path = shutil.which(candidate)
        if (
            path
            and subprocess.run([path, "-c", "import venv"], capture_output=True).returncode == 0
        ):
            return path
    return None


def tried(combination: Combination, python: str) -> Found:
    """Make the environment, find out, delete it. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory(prefix="tower-versions-") as folder:
        Path(folder).chmod(0o755)  # workers are other users, who must find Python here
        subprocess.run([python, "-m", "venv", folder], check=True)
        own = f"{folder}/bin/python"
        # === takes PyPI's own file and no local build of the same version.
        torch = (
            f"torch==={combination.torch}"
            if combination.build == "cuda"
            else f"torch=={combination.torch}"
        )
        pip = [own, "-m", "pip", "--disable-pip-version-check", "-qq", "install"]
        if combination.build == "cpu":  # a local file of that build does as well as its index
            subprocess.run(
                [*pip, "--retries", "0", "--extra-index-url", CPU_INDEX, torch], check=True
            )
        subprocess.run([*pip, torch, "--editable", str(ROOT)], check=True)
        result = Path(folder, "found.json")
        subprocess.run([own, __file__, "--here", str(result)], check=True)
        found = Found(**json.loads(result.read_text()))
        result.unlink()
        lab = [own, str(ROOT / "tests/support/attack_lab.py"), "--no-naive", "--json", str(result)]
        done = subprocess.run([*lab, "--only", ",".join(ATTACKS)], stdout=subprocess.DEVNULL)
        if not result.exists():  # where an attack gains something it ends with 1, and with a result
            done.check_returncode()
        attacks = json.loads(result.read_text())["attacks"]
        found.attacks = len(attacks)
        found.gained = [attack["name"] for attack in attacks if attack["ours"]["gained"]]
        tests = [str(ROOT / "tests/kit/test_torch_private.py"), "-q", "-p", "no:cacheprovider"]
        done = subprocess.run([own, "-m", "pytest", *tests], capture_output=True, text=True)
        found.internals = done.stdout.strip().rpartition("\n")[2].partition(" in ")[0]
        return found


def differences(found: Found, first: Found) -> Iterator[str]:
    """What is not as it should be, or not as in the first row."""
    yield from (f"self-test, {kind}: {wrong}" for kind, wrong in found.self_test.items() if wrong)
    yield from (f"fault: {fault}" for fault in found.faults)
    yield from (f"{name} gained something" for name in found.gained)
    if not found.internals.endswith(" passed") or "failed" in found.internals:
        yield f"tests of internals: {found.internals}"
    for name, points in first.points.items():
        for check in points.keys() | found.points[name].keys():
            here, there = found.points[name].get(check), points.get(check)
            if here != there:
                yield f"{name}: {check} gives {here} points; {there} in the first row"


def markdown(kept: dict[str, Any]) -> Iterator[str]:
    """The page."""
    rows = {
        combination: Found(**kept[combination.name])
        for combination in COMBINATIONS
        if combination.name in kept
    }
    first = rows[COMBINATIONS[0]]
    yield PREFACE
    yield (
        "| Python | torch | CUDA | numpy | addresses | solutions | fit | as the first row | attacks | "
        "internals | self-test |"
    )
    yield "|---|---|---|---|--:|--:|--:|--:|--:|---|---|"
    for found in rows.values():
        same = sum(found.points[name] == points for name, points in first.points.items())
        right = sum(not wrong for wrong in found.self_test.values())
        cells = [
            *(found.python, found.torch.partition("+")[0], found.cuda or "none", found.numpy),
            f"{found.addresses:.2f}",
            f"{sum(found.points['solutions'].values()):g}",
            f"{100 * found.accuracy:.2f} %",
            f"{same} of {len(first.points)}",
            f"{len(found.gained)} of {found.attacks}",
            found.internals,
            f"{right} of {len(found.self_test)}",
        ]
        yield f"| {' | '.join(cells)} |"
    yield ""
    wrong = [
        f"- {combination.name}: {difference}"
        for combination in rows
        for difference in differences(rows[combination], first)
    ]
    missing = [
        f"- {combination.name}: not run here."
        for combination in COMBINATIONS
        if combination not in rows
    ]
    yield from [*wrong, *missing] or ["No row differs."]


def main() -> int:
    """Run what is not kept yet, write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kept", type=Path, default=ROOT / "build" / "versions.json")
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--only", default="", help="rows with this in their name, as in 3.15")
    parser.add_argument("--again", action="store_true", help="run rows that are kept as well")
    parser.add_argument("--here", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        arguments.here.write_text(json.dumps(asdict(found_here())))
        return 0
    arguments.kept.parent.mkdir(exist_ok=True)
    for combination in COMBINATIONS:
        kept = json.loads(arguments.kept.read_text()) if arguments.kept.exists() else {}
        if arguments.only not in combination.name or (
            combination.name in kept and not arguments.again
        ):
            continue
        python = interpreter(combination.python)
        if python is None:
            print(f"{combination.name}: there is no Python {combination.python} here.", flush=True)
            continue
        started = time.monotonic()
        try:
            kept[combination.name] = asdict(tried(combination, python))
        except subprocess.CalledProcessError as error:
            print(f"{combination.name}: {error}", flush=True)
            continue
        arguments.kept.write_text(json.dumps(kept, indent=1))
        print(f"{combination.name}: {time.monotonic() - started:.0f} s", flush=True)
    kept = json.loads(arguments.kept.read_text()) if arguments.kept.exists() else {}
    if COMBINATIONS[0].name not in kept:
        print(f"Nothing to compare with: {COMBINATIONS[0].name} was not run.")
        return 1
    text = "\n".join(markdown(kept)) + "\n"
    if arguments.markdown:
        arguments.markdown.write_text(text, encoding="utf-8")
    print(text)
    first = Found(**kept[COMBINATIONS[0].name])
    here = [combination for combination in COMBINATIONS if combination.name in kept]
    return any(any(differences(Found(**kept[combination.name]), first)) for combination in here)


if __name__ == "__main__":
    sys.exit(main())
