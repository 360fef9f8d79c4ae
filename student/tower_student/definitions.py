"""What the text of a module defines at its top, found by patterns.

Untrusted text is neither compiled nor parsed here. Where a pattern cannot tell, the text stays as it is.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from tower_student.notebooks import parts

_LINE = re.compile(r"[^\r\n]*+(?:\r\n|\r|\n)|[^\r\n]++\Z")
_HEADING = re.compile(
    r"(?:class|(?:async[ \t]+)?def)[ \t]+(?P<name>\w+)"
    r"|(?P<alias>\w+)[ \t]*=[ \t]*[^\W\d]\w*+\s*$"
    r"|(?P<patched>\w+)(?:\.\w+)++[ \t]*=(?!=)"
)
"""How a definition begins: a class, a function, another name of one, or an attribute set from without."""
_BOUND = re.compile(r"(?:(?:class|(?:async[ \t]+)?def)[ \t]+(\w+)|(\w+)[ \t]*(?::[^=\n]*)?=(?!=))")
_STUB = re.compile(r"\braise[ \t]+NotImplementedError\b")
_IMPORT = re.compile(r"(?:import|from)[ \t]")
_APART = re.compile(
    r"""
    \#[^\r\n]*+
    | \"\"\" (?: [^\\"] | \\. | "(?!"") )*+ (?: \"\"\" | \\?\Z )
    | ''' (?: [^\\'] | \\. | '(?!'') )*+ (?: ''' | \\?\Z )
    | " (?: [^\\"\r\n] | \\(?:\r\n|.) )*+ "?
    | ' (?: [^\\'\r\n] | \\(?:\r\n|.) )*+ '?
    """,
    re.VERBOSE | re.DOTALL,
)
"""A comment, or a string: to its end, or to the end of the text or line where it has none."""


def defined(text: str) -> set[str]:
    """The names that a text binds at the beginning of a line: classes, functions and variables."""
    found = (_BOUND.match(line) for line in _lines(_masked(text)))
    return {match[1] or match[2] for match in found if match}


def stubs(text: str) -> int:
    """How often a text says that something is not implemented."""
    return len(_STUB.findall(_masked(text)))


def code(text: str, names: Collection[str] = ()) -> list[str]:
    """The lines that are more than a comment or an import; only those that define these names, if any."""
    lines, masked = _lines(text), _lines(_masked(text))
    chosen = set(range(len(lines)))
    if names:
        chosen = {i for each in _definitions(text) if each.name in names for i in each.lines}
    return [
        line.rstrip()
        for i, (line, mask) in enumerate(zip(lines, masked, strict=True))
        if i in chosen and mask.strip() and not _IMPORT.match(mask)
    ]


def shared(text: str, origin: Mapping[str, str], may_import: Callable[[str], bool]) -> str:
    """The part of a text that is one module's, where others are made of the same text.

    Definitions that belong to others become blank. Where the rest mentions one, it is imported from its
    module instead, or stays where that module may not be imported. Lines keep their numbers.

    Args:
        origin: the module of each name that belongs to another.
        may_import: whether this module may import another.
    """
    lines, masked = _lines(text), _lines(_masked(text))
    away = [each for each in _definitions(text) if each.name in origin]
    while True:
        gone = {i for each in away for i in each.lines}
        rest = "".join(line for i, line in enumerate(masked) if i not in gone)
        mentioned = {each.name for each in away if _mentions(rest, each.name)}
        staying = {name for name in mentioned if not may_import(origin[name])}
        if not staying:
            break
        away = [each for each in away if each.name not in staying]
    for each in away:
        for i in each.lines:
            lines[i] = _end(lines[i])
        if each.name in mentioned:
            first = each.lines[0]
            lines[first] = f"from {origin[each.name]} import {each.name}{lines[first]}"
    return "".join(lines)


@dataclass(frozen=True)
class _Definition:
    """A class or a function at the top of a text, with its decorators."""

    name: str
    lines: range


def _definitions(text: str) -> Iterator[_Definition]:
    """Those of each cell: one that Python cannot read takes none of the others with it."""
    above = 0
    for cell in parts(text):
        masked = _lines(_masked(cell))
        first: int | None = None  # of the decorators before a definition
        for begin, end in pairwise([*_beginnings(masked), len(masked)]):
            if masked[begin].startswith("@"):
                first = begin if first is None else first
                continue
            if heading := _HEADING.match(masked[begin]):
                last = max(i for i in range(begin, end) if masked[i].strip())
                start = begin if first is None else first
                name = heading[heading.lastgroup or 0]
                yield _Definition(name, range(above + start, above + last + 1))
            first = None
        above += len(masked)


def _beginnings(masked: list[str]) -> list[int]:
    """Where statements begin at the top of a text; none where its brackets do not match."""
    found: list[int] = []
    depth, continued = 0, False
    for i, line in enumerate(masked):
        if depth == 0 and not continued and line.strip() and line[0] not in " \t":
            found.append(i)
        depth += sum(map(line.count, "([{")) - sum(map(line.count, ")]}"))
        continued = line.rstrip("\r\n").endswith("\\")
        if depth < 0:
            return []
    return [] if depth else found


def _mentions(masked: str, name: str) -> bool:
    return bool(re.search(rf"(?<![\w.]){re.escape(name)}\b", masked))


def _masked(text: str) -> str:
    """The text without comments, and with nothing of a string but its beginning. Lines keep their numbers."""
    return "".join(_APART.sub(_blank, cell) for cell in parts(text))


def _blank(match: re.Match[str]) -> str:
    begins = "" if match[0].startswith("#") else '"'
    return begins + re.sub(r"[^\r\n]", " ", match[0][len(begins) :])


def _lines(text: str) -> list[str]:
    return _LINE.findall(text)


def _end(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]
