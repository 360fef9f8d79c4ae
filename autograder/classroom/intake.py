"""A directory of submissions → who handed in what, where it lies, and what could not be told apart.

What lies in the directory was packed by students, and is data: no link is followed, nothing is unpacked.
Folder and file names of these systems are understood:

Moodle        `Ada Lovelace_123456_assignsubmission_file_/`, or the same before the name of each file
Canvas        `lovelaceada_LATE_1234_567890_linear.py`, with `-1` before the ending of a later version
Blackboard    `Homework 1_ada_attempt_2026-11-20-18-30-00_linear.py`, and a .txt about each attempt
Brightspace   `1234-5678 - Ada Lovelace - Nov 20, 2026 630 PM/`, or the same before the name of each file
Gradescope    `submission_123456/`, with submission_metadata.yml, which says whose it is
GitHub        `ASSIGNMENT-ada/`, as `gh classroom clone student-repos` names them
ILIAS         `Lovelace_Ada_ada_1234/`
Google        `Ada Lovelace - linear.ipynb`, as Classroom names a copy for each student

Of several attempts of one student the newest counts.
"""

import contextlib
import os
import re
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from autograder.errors import UsageError
from tower_student.filenames import filenames, is_code, is_evident, listing, pattern, shown
from tower_student.language import plural, tr
from tower_student.submission import (
    Modules,
    NotRead,
    Submission,
    Wanted,
    read_set,
    read_submission,
)
from tower_student.text import one_line

MAX_NAME = 120
"""Characters of a student's name that are kept."""
PASSED_OVER = re.compile(
    r"\.|__MACOSX$|Thumbs\.db$|desktop\.ini$|index\.html$|submission_metadata\.yml$"
    r"|.*_assignsubmission_onlinetext",
    re.IGNORECASE,
)
"""How names begin of what systems put beside submissions; Moodle's online texts among them."""
TABLE = re.compile(r".+\.(csv|xlsx|json|md|txt)$", re.IGNORECASE)
"""Lists that lie beside submissions, such as grading worksheets."""

MAX_DEPTH = 3
"""How far below a student's folder the modules may lie."""
MAX_INSIDE = 20
"""How many folders and archives in a student's folder are looked into."""
MAX_METADATA = 16 << 20
"""Bytes of Gradescope's list that are read."""

METADATA = "submission_metadata.yml"
TIME = r"(?P<time>[^-]*\d{4} \d{1,2}:?\d\d( [AP]M)?)"
PLATFORMS = [
    # Moodle's mod/assign/locallib.php: full name (underscores in it become spaces), number, plugin, file.
    re.compile(r"(?P<name>[^_]+)_(?P<id>\d+)_assignsubmission_file(_(?P<file>.*))?"),
    # Blackboard: assignment, user name, when; of the attempt itself a .txt.
    re.compile(
        r".+_(?P<name>[^_]+)_attempt_(?P<time>\d{4}(-\d\d){5})(_(?P<file>.+)|(?P<about>\.txt))"
    ),
    # Brightspace: numbers of the user and of the folder, full name, when.
    re.compile(rf"(?P<id>\d+)-\d+ - (?P<name>.+?) - {TIME}( - (?P<file>.+))?"),
    # Canvas: the sortable name without spaces, whether late, numbers of the user and of the file, file.
    re.compile(r"(?P<name>[^_]+)(_LATE)?_(?P<id>\d+)_(?P<number>\d+)_(?P<file>.+)"),
    # ILIAS keeps a folder for each student, and GitHub Classroom a repository; see _found.
]
TIMES = ("%b %d %Y %I%M %p", "%d %b %Y %I%M %p", "%d %b %Y %H%M", "%b %d %Y %H%M")
"""How Brightspace writes when something was handed in, months cut to three letters."""
VERSION = re.compile(r"(?P<name>.+)-(?P<number>\d{1,6})(?P<ending>\.\w+)")
COPY = re.compile(r"(copy of|kopie von|copie de|copia de|cópia de|kopia|копия)\s+", re.IGNORECASE)
"""What Google Drive puts before the name of a copy."""


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


