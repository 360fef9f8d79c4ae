"""A course's CHANGELOG.md: what of it students get, and what of that is new to one of them."""

import re
from pathlib import PurePosixPath

from tower_student.course import numbers

FILE = PurePosixPath("CHANGELOG.md")
_FOR_STUDENTS = re.compile(r"^### For students\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
_ITEM = re.compile(r"^- .*(?:\n  .*)*", re.MULTILINE)


def for_students(text: str) -> str:
    """Return what students get of a changelog: of each version the section for them, where there is one."""
    parts = []
    for heading, body in _versions(text):
        if section := _FOR_STUDENTS.search(body):
            parts.append(f"## {heading}\n\n{section[1].strip()}\n")
    return "\n".join(("# What has changed\n", *parts)) if parts else ""


def news(old: str, new: str, version: str) -> list[str]:
    """Return the entries of a newer changelog that the one here lacks.

    Where there is none here (`old` is empty), those of versions after the one installed.
    """
    known = set(_ITEM.findall(old))
    return [
        " ".join(item.removeprefix("- ").split())
        for heading, body in _versions(new)
        for item in _ITEM.findall(body)
        if item not in known and (known or numbers(heading) > numbers(version))
    ]


def _versions(text: str) -> list[tuple[str, str]]:
    """The headings of versions, and what stands below each."""
    _, *pieces = re.split(r"^## +(.*)\n", text, flags=re.MULTILINE)
    return list(zip(pieces[::2], pieces[1::2], strict=True))
