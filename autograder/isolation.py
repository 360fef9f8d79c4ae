"""The levels of isolation: which one the facts amount to, and whether a worker's probes bear it out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tower_student.language import mark, tr

LEVELS = ("A+", "A", "B", "C", "D")
"""From the strongest. Below C a submission may forge its result."""
WEAK = "D"
WEAKEST_ACCEPTED: Final = "C"
"""What is demanded unless something else is said."""

PROBES = {
    "read_hidden": mark("read hidden"),
    "list_hidden": mark("list hidden"),
    "write_outside": mark("write outside"),
    "file_metadata": mark("file metadata"),
    "grader_memory": mark("grader memory"),
    "signal": mark("signal"),
    "socket": mark("socket"),
    "privileges": mark("privileges"),
    "trace": mark("trace"),
    "fork": mark("fork"),
    "execute": mark("execute"),
}
"""What a worker tries, in words."""

_BY_LANDLOCK = {"read_hidden", "list_hidden", "write_outside", "grader_memory"}
_BY_SECCOMP = {"signal", "trace", "socket", "fork", "execute", "privileges"}
_USER = "share_user"
"""No harm in itself, so it is not listed; it shows that a claimed user id is a fact."""
_BY_UID = {_USER, "grader_memory"}
_BY_NAMESPACES = {"file_metadata", "grader_memory"}


@dataclass(frozen=True)
class Isolation:
    """What one worker reported before any student code ran, and the level it amounts to.

    Attributes:
        level: one of LEVELS.
        detail: what it consists of and what it does not cover, as one line.
        denied: for each probe, whether the kernel denied it.
        contradictions: probes that succeeded although the level promises that they cannot.
        seconds: what locking down and probing took.
    """

    level: str
    detail: str
    denied: Mapping[str, bool]
    contradictions: tuple[str, ...]
    seconds: float


def assess(facts: Mapping[str, Any], denied: Mapping[str, bool], seconds: float = 0.0) -> Isolation:
    """Judge what a worker says of itself.

    Args:
        facts: "landlock" (the version of its interface, 0 for none), and whether "seccomp",
            "sealed", "uid" and "namespaces" are in force.
        denied: the result of each probe.
    """
    level = _level(facts)
    promised = set(_BY_SECCOMP) if facts["seccomp"] else set()
    if facts["landlock"] or (facts["sealed"] and facts["seccomp"]):
        promised |= _BY_LANDLOCK
    if facts["uid"]:
        promised |= _BY_UID
    if facts["namespaces"]:
        promised |= _BY_NAMESPACES
    return Isolation(
        level,
        _detail(level, facts, denied),
        {name: was for name, was in denied.items() if name != _USER},
        tuple(sorted(name for name in promised if not denied.get(name))),
        seconds,
    )


def _level(facts: Mapping[str, Any]) -> str:
    if not facts["seccomp"]:
        return "D"
    if facts["landlock"]:
        return "A+" if facts["uid"] or facts["namespaces"] else "A"
    if facts["sealed"]:
        return "B"
    return "C" if facts["uid"] else "D"


def _detail(level: str, facts: Mapping[str, Any], denied: Mapping[str, bool]) -> str:
    has = [
        f"Landlock {facts['landlock']}" if facts["landlock"] else "",
        "seccomp" if facts["seccomp"] else "",
        tr("no file can be opened") if facts["sealed"] and facts["seccomp"] else "",
        tr("own user id") if facts["uid"] else "",
        tr("own namespaces") if facts["namespaces"] else "",
    ]
    text = ", ".join(part for part in has if part) or tr(
        "a process of its own with resource limits"
    )
    if level == WEAK:
        return tr("not forge-proof: {parts} only", parts=text)
    open_to = [tr(PROBES[n]) for n in sorted(denied) if not denied[n] and n != _USER]
    if not open_to:
        return text
    return tr("{parts}; not covered: {attempts}", parts=text, attempts=", ".join(open_to))
