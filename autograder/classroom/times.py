"""When things were handed in, from a CSV file, and how many days late that was."""

import csv
import io
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from autograder.classroom.intake import student_name
from autograder.errors import UsageError
from tower_student.language import tr
from tower_student.text import one_line

STUDENT = ("student", "name", "full name", "username", "sis login id")
TIME = ("time", "handed in", "handed_in_at", "submitted", "submitted at", "timestamp")
DUE = ("due", "due at")
"""Names of columns that are understood; capitals do not matter."""
EXAMPLE = "student,time\nada,2026-11-27T18:30+01:00"


@dataclass(frozen=True)
class HandedIn:
    """A time, as it was written, and whole days after what was due; 0 where it was in time."""

    at: str
    late_days: int


def read_times(
    path: Path, due: str, students: Collection[str]
) -> tuple[dict[str, HandedIn], list[str]]:
    """Read the last time of each student in the file, and who is named in it and none of these.

    Students are found whatever the capitals. A column `due` sets another date for one student. Raises
    UsageError with the line that is wrong, and where no time is due.
    """
    known = {name.casefold(): name for name in students}
    found: dict[str, tuple[datetime, HandedIn]] = {}
    unknown: dict[str, None] = {}
    for number, row in _rows(path):
        name = student_name(row["student"])
        student = known.get(name.casefold())
        if student is None:
            unknown[name] = None
        if student is None or not row["time"]:
            continue
        at = _time(row["time"], tr("{path}, line {line}", path=path, line=number))
        until = _time(
            row["due"] or due,
            tr("{path}, line {line}, when it was due", path=path, line=number),
        )
        try:
            seconds = (at - until).total_seconds()
        except TypeError:
            raise UsageError(
                tr(
                    "{path}, line {line}: one of {handed_in} and {due} names its time zone and the other "
                    "does not. Write both with one, as in 2026-11-27T18:30+01:00, or neither.",
                    path=path,
                    line=number,
                    handed_in=row["time"],
                    due=row["due"] or due,
                )
            ) from None
        handed_in = HandedIn(at.isoformat(), max(0, math.ceil(seconds / 86400)))
        if student not in found or found[student][0] <= at:
            found[student] = at, handed_in
    return {student: handed_in for student, (_, handed_in) in found.items()}, list(unknown)


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or tr("it is not UTF-8 text")
        raise UsageError(tr("{path} cannot be read: {reason}.", path=path, reason=reason)) from None
    reader = csv.DictReader(io.StringIO(text))
    named = {name.strip().casefold(): name for name in reader.fieldnames or () if name}
    columns = {
        key: next((named[name] for name in names if name in named), None)
        for key, names in (("student", STUDENT), ("time", TIME), ("due", DUE))
    }
    if not columns["student"] or not columns["time"]:
        raise UsageError(
            tr(
                "{path} has the columns {columns}; it wants student and time, and perhaps due. For "
                "example:\n{example}",
                path=path,
                columns=one_line(", ".join(named)) or tr("none"),
                example=EXAMPLE,
            )
        )
    try:
        for row in reader:
            yield (
                reader.line_num,
                {key: (row.get(n) or "").strip() if n else "" for key, n in columns.items()},
            )
    except csv.Error as error:
        raise UsageError(
            tr(
                "{path}, line {line}, is not CSV: {error}.",
                path=path,
                line=reader.line_num,
                error=error,
            )
        ) from None


def _time(text: str, where: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        problem = (
            tr("{time} is no time that can be read", time=one_line(text, 60))
            if text
            else tr("there is no time")
        )
        raise UsageError(
            tr(
                "{where}: {error}. Write it as in 2026-11-27T18:30+01:00; --due says when all of it was due.",
                where=where,
                error=problem,
            )
        ) from None
