"""What a student's computer and repository lack, and one remedy for each. It runs where torch does not."""

import ast
import contextlib
import importlib
import importlib.metadata
import os
import platform
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from tower_student import __version__
from tower_student.course import MANIFEST, Release, course_in, digest, numbers
from tower_student.language import mark, plural, tr
from tower_student.submit import pack

OLDEST = (3, 11)
NEEDED_SPACE = 1 << 30
"""Bytes that are to be free."""
MARKS = {"good": ("✓", "green"), "missing": ("–", "yellow"), "bad": ("✗", "bold red")}
"""What is shown before a finding, and its style."""
_SHOWN = "✓✗█"
_INSTALL = mark("Install it as README.md says.")
_RENEW = "python -m pip install -r requirements.txt"


@dataclass(frozen=True)
class Finding:
    """One line of a diagnosis.

    Attributes:
        state: "good", "missing" (could be better) or "bad".
        advice: what to do, a sentence; empty where there is nothing to do.
    """

    title: str
    state: str
    found: str
    advice: str = ""


def examine(folder: Path) -> list[Finding]:
    """Look at this computer, and at a student's repository. torch is imported, no module of the student's."""
    needed = _requirements(folder)
    return [
        _python(),
        _environment(),
        _torch(needed.get("torch", "")),
        _numpy(),
        *_packages(needed),
        *_repository(folder, needed),
        *_modules(folder),
        space(tr("disk space"), folder, tr("Free some space: torch alone takes 0.8 GiB.")),
        _terminal(),
    ]


def show(findings: list[Finding], console: Console) -> None:
    """Print a line for each finding, what to do below it, and whether all is well."""
    width = max(len(finding.title) for finding in findings)
    for finding in findings:
        sign = Text.assemble(MARKS[finding.state], f" {finding.title:{width}}  ")
        sign.append(finding.found)
        console.print(sign)
        if finding.advice:
            console.print(Padding(Text(finding.advice, "cyan"), (0, 0, 0, width + 4)))
    wrong = sum(finding.state == "bad" for finding in findings)
    if wrong:
        said = plural(
            "{count} thing is wrong; what to do stands below it.",
            "{count} things are wrong; what to do stands below each.",
            wrong,
        )
        console.print(Text(f"\n{said}", "bold red"))
    else:
        console.print(Text(f"\n{tr('Everything that the course needs is there.')}", "bold green"))


def space(title: str, folder: Path, advice: str) -> Finding:
    """Say how much space is free where a folder lies; too little is bad."""
    free = shutil.disk_usage(folder if folder.is_dir() else Path()).free
    found = tr("{size:.1f} GiB in {folder}", size=free / 2**30, folder=folder)
    enough = free >= NEEDED_SPACE
    return Finding(title, "good" if enough else "bad", found, "" if enough else advice)


def _python() -> Finding:
    bits = 64 if sys.maxsize > 2**32 else 32
    found = tr(
        "{version}, {bits} bits, {machine}, at {path}",
        version=platform.python_version(),
        bits=bits,
        machine=platform.machine(),
        path=sys.executable,
    )
    advice = ""
    if sys.version_info[:2] < OLDEST:
        advice = tr("Python 3.11 or newer is needed: install one, and make the environment again.")
    elif bits == 32:
        advice = tr(
            "torch needs a 64-bit Python: install one from python.org, and make the environment again."
        )
    elif sys.platform == "darwin" and platform.machine() == "x86_64":
        advice = tr(
            "There is no recent torch for Macs with an Intel chip: work on Colab, as README.md says. If your "
            "Mac has an Apple chip, its Python is one for Intel: install Python from python.org."
        )
    return Finding("Python", "bad" if advice else "good", found, advice)


def _environment() -> Finding:
    title = tr("environment")
    if sys.prefix != sys.base_prefix:
        return Finding(title, "good", tr("a virtual one, {path}", path=sys.prefix))
    if os.environ.get("CONDA_PREFIX") == sys.prefix:
        return Finding(title, "good", tr("one of conda, {path}", path=sys.prefix))
    advice = tr("Make one as README.md says, unless this is Colab, Kaggle or a container.")
    return Finding(title, "missing", tr("none: it is the Python of the whole computer"), advice)


def _torch(needed: str) -> Finding:
    try:
        torch = importlib.import_module("torch")
        version, cuda = str(torch.__version__), torch.version.cuda
        has_gpu = bool(cuda) and torch.cuda.is_available()
    except ModuleNotFoundError as error:
        if error.name == "torch":
            advice = tr("If pip finds no torch, take another Python: 3.12 or 3.13.")
            return Finding("torch", "bad", tr("not installed"), f"{tr(_INSTALL)} {advice}")
        return _unusable("torch", error)
    except Exception as error:  # a library that cannot be loaded, a file that is broken
        return _unusable("torch", error)
    if not cuda:
        found = tr("{version}, for the CPU", version=version)
    elif has_gpu:
        found = tr("{version}, for CUDA {cuda}, with a GPU", version=version, cuda=cuda)
    else:
        found = tr("{version}, for CUDA {cuda}, without a GPU", version=version, cuda=cuda)
    if numbers(version) < numbers(needed):
        advice = tr("{needed} or newer is needed; type: {command}.", needed=needed, command=_RENEW)
        return Finding("torch", "bad", found, advice)
    return Finding("torch", "good", found)