@dataclass(frozen=True)
class _Piece:
    """A file or a folder of an export.

    Attributes:
        time: when it was handed in, in a form that sorts; "" where that is not known.
        name: what the student called a file; "" where that is not known.
        number: by which files of the same name can be ordered.
        is_whole: whether it may be all that was handed in: a folder, an archive, or what may be anything.
    """

    path: Path
    time: str = ""
    name: str = ""
    number: int = 0
    is_whole: bool = True


@dataclass
class _Found:
    """What belongs to one student, before it is read."""

    name: str
    id: str = ""
    pieces: list[_Piece] = field(default_factory=list)
    remark: str = ""

    @property
    def first(self) -> str:
        """The name of one of its files."""
        return self.pieces[0].path.name if self.pieces else ""

    @property
    def times(self) -> list[str]:
        """When there was an attempt, from the first to the newest."""
        return sorted({piece.time for piece in self.pieces})


def hand_ins(folder: Path, modules: Modules, leave: Path | None = None) -> Iterator[HandIn]:
    """Everything that was handed in, by name, read one after the other; `leave` is left out.

    Raises UsageError where the folder cannot be read, or holds nothing that could be a submission.
    """
    modules = list(modules)
    names = [module if isinstance(module, str) else module.name for module in modules]
    found = _found(folder, names, leave)
    if not found:
        raise UsageError(
            tr(
                "{folder} holds no submission: no folder, no .zip and no set of modules such as "
                "ada_linear.py.",
                folder=one_line(str(folder), 500),
            )
        )
    for student, remark, item in _named(found):
        remark = " ".join(filter(None, (remark, item.remark, _on_attempts(item))))
        try:
            submission = _read(item, modules)
        except NotRead as error:
            yield HandIn(student, None, problem=error.why, remark=remark)
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
    if any(os.path.lexists(folder / filename) for filename in filenames(modules)):
        raise UsageError(
            tr(
                "{folder} is one submission, not a class of them: tower grade it, or name the directory "
                "above it.",
                folder=one_line(str(folder), 500),
            )
        )
    prefix = _repository_prefix(folder, folders)
    listed_there = _metadata(folder / METADATA)
    known: dict[tuple[str, str], _Found] = {}
    found: list[_Found] = []

    def of(name: str, id: str) -> _Found:
        if (name, id) not in known:
            known[name, id] = _Found(name, id)
            found.append(known[name, id])
        return known[name, id]

    for entry in listed:
        name, path = entry.name, Path(entry.path)
        if PASSED_OVER.match(name) or (leave and path.is_dir() and path.samefile(leave)):
            continue
        is_whole = name in folders or name.lower().endswith(".zip")
        if about := listed_there.get(name):
            of(about.name, about.id).pieces.append(_Piece(path, about.time))
        elif matched := next(filter(None, (each.fullmatch(name) for each in PLATFORMS)), None):
            parts = matched.groupdict()
            item = of(parts["name"], parts.get("id") or "")
            time = _time(parts.get("time") or "")
            if parts.get("about"):
                continue  # so that whoever handed in nothing else is not forgotten
            alone, number = parts["file"] or "", int(parts.get("number") or 0)
            item.pieces.append(_Piece(path, time, alone, number, is_whole or not alone))
        elif is_whole:
            plain = name.removeprefix(prefix) if name in folders else name[: -len(".zip")]
            found.append(_Found(plain, pieces=[_Piece(path)]))
        elif owned := _owned(name, modules):
            of(owned[0], "").pieces.append(_Piece(path, name=owned[1], is_whole=False))
        elif is_code(name):
            said = tr(
                "The name of {file} does not say whose it is; rename it, as ada_{module}.py.",
                file=shown(name),
                module=next((m for m in modules if is_evident(name, m)), modules[0]),
            )
            found.append(_Found(name.partition(".")[0], pieces=[_Piece(path)], remark=said))
        elif not TABLE.fullmatch(name):
            found.append(_Found(name, pieces=[_Piece(path)]))
    return found


