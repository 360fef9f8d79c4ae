"""Reads a course's bank, tests/bank: parts that make a solution wrong, and right submissions as files."""

import ast
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.errors import CourseError
from autograder.mutants import mutant as mutant
from autograder.mutants import read
from tower_student.language import tr


@dataclass(frozen=True)
class Mutant:
    """A wrong module, the misconception it stands for, and the check that must catch it.

    Attributes:
        name: in snake_case, unique in its module.
        misconception: what a student who writes this believes, as a sentence.
        check: its full id, as in linear.forward; in the file, its name without the module.
        cause: the id of a likely cause that the report has to name; "" where none names the misconception.
        calibrates: whether `tower calibrate` measures what it learns.
    """

    module: str
    name: str
    misconception: str
    check: str
    source: bytes
    cause: str = ""
    calibrates: bool = False


@dataclass(frozen=True)
class MachineMutant:
    """A small change of a solution made by a program; `equivalent` says why it makes no difference."""

    module: str
    name: str
    source: bytes
    change: str
    equivalent: str


@dataclass(frozen=True, eq=False)
class Target:
    """A function of a solution that the range family damages where a quantity passes a threshold.

    Attributes:
        function: as in module.Class.method.
        check: the full id of the check that must catch it.
        damage: an expression for what is returned instead of `right`.
        before: a statement that comes first.
        quantities: by name, an expression over the arguments (and `right`), the lowest value, and the
            limit: up to there, no threshold may go unnoticed.
    """

    function: str
    check: str
    damage: str
    before: str
    quantities: Mapping[str, tuple[str, float, float]]

    @property
    def module(self) -> str:
        """The module that defines it."""
        return self.function.partition(".")[0]

    @property
    def name(self) -> str:
        """The function within its module, as in Class.method."""
        return self.function.partition(".")[2]


@dataclass(frozen=True)
class Variant:
    """A right module, written differently."""

    module: str
    name: str
    source: bytes


class Bank:
    """The bank of the course that lies in the folder `root`. Its methods raise CourseError."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.folder = root / "tests" / "bank"

    def mutants(self, module: str) -> Iterator[Mutant]:
        """Yield the mutants of a module, what stands under @mutant in tests/bank/mutants/MODULE.py."""
        text = self._text(self.folder / "mutants" / f"{module}.py")
        for says, source in read(module, text, self.solution(module)):
            yield Mutant(
                module,
                says["name"],
                says["misconception"],
                f"{module}.{says['check']}",
                source.encode(),
                says["cause"],
                says["calibrates"],
            )

    def machine_mutants(self, module: str) -> Iterator[MachineMutant]:
        """Yield every machine-made mutant of a module."""
        lines = self.solution(module).split("\n")
        for entry in self._entries("machine", module):
            start, old, new = entry["line"] - 1, entry["old"].split("\n"), entry["new"].split("\n")
            if lines[start : start + len(old)] != old:
                raise CourseError(
                    tr(
                        "The machine-made mutant {mutant} does not fit solutions/{module}.py, which has "
                        "changed since: run `make mutants`.",
                        mutant=entry["name"],
                        module=module,
                    )
                )
            changed = [*lines[:start], *new, *lines[start + len(old) :]]
            change = f"{entry['old'].strip()} → {entry['new'].strip()}"
            equivalent = entry.get("equivalent", "")
            yield MachineMutant(
                module, entry["name"], "\n".join(changed).encode(), change, equivalent
            )

    def targets(self) -> list[Target]:
        """Return what the range family damages, of tests/bank/ranges.toml."""
        path = self.folder / "ranges.toml"
        try:
            return [
                Target(
                    entry["function"],
                    f"{entry['function'].partition('.')[0]}.{entry['check']}",
                    entry["damage"],
                    entry.get("before", "pass"),
                    {
                        name: (quantity["of"], quantity["low"], quantity["limit"])
                        for name, quantity in entry["quantities"].items()
                    },
                )
                for entry in tomllib.loads(self._text(path))["target"]
            ]
        except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
            raise CourseError(
                tr("{path} cannot be read: {error}.", path=path, error=repr(error))
            ) from None

    def range_mutants(self, module: str) -> Iterator[Mutant]:
        """Yield what the range family makes of a module: right up to a limit, or but for the lowest."""
        solution = self.solution(module)
        for target in (target for target in self.targets() if target.module == module):
            for quantity, (expression, low, limit) in target.quantities.items():
                what = f"{target.name}: {quantity.replace('_', ' ')}"
                for name, holds, belief in (
                    ("above", f"> {limit:g}", f"{what} never exceeds {limit:g}."),
                    ("lowest", f"<= {low:g}", f"{what} is never {low:g}."),
                ):
                    source = damaged(solution, target, f"({expression}) {holds}")
                    name = f"{target.name.replace('.', '_')}_{quantity}_{name}"
                    yield Mutant(module, name, belief, target.check, source.encode())

    def variants(self) -> Iterator[Variant]:
        """Yield every right submission that is written differently."""
        for path in sorted((self.folder / "variants").glob("*.py")):
            module, _, name = path.stem.partition("__")
            yield Variant(module, name, path.read_bytes())

    def solution(self, module: str) -> str:
        """The text of a reference solution."""
        return self._text(self._root / "solutions" / f"{module}.py")

    def solutions(self, modules: Iterable[str]) -> dict[str, bytes]:
        """The reference solutions of these modules, as a submission holds them."""
        return {module: self.solution(module).encode() for module in modules}

    def _entries(self, folder: str, module: str) -> list[dict[str, Any]]:
        path = self.folder / folder / f"{module}.toml"
        try:
            entries: list[dict[str, Any]] = tomllib.loads(self._text(path))["mutant"]
        except (tomllib.TOMLDecodeError, KeyError) as error:
            raise CourseError(
                tr("{path} is not as it must be: {error}.", path=path, error=error)
            ) from None
        return entries

    def _text(self, path: Path) -> str:
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CourseError(
                tr("{path} cannot be read: {error}.", path=path, error=error)
            ) from None


def damaged(solution: str, target: Target, condition: str) -> str:
    """Return a solution that is followed by a wrong function in the place of its own."""
    path = target.name.split(".")
    body = ast.parse(solution).body
    for name in path:
        found = next(
            n for n in body if isinstance(n, ast.FunctionDef | ast.ClassDef) and n.name == name
        )
        body = found.body
    assert isinstance(found, ast.FunctionDef)
    names = ", ".join(argument.arg for argument in found.args.args)
    return (
        f"{solution}\n\nright_one = {target.name}\n\n\ndef wrong_one({ast.unparse(found.args)}):\n"
        f"    {target.before}\n    right = right_one({names})\n"
        f"    return {target.damage} if {condition} else right\n\n\n{target.name} = wrong_one\n"
    )
