"""Statements at the top of a module that failed and were passed over: what they explain, how they are told.

They cost nothing by themselves. What is missing without them fails, for that reason.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from autograder.sandbox import protocol
from autograder.suite import replies
from tower_student.exception_hints import Reading, likely_cause
from tower_student.language import plural, tr
from tower_student.submission import Submission
from tower_student.text import word

TOLD = 3
"""How many a note describes."""
UNDEFINED = re.compile(r"name '(\w{1,100})' is not defined")


def read(reply: Mapping[str, Any], submission: Submission) -> tuple[protocol.PassedOver, ...]:
    """Return what a reply says was passed over, as far as there are such lines. Raises CheckFailed."""
    listed = replies.read(protocol.Imported, reply).passed_over
    found = [replies.read(protocol.PassedOver, fields) for fields in listed]
    for one in found:
        replies.read(protocol.Raised, one.raised)
    return tuple(one for one in found if submission.location(one.module, one.line))


def making(
    name: str, module: str, passed_over: Iterable[protocol.PassedOver]
) -> protocol.PassedOver | None:
    """Return the statement for want of which a module lacks a name, or None.

    Where that one in its turn lacked a name that another makes, it is the other.
    """
    by_name = {(one.module, each): one for one in passed_over for each in one.names}
    found = None
    while one := by_name.pop((module, name), None):
        found = one
        undefined = UNDEFINED.search(one.raised["message"][:1000])
        if one.raised["type"] != "NameError" or not undefined:
            break
        name = undefined[1]
    return found


def note(
    passed_over: Sequence[protocol.PassedOver],
    submission: Submission,
    readings: Collection[Reading],
) -> str:
    """Return what a report says of them; "" where there are none."""
    said = [_said(one, submission, readings) for one in passed_over[:TOLD]]
    if (left := len(passed_over) - TOLD) > 0:
        said.append(
            plural(
                "{count} more statement failed and was passed over.",
                "{count} more statements failed and were passed over.",
                left,
            )
        )
    return " ".join(said)


def _said(one: protocol.PassedOver, submission: Submission, readings: Collection[Reading]) -> str:
    place = submission.place(one.module, one.line)
    said = tr(
        "{place}, failed and was passed over: {type}.", place=place, type=word(one.raised["type"])
    )
    line = submission.line(one.module, one.line)
    hint = likely_cause(one.raised["type"], one.raised["message"], line, readings)
    if one.raised["type"] == "AssertionError" and re.match(r"\s*assert\b", line):
        why = tr("A test of the file's own does not hold.")
    elif hint is None or hint.id == "raised.refused":  # which speaks of a call
        why = ""
    else:
        why = tr(hint.text, **hint.values)
    return f"{said} {why}".strip()