def _newest(pieces: Sequence[_Piece], modules: Sequence[str]) -> dict[str, _Piece]:
    """Pieces of one attempt by name, of several versions the last.

    Canvas writes a version behind the name of what was handed in before; other names may end in a number,
    too.
    """
    found = {piece.name: piece for piece in sorted(pieces, key=lambda piece: piece.number)}
    versions: dict[str, tuple[int, str]] = {}
    for name in found:
        if matched := VERSION.fullmatch(name):
            plain = matched["name"] + matched["ending"]
            if plain in found or matched["name"] in modules:
                versions[plain] = max(versions.get(plain, (0, "")), (int(matched["number"]), name))
    newest = {plain: found[name] for plain, (_, name) in versions.items()}
    rest = {name: piece for name, piece in found.items() if not _is_version(name, versions)}
    return {**rest, **newest}


def _is_version(name: str, versions: Mapping[str, object]) -> bool:
    matched = VERSION.fullmatch(name)
    return bool(matched and matched["name"] + matched["ending"] in versions)


def _owned(name: str, modules: Sequence[str]) -> tuple[str, str] | None:
    """The student whose name stands before that of a module in a file's, and the rest of it."""
    if not any(is_evident(name, module) for module in modules):
        return None
    plain = COPY.sub("", name, count=1) if COPY.match(name) else name
    names = "|".join(map(pattern, modules))
    matched = re.fullmatch(rf"(?P<owner>.*?)[ ._-]+(?P<file>({names}).*)", plain, re.IGNORECASE)
    owner = matched["owner"].strip(" ._-") if matched else ""
    return (owner, matched["file"]) if matched and owner else None


@dataclass(frozen=True)
class _Listed:
    """What Gradescope's list says of one submission."""

    name: str
    id: str
    time: str


def _metadata(path: Path) -> dict[str, _Listed]:
    """Gradescope's list of an export's folders: who handed in each, and when.

    It is YAML as Ruby writes it, of which these lines are understood and no others.
    """
    try:
        if not path.is_file() or path.is_symlink():
            return {}
        with path.open("rb") as file:
            text = file.read(MAX_METADATA).decode("utf-8", "replace")
    except OSError:
        return {}
    found: dict[str, _Listed] = {}
    for block in re.split(r"^(?=\S)", text, flags=re.MULTILINE):
        if not (heading := re.match(r"[\"']?(?P<folder>[^:\"'\n]+)[\"']?:[ ]*\n", block)):
            continue
        submitters = re.search(r"^  :submitters:[ ]*\n((?:  -.*\n|   .*\n)+)", block, re.MULTILINE)
        people = submitters[1] if submitters else ""
        names = [_scalar(text) for text in re.findall(r":name: (.+)", people)]
        ids = [_scalar(text) for text in re.findall(r":(?:sid|email): (.+)", people)]
        created = re.search(r"^  :created_at: (.+)", block, re.MULTILINE)
        if names:
            time = _scalar(created[1])[:19] if created else ""
            found[heading["folder"]] = _Listed(", ".join(names), next(iter(ids), ""), time)
    return found


