"""Writes tests/bank/machine/: every small change of the solutions that cosmic-ray knows to make.

Needs the extra `mutants`. A change that makes no difference stays listed with the reason, written by
hand as `equivalent`; reasons are kept when the bank is written anew.
"""

import ast
import difflib
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

from autograder.bank import Bank
from autograder.course import course_root, load_course

LEFT_OUT = (
    *("BitAnd", "BitOr", "BitXor", "LShift", "RShift", "Invert"),
    *("VariableReplacer", "VariableInserter", "RemoveDecorator"),
)
"""Operators on bits, which in these modules only write type hints, and those that take arguments."""
UNJUDGED = "extra_repr"
"""A method that students are given, and that only prints: no check asks for it."""
HEAD = "# Made by `make mutants` from solutions/{module}.py; only `equivalent` is by hand."


def changed_sources(source: str) -> Iterator[tuple[str, str]]:
    """(name, source) of every change, one at a time."""
    for operator_name in sorted(operator_names()):
        short = operator_name.partition("/")[2]
        if any(word in short for word in LEFT_OUT):
            continue
        occurrence = 0
        while (
            changed := mutate_code(source, get_operator(operator_name)(), occurrence)
        ) is not None:
            yield f"{short}-{occurrence}", changed
            occurrence += 1


def patch(before: str, after: str) -> tuple[int, str, str]:
    """The first line that differs, and the differing lines before and after."""
    old, new = before.splitlines(), after.splitlines()
    blocks = [
        block
        for block in difflib.SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes()
        if block[0] != "equal"
    ]
    (_, first, _, start, _), (_, _, last, _, stop) = blocks[0], blocks[-1]
    return first + 1, "\n".join(old[first:last]), "\n".join(new[start:stop])


def unjudged(source: str) -> set[int]:
    """The lines whose changes no check can see."""
    return {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef) and node.name == UNJUDGED
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }


def reasons(path: Path) -> dict[tuple[str, str], str]:
    """The reasons of an earlier bank, by the lines before and after."""
    if not path.exists():
        return {}
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]
    return {(e["old"], e["new"]): e["equivalent"] for e in entries if "equivalent" in e}


def main() -> None:
    """Write a file for each module."""
    course = load_course(course_root())
    bank = Bank(course.root)
    for module in course.modules:
        path = bank.folder / "machine" / f"{module}.toml"
        known = reasons(path)
        source = bank.solution(module)
        parts, seen, left_out = [HEAD.format(module=module)], set(), unjudged(source)
        for name, changed in changed_sources(source):
            line, old, new = patch(source, changed)
            # Two operators may make the same change.
            if (line, new) in seen or line in left_out:
                continue
            seen.add((line, new))
            entry = {"name": name, "line": line, "old": old, "new": new}
            if reason := known.get((old, new)):
                entry["equivalent"] = reason
            # A JSON string of these characters is a TOML basic string too.
            fields = [
                f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in entry.items()
            ]
            parts.append("\n".join(["[[mutant]]", *fields]))
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
        print(f"{path.relative_to(course.root)}: {len(seen)} mutants")


if __name__ == "__main__":
    main()
