"""Reads tests/bank: wrong submissions as patches of the solutions, right ones as whole files."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
BANK = ROOT / "tests" / "bank"


@dataclass(frozen=True)
class Mutant:
    """A wrong module, the misconception it stands for, and the check that must catch it."""

    module: str
    name: str
    misconception: str
    check: str
    source: bytes


def mutants(module: str) -> Iterator[Mutant]:
    """Every mutant of a module. Raises ValueError where a patch does not fit its solution."""
    solution = (ROOT / "solutions" / f"{module}.py").read_text(encoding="utf-8")
    content = tomllib.loads((BANK / "mutants" / f"{module}.toml").read_text(encoding="utf-8"))
    for entry in content["mutant"]:
        source = solution
        for patch in entry.get("patches") or [entry]:
            if source.count(patch["old"]) != 1:
                raise ValueError(
                    f"{module}.{entry['name']}: {patch['old']!r} is not there exactly once"
                )
            source = source.replace(patch["old"], patch["new"])
        check = f"{module}.{entry['check']}"
        yield Mutant(module, entry["name"], entry["misconception"], check, source.encode())


def variants() -> Iterator[tuple[str, str, bytes]]:
    """(module, name, source) of every right submission that is written differently."""
    for path in sorted((BANK / "variants").glob("*.py")):
        module, _, name = path.stem.partition("__")
        yield module, name, path.read_bytes()