def _scalar(text: str) -> str:
    """A value of a line of YAML, without its quotes."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def _time(text: str) -> str:
    """When something was handed in, in a form that sorts; "" where nothing is said."""
    plain = re.sub(r"([^\W\d]{3})[^\W\d]*", r"\1", text.replace(",", "").replace(":", ""))
    plain = re.sub(r"\b(?=\d{3}( [AP]M)?$)", "0", plain)  # 630 PM
    for form in TIMES:
        with contextlib.suppress(ValueError):
            return datetime.strptime(plain, form).isoformat(" ")
    return text


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
        where = ", ".join(one_line(item.first, 60) for item in alike)
        remark = plural(
            "{count} submission bears this name: {files}. It is graded; say whose it is.",
            "{count} submissions bear one name: {files}. Each is graded; say whose is whose.",
            len(alike),
            files=where,
        )
        for item in alike:
            given = f"{item.name} ({item.id or student_name(item.first)})"
            number = 2
            while given in taken:
                given, number = f"{item.name} ({item.id or 'another'}, {number})", number + 1
            taken.add(given)
            yield given, remark, item


def student_name(text: str) -> str:
    """A file's name as the name of a student: in one form of Unicode, on one line, never empty."""
    readable = os.fsencode(text).decode("utf-8", "replace")
    return one_line(unicodedata.normalize("NFC", readable), MAX_NAME).strip() or "(no name)"


def _on_attempts(item: _Found) -> str:
    times = item.times
    if len(times) < 2:
        return ""
    return plural(
        "{count} attempt was handed in; the newest counts, of {time}.",
        "{count} attempts were handed in; the newest counts, of {time}.",
        len(times),
        time=one_line(times[-1], 60),
    )


def _read(item: _Found, modules: Sequence[str | Wanted]) -> Submission:
    """Read the newest of a student's attempts. Raises NotRead."""
    newest = item.times[-1] if item.times else ""
    names = [module if isinstance(module, str) else module.name for module in modules]
    attempt = [piece for piece in item.pieces if piece.time == newest]
    named = _newest([piece for piece in attempt if piece.name], names)
    files = {name: piece.path for name, piece in named.items() if not piece.is_whole}
    wholes = [
        piece.path
        for piece in (*named.values(), *(piece for piece in attempt if not piece.name))
        if piece.is_whole
    ]
    if files or not wholes:
        try:
            return read_set(item.name, files, modules)
        except NotRead:
            if not wholes:
                raise
    return _one_of(wholes, modules, MAX_DEPTH)


def _one_of(paths: Sequence[Path], modules: Sequence[str | Wanted], depth: int) -> Submission:
    """Read the one of these paths that is a submission. Raises NotRead."""
    read: list[tuple[Path, Submission]] = []
    refusals: list[NotRead] = []
    for path in paths:
        try:
            read.append((path, _whole(path, modules, depth)))
        except NotRead as error:
            refusals.append(error)
    if len({submission.digest for _, submission in read}) == 1:  # as of the members of a team
        return read[0][1]
    if not read and len(refusals) == 1:
        raise refusals[0]
    said = tr(
        "Several could be it: {files}.",
        files=listing([path.name for path, _ in read] or [path.name for path in paths]),
    )
    raise NotRead(said, said)


def _whole(path: Path, modules: Sequence[str | Wanted], depth: int) -> Submission:
    """Read a folder, an archive or a file; or the folder or archive in a folder that can be read.

    An upload of a .zip arrives as a folder with that .zip in it, and an archive often holds one folder.
    Raises NotRead.
    """
    try:
        return read_submission(_plain(path), modules)
    except NotRead:
        inside = _below(path) if depth and path.is_dir() else []
        if not inside:
            raise
        return _one_of(inside, modules, depth - 1 if len(inside) == 1 else 0)


def _plain(path: Path) -> Path:
    """The path, unless it is a link, which a student may have packed. Raises NotRead."""
    try:
        if stat.S_ISLNK(os.lstat(path).st_mode):
            said = tr("{name} is a symbolic link, which is not followed.", name=shown(path.name))
            raise NotRead(said, said)
    except OSError as error:
        raise _unreadable(path, error) from None
    return path


def _below(folder: Path) -> list[Path]:
    """Folders and archives in a folder, links left out. Raises NotRead."""
    try:
        with os.scandir(folder) as entries:
            found = sorted(
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
        raise _unreadable(folder, error) from None
    return found[:MAX_INSIDE]


def _unreadable(path: Path, error: OSError) -> NotRead:
    said = tr("{name} cannot be read: {reason}.", name=shown(path.name), reason=error.strerror)
    return NotRead(said, said)
