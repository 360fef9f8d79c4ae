"""A directory of submissions → who handed in what, where it lies, and what could not be told apart.

What lies in the directory was packed by students, and is data: no link is followed, nothing is unpacked.
Folder and file names of three systems are understood:

Moodle     `Ada Lovelace_123456_assignsubmission_file_/`, or the same before the name of each file
Canvas     `lovelaceada_LATE_1234_567890_linear.py`, with `-1` before the ending of a later version
GitHub     `ASSIGNMENT-ada/`, as `gh classroom clone student-repos` names them
"""

import os
import re
import stat
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.errors import UsageError
from tower_student.filenames import filenames
from tower_student.language import plural, tr
from tower_student.submission import Submission, read_set, read_submission
from tower_student.text import one_line

MAX_NAME = 120
"""Characters of a student's name that are kept."""
PASSED_OVER = re.compile(
    r"\.|__MACOSX$|Thumbs\.db$|desktop\.ini$|index\.html$|.*_assignsubmission_onlinetext",
    re.IGNORECASE,
)
"""How names begin of what systems put beside submissions; Moodle's online texts among them."""
TABLE = re.compile(r".+\.(csv|xlsx|json|md|txt)$", re.IGNORECASE)
"""Lists that lie beside submissions, such as grading worksheets."""

MAX_DEPTH = 3
"""How far below a student's folder the modules may lie."""

MOODLE = re.compile(r"(?P<name>[^_]+)_(?P<id>\d+)_assignsubmission_file(_(?P<file>.*))?")
"""Moodle's mod/assign/locallib.php: full name (underscores in it become spaces), number, plugin, file."""
CANVAS = re.compile(r"(?P<name>[^_]+)(_LATE)?_(?P<id>\d+)_(?P<submission>\d+)_(?P<file>.+)")
"""Canvas, "Download Submissions": the sortable name without spaces, whether late, two numbers, file."""


@dataclass(frozen=True)
class HandIn:
    """What one student handed in: the submission, or why there is none.

    Attributes:
        student: the name under which the result is kept; no two are alike.
        remark: what an instructor should know of it.
    """

    student: str
    submission: Submission | None
    problem: str = ""
    remark: str = ""


@dataclass
class _Found:
    """Files or folders that belong to one student, before they are read."""

    name: str
    id: str
    paths: list[Path]
    is_set: bool
    """Whether the paths are single files, and not one folder or archive."""


def hand_ins(folder: Path, modules: Collection[str], leave: Path | None = None) -> Iterator[HandIn]:
    """Everything that was handed in, by name, read one after the other; `leave` is left out.

    Raises UsageError where the folder cannot be read, or holds nothing that could be a submission.
    """
    found = _found(folder, list(modules), leave)
    if not found:
        raise UsageError(
            tr(
                "{folder} holds no submission: no folder, no .zip and no set of modules such as "
                "ada_linear.py.",
                folder=one_line(str(folder), 500),
            )
        )
    for student, remark, item in _named(found):
        try:
            submission = _read(item, list(modules))
        except UsageError as error:
            yield HandIn(student, None, problem=str(error), remark=remark)
        else:
            yield HandIn(student, replace(submission, name=student), remark=remark)


def _found(folder: Path, modules: Sequence[str], leave: Path | None) -> list[_Found]:
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
            folders = {entry.name for entry in listed if entry.is_dir(follow_symlinks=False)}
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or error
        raise UsageError(
            tr(
                "{folder} cannot be read: {reason}. Name the directory that holds a folder, a .zip or a set "
                "of modules for each student.",
                folder=one_line(str(folder), 500),
                reason=reason,
            )
        ) from None
    if _holds_module(folder, modules):
        raise UsageError(
            tr(
                "{folder} is one submission, not a class of them: tower grade it, or name the directory "
                "above it.",
                folder=one_line(str(folder), 500),
            )
        )
    own = re.compile(rf"(?P<name>.+?)[ ._-]+(?P<file>({'|'.join(modules)})(-\d+)?\.(py|ipynb))")
    prefix = _repository_prefix(folder, folders)
    sets: dict[tuple[str, str], _Found] = {}
    found: list[_Found] = []
    for entry in listed:
        name, path = entry.name, Path(entry.path)
        if PASSED_OVER.match(name) or (leave and path.is_dir() and path.samefile(leave)):
            continue
        is_folder = entry.name in folders
        matched = MOODLE.fullmatch(name) or CANVAS.fullmatch(name)
        parts = matched.groupdict() if matched else {}
        if is_folder:
            plain = name.removeprefix(prefix)
            found.append(_Found(parts.get("name") or plain, parts.get("id", ""), [path], False))
        elif name.lower().endswith(".zip"):
            student = parts.get("name") or name[: -len(".zip")]
            found.append(_Found(student, parts.get("id", ""), [path], False))
        elif matched or (matched := own.fullmatch(name)):
            parts = matched.groupdict()
            key = parts["name"], parts.get("id") or ""
            if key not in sets:
                sets[key] = _Found(*key, [], True)
                found.append(sets[key])
            sets[key].paths.append(path)
        elif not TABLE.fullmatch(name):
            found.append(_Found(name, "", [path], False))
    return found