def _unusable(name: str, error: Exception) -> Finding:
    reason = f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"
    found = tr("it cannot be imported: {reason}", reason=reason)
    if sys.platform == "win32" and isinstance(error, OSError):
        advice = tr(
            "Install Microsoft's Visual C++ Redistributable, https://aka.ms/vs/17/release/vc_redist.x64.exe, "
            "then open a new terminal."
        )
    else:
        advice = tr("Remove .venv, and install again as README.md says.")
    return Finding(name, "bad", found, advice)


def _numpy() -> Finding:
    try:
        numpy = importlib.import_module("numpy")
    except ModuleNotFoundError:
        return Finding("numpy", "bad", tr("not installed"), tr(_INSTALL))
    except Exception as error:
        return _unusable("numpy", error)
    with contextlib.suppress(ImportError, OSError, AttributeError):  # said of torch already
        try:
            importlib.import_module("torch").zeros(1).numpy()
        except RuntimeError:
            found = tr("{version}, which this torch cannot use", version=numpy.__version__)
            advice = tr("Renew both: python -m pip install --upgrade torch numpy.")
            return Finding("numpy", "bad", found, advice)
    return Finding("numpy", "good", str(numpy.__version__))


def _requirements(folder: Path) -> dict[str, str]:
    """What the command of this release needs, with the oldest version of each; empty if it is not known."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        content = tomllib.loads((folder / "tools" / "pyproject.toml").read_text(encoding="utf-8"))
        listed = (re.split(">=", text) for text in content["project"]["dependencies"])
        return {name: "".join(version) for name, *version in listed}
    return {}


def _packages(needed: Mapping[str, str]) -> Iterator[Finding]:
    """The packages that are not there or too old; torch and numpy have lines of their own."""
    lacking = []
    for name, oldest in needed.items():
        try:
            there = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            there = ""
        if name not in ("torch", "numpy") and (not there or numbers(there) < numbers(oldest)):
            lacking.append(f"{name} {there}".strip())
    if lacking:
        found = tr("missing or too old: {names}", names=", ".join(lacking))
        yield Finding(tr("packages"), "bad", found, tr("Type: {command}.", command=_RENEW))
    elif needed:
        yield Finding(tr("packages"), "good", tr("all that the tower command needs"))


def _repository(folder: Path, needed: Mapping[str, str]) -> Iterator[Finding]:
    title, where = tr("repository"), folder.resolve()
    try:
        release = Release.parse((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        if course := course_in(folder).title:  # a checkout of the course
            yield Finding(title, "good", tr("{title}, in {path}", title=course, path=where))
            return
        found = tr("{path} is none of a course", path=where)
        advice = tr("Go to the folder of your repository (cd), or name it with --in.")
        yield Finding(title, "bad", found, advice)
        return
    here = tr("{title}, release {version}", title=release.title, version=release.version)
    lost, changed = [], []
    for name, released in release.files.items():
        if name == "conftest.py" or name.startswith("tests/"):
            path = folder / name
            if not path.is_file():
                lost.append(name)
            elif digest(path.read_bytes()) != released:
                changed.append(name)
    if lost:
        found = tr("{release}; missing: {files}", release=here, files=", ".join(lost))
        advice = tr("Bring them back with tower update, from the release that you were given.")
        yield Finding(title, "bad", found, advice)
    elif changed:
        found = tr("{release}; changed: {files}", release=here, files=", ".join(changed))
        advice = tr("The grader has tests of its own: what you change there earns nothing.")
        yield Finding(title, "missing", found, advice)
    else:
        yield Finding(title, "good", here)
    title, found = tr("command"), f"tower {__version__}"
    if numbers(__version__) < numbers(release.version):
        found = tr("{command}, older than the release", command=found)
        yield Finding(title, "bad", found, tr("Renew it: {command}.", command=_RENEW))
    else:
        yield Finding(title, "good", found)
    libraries = sys.stdlib_module_names | needed.keys()
    hiding = sorted(p.name for p in folder.glob("*.py") if p.stem in libraries)
    if hiding:
        found = tr("{files} would be imported in place of a library", files=", ".join(hiding))
        advice = tr("Give each another name, and remove the folder __pycache__.")
        yield Finding(tr("names of files"), "bad", found, advice)


def _modules(folder: Path) -> Iterator[Finding]:
    modules = course_in(folder).modules
    packed = pack(folder, modules)
    bad = []
    for module in modules:
        problem = packed.submission.problems.get(module, "")
        if problem and not any(
            (folder / module).with_suffix(s).exists() for s in (".py", ".ipynb")
        ):
            continue  # it is not begun, which tower check says
        try:
            ast.parse(packed.submission.sources.get(module, b""))
        except (SyntaxError, ValueError, RecursionError):
            problem = packed.remarks.get(module, "")
        if problem:
            advice = tr("Open it there: often a bracket or a colon is missing in the line above.")
            if module in packed.submission.problems:
                advice = tr("Save it again as text, in UTF-8; a notebook with its outputs cleared.")
            bad.append(Finding(f"{module}.py", "bad", problem, advice))
    if modules and not bad:
        found = tr("{count} of {count} can be read by Python", count=len(modules))
        yield Finding(tr("modules"), "good", found)
    yield from bad


def _terminal() -> Finding:
    title, encoding = tr("terminal"), sys.stdout.encoding or "ascii"
    try:
        _SHOWN.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        found = tr("{encoding}: what passes is marked with +, what fails with x", encoding=encoding)
        advice = tr("For ✓ and ✗ set the variable PYTHONUTF8=1 before tower.")
        return Finding(title, "missing", found, advice)
    return Finding(title, "good", encoding)
