"""Reads tests/bank: wrong submissions as patches of the solutions, right ones as whole files."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
BANK = ROOT / "tests" / "bank"
MODULES = ("gradient_loop", "linear", "conv2d", "kaiming_init", "tower")


@dataclass(frozen=True)
class Mutant:
    """A wrong module, the misconception it stands for, and the check that must catch it.

    Attributes:
        diagnosis: what the report's likely cause has to say; "" where none names the misconception.
    """

    module: str
    name: str
    misconception: str
    check: str
    source: bytes
    diagnosis: str = ""


@dataclass(frozen=True)
class MachineMutant:
    """A small change of a solution made by a program; `equivalent` says why it makes no difference."""

    module: str
    name: str
    source: bytes
    change: str
    equivalent: str


@dataclass(frozen=True)
class Variant:
    """A right module, written differently."""

    module: str
    name: str
    source: bytes


def mutants(module: str) -> Iterator[Mutant]:
    """Every mutant of a module. Raises ValueError where a patch does not fit its solution."""
    solution = _solution(module)
    for entry in _entries("mutants", module):
        source = solution
        for patch in entry.get("patches") or [entry]:
            if source.count(patch["old"]) != 1:
                raise ValueError(
                    f"{module}.{entry['name']}: {patch['old']!r} is not there exactly once"
                )
            source = source.replace(patch["old"], patch["new"])
        yield Mutant(
            module,
            entry["name"],
            entry["misconception"],
            f"{module}.{entry['check']}",
            source.encode(),
            entry.get("diagnosis", ""),
        )


def machine_mutants(module: str) -> Iterator[MachineMutant]:
    """Every machine-made mutant of a module. Raises ValueError where the solution has changed since."""
    lines = _solution(module).split("\n")
    for entry in _entries("machine", module):
        start, old, new = entry["line"] - 1, entry["old"].split("\n"), entry["new"].split("\n")
        if lines[start : start + len(old)] != old:
            raise ValueError(
                f"{module}.{entry['name']} does not fit solutions/{module}.py: run `make mutants`"
            )
        changed = [*lines[:start], *new, *lines[start + len(old) :]]
        change = f"{entry['old'].strip()} → {entry['new'].strip()}"
        equivalent = entry.get("equivalent", "")
        yield MachineMutant(module, entry["name"], "\n".join(changed).encode(), change, equivalent)


def variants() -> Iterator[Variant]:
    """Every right submission that is written differently."""
    for path in sorted((BANK / "variants").glob("*.py")):
        module, _, name = path.stem.partition("__")
        yield Variant(module, name, path.read_bytes())


def _solution(module: str) -> str:
    return (ROOT / "solutions" / f"{module}.py").read_text(encoding="utf-8")


def _entries(folder: str, module: str) -> list[dict[str, Any]]:
    content = tomllib.loads((BANK / folder / f"{module}.toml").read_text(encoding="utf-8"))
    entries: list[dict[str, Any]] = content["mutant"]
    return entries