def _repository_prefix(folder: Path, folders: Iterable[str]) -> str:
    """What the names of a class's cloned repositories begin with: the assignment, and a hyphen.

    GitHub Classroom puts `ASSIGNMENT-STUDENT` into `ASSIGNMENT-submissions`; where that folder has been
    renamed, clones of more than one student still show what they share.
    """
    names = [name for name in folders if not PASSED_OVER.match(name)]
    assignment = re.fullmatch(r"(?P<slug>.+)-submissions", folder.resolve().name)
    if assignment and all(name.startswith(f"{assignment['slug']}-") for name in names):
        return f"{assignment['slug']}-"
    if len(names) > 1 and all((folder / name / ".git").is_dir() for name in names):
        shared, hyphen, _ = os.path.commonprefix(names).rpartition("-")  # noqa: RUF071 - of names
        return shared + hyphen
    return ""


def _named(found: Sequence[_Found]) -> Iterator[tuple[str, str, _Found]]:
    """Each with a name of its own, and a remark where it had to be told from another's."""
    by_name: dict[str, list[_Found]] = {}
    for item in found:
        item.name = student_name(item.name)
        by_name.setdefault(item.name.casefold(), []).append(item)
    taken = {item.name for item in found}
    for alike in by_name.values():
        if len(alike) == 1:
            yield alike[0].name, "", alike[0]
            continue
        where = ", ".join(one_line(item.paths[0].name, 60) for item in alike)
        remark = plural(
            "{count} submission bears this name: {files}. It is graded; say whose it is.",
            "{count} submissions bear one name: {files}. Each is graded; say whose is whose.",
            len(alike),
            files=where,
        )
        for item in alike:
            given = f"{item.name} ({item.id or student_name(item.paths[0].name)})"
            number = 2
            while given in taken:
                given, number = f"{item.name} ({item.id or 'another'}, {number})", number + 1
            taken.add(given)
            yield given, remark, item


def student_name(text: str) -> str:
    """A file's name as the name of a student: in one form of Unicode, on one line, never empty."""
    readable = os.fsencode(text).decode("utf-8", "replace")
    return one_line(unicodedata.normalize("NFC", readable), MAX_NAME).strip() or "(no name)"


def _read(item: _Found, modules: Sequence[str]) -> Submission:
    """Raises UsageError."""
    if not item.is_set:
        return read_submission(_submission_in(_plain(item.paths[0]), modules), modules)
    versions: dict[str, list[tuple[int, Path]]] = {}
    for path in item.paths:
        if matched := re.search(rf"({'|'.join(modules)})(?:-(\d+))?(\.py|\.ipynb)$", path.name):
            filename = matched[1] + matched[3]
            versions.setdefault(filename, []).append((int(matched[2] or 0), path))
    if not versions:
        if len(item.paths) == 1:
            return read_submission(_plain(item.paths[0]), modules)  # which says what it is
        listed = ", ".join(one_line(path.name, 60) for path in item.paths[:4])
        raise UsageError(tr("None of its files is a module: {listed}.", listed=listed))
    return read_set(item.name, {name: max(found)[1] for name, found in versions.items()}, modules)


def _plain(path: Path) -> Path:
    """The path, unless it is a link, which a student may have packed. Raises UsageError."""
    try:
        if stat.S_ISLNK(os.lstat(path).st_mode):
            raise UsageError(
                tr("{name} is a symbolic link, which is not followed.", name=one_line(path.name))
            )
    except OSError as error:
        raise UsageError(
            tr(
                "{name} cannot be read: {reason}.",
                name=one_line(path.name),
                reason=error.strerror,
            )
        ) from None
    return path


def _submission_in(path: Path, modules: Sequence[str]) -> Path:
    """Where in a student's folder the submission is: the folder, or the one folder or .zip in it that can be.

    An upload of a .zip arrives as a folder with that .zip in it, and an archive often holds one folder.
    Raises UsageError where there are several.
    """
    for _ in range(MAX_DEPTH):
        if not path.is_dir() or _holds_module(path, modules):
            break
        inside = _below(path)
        deeper = [entry for entry in inside if _holds_module(entry, modules)] or inside
        if len(deeper) > 1:
            listed = ", ".join(one_line(entry.name, 60) for entry in deeper[:4])
            raise UsageError(
                tr(
                    "{name} holds several that could be it: {listed}.",
                    name=one_line(path.name),
                    listed=listed,
                )
            )
        if not deeper:
            break
        path = deeper[0]
    return path


def _below(folder: Path) -> list[Path]:
    """Folders and archives in a folder, links left out."""
    try:
        with os.scandir(folder) as entries:
            return sorted(
                Path(entry.path)
                for entry in entries
                if not PASSED_OVER.match(entry.name)
                and (
                    entry.is_dir(follow_symlinks=False)
                    or (
                        entry.name.lower().endswith(".zip") and entry.is_file(follow_symlinks=False)
                    )
                )
            )
    except OSError as error:
        raise UsageError(
            tr(
                "{name} cannot be read: {reason}.",
                name=one_line(folder.name),
                reason=error.strerror,
            )
        ) from None


def _holds_module(folder: Path, modules: Sequence[str]) -> bool:
    return any(os.path.lexists(folder / filename) for filename in filenames(modules))
