"""Reads untrusted files into memory: the named modules and nothing else.

The path is the user's word and is followed wherever it leads. What lies below it is the student's: in
a directory a module is a regular file with one name, and no link is followed; an archive is read
through one descriptor and never unpacked. Sizes are capped whatever a file says of itself.
"""

import difflib
import hashlib
import os
import re
import stat
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from tower_student.errors import UsageError
from tower_student.language import mark, tr
from tower_student.notebooks import CELL, NotANotebook, module_text
from tower_student.text import one_line

MAX_MODULE_BYTES = 256 << 10
MAX_NOTEBOOK_BYTES = 16 << 20
"""Of a notebook, with the pictures that are in it; its code may take as much as a module."""
MAX_CONTENTS_BYTES = 1 << 20
"""Of an archive's table of contents, which takes about 120 for an entry."""
MAX_NAMES = 1000
"""How many names are looked at for one that is nearly right."""


@dataclass(frozen=True)
class Submission:
    """What one student handed in, as bytes.

    Attributes:
        name: of the directory or archive.
        sources: the text of each module that could be read.
        problems: for each module that could not be read, a sentence that says why.
        remarks: for a module that was read, what is to be said of how.
    """

    name: str
    sources: Mapping[str, bytes]
    problems: Mapping[str, str]
    remarks: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 over the names and bytes of the modules, in the order of their names."""
        digest = hashlib.sha256()
        for name, source in sorted(self.sources.items()):
            digest.update(f"{name} {len(source)}\n".encode())
            digest.update(source)
        return digest.hexdigest()

    def line(self, module: str, number: int) -> str:
        """One line of a module's text, cleaned, or "" where there is none."""
        lines = self._lines(module)
        return one_line(lines[number - 1]) if 0 < number <= len(lines) else ""

    def place(self, module: str, number: int) -> str:
        """One line of a module, in words: of a notebook, the line of a cell."""
        before = "\n".join(self._lines(module)[:number])
        cells = [*CELL.finditer(before)]
        if not cells:
            return tr("{module}.py, line {line}", module=module, line=number)
        line = before.count("\n", cells[-1].end())
        cell = cells[-1]["number"]
        return tr("{module}.ipynb, cell {cell}, line {line}", module=module, cell=cell, line=line)

    def location(self, module: str, number: int) -> tuple[str, int] | None:
        """One line of a module as a location, or None where it has no such line."""
        within = 0 < number <= len(self._lines(module))
        return (f"{module}.py", number) if within else None

    def definition(self, module: str, name: str) -> tuple[str, int] | None:
        """Where a module's text defines a class or a function at its top, or None."""
        begins = re.compile(rf"(class|def)\s+{re.escape(name)}\b")
        numbers = (i for i, line in enumerate(self._lines(module), 1) if begins.match(line))
        number = next(numbers, None)
        return (f"{module}.py", number) if number else None

    def _lines(self, module: str) -> list[str]:
        return re.split("\r\n|\r|\n", self.sources.get(module, b"").decode(errors="replace"))


def read_submission(path: Path, modules: Iterable[str]) -> Submission:
    """Read the named modules from a directory or a .zip, or one of them from a notebook.

    Where there is no NAME.py, the module is taken from NAME.ipynb. A module that is missing or unreadable
    becomes a problem of its own. Raises UsageError where the path is no submission at all, or holds none of
    the modules.
    """
    modules = list(modules)
    shown = one_line(str(path), 500)
    try:
        name = one_line(re.sub(r"(?i)\.zip$", "", os.path.realpath(path).rpartition("/")[2]))
        with _opened(path, list(filenames(modules))) as holder:
            return _collected(holder, name or "submission", shown, modules)
    except FileNotFoundError:
        raise UsageError(
            tr("{path} does not exist. Name a directory, a .zip or a notebook.", path=shown)
        ) from None
    except (OSError, Unreadable, ValueError) as error:  # ValueError: a path that holds "\0"
        raise UsageError(
            tr("{path} cannot be read: {reason}.", path=shown, reason=_reason(error))
        ) from None


def read_set(name: str, files: Mapping[str, Path], modules: Iterable[str]) -> Submission:
    """Read modules that lie beside those of others, under names of their own.

    `files` says where each of them is, by the name that it would bear alone, such as linear.py. Raises
    UsageError where none of them is a module.
    """
    return _collected(_Set(files), name, name, list(modules))


def filenames(modules: Iterable[str]) -> Iterator[str]:
    """The names of files that may hold one of the modules."""
    for module in modules:
        yield from (f"{module}.py", f"{module}.ipynb")


def _collected(
    holder: "_Directory | _Archive | _Single | _Set", name: str, shown: str, modules: Sequence[str]
) -> Submission:
    sources, problems, absent = {}, {}, []
    for module in modules:
        filename = f"{module}.py"
        try:
            try:
                sources[module] = checked(holder.read(filename, MAX_MODULE_BYTES))
            except FileNotFoundError:
                filename = f"{module}.ipynb"
                sources[module] = of_notebook(holder.read(filename, MAX_NOTEBOOK_BYTES))
        except FileNotFoundError:
            absent.append(module)
        except (OSError, Unreadable) as error:
            problems[module] = tr(
                "{file} could not be read: {reason}.", file=filename, reason=_reason(error)
            )
    names = holder.names() if absent else []
    if len(absent) == len(modules):
        said = tr(
            "{path} holds none of the modules {modules}, nor a notebook of one. Name the directory or .zip "
            "that holds them at its top.",
            path=shown,
            modules=", ".join(f"{module}.py" for module in modules),
        )
        raise UsageError(f"{said}{_contents(names)}")
    for module in absent:
        filename = f"{module}.py"
        said = tr("{file} was not submitted.", file=filename)
        problems[module] = f"{said}{_nearest(filename, names)}"
    return Submission(name, sources, problems)


class Unreadable(Exception):
    """Why a file is not taken: the end of a sentence."""


def _reason(error: Exception) -> str:
    return one_line((isinstance(error, OSError) and error.strerror) or str(error), 400)


@contextmanager
def _opened(path: Path, filenames: Collection[str]) -> Iterator["_Directory | _Archive | _Single"]:
    with _descriptor(path, {stat.S_IFDIR, stat.S_IFREG}, follow=True) as descriptor:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            yield _Directory(descriptor, filenames)
        else:
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                single = path.suffix == ".ipynb"
                yield _Single(file, path.name) if single else _Archive(file, filenames)


KINDS = {
    stat.S_IFDIR: mark("a directory"),
    stat.S_IFLNK: mark("a symbolic link"),
    stat.S_IFIFO: mark("a pipe"),
    stat.S_IFSOCK: mark("a socket"),
}
DEVICE = mark("a device")


@contextmanager
def _descriptor(
    path: Path | str, kinds: Collection[int], *, within: int | None = None, follow: bool = False
) -> Iterator[int]:
    """A descriptor of a file that is of one of these kinds.

    The kind is asked for before the file is opened, since opening a device can have effects; that
    it has not been replaced in between, afterwards.
    """
    before = os.stat(path, dir_fd=within, follow_symlinks=follow)
    kind = stat.S_IFMT(before.st_mode)
    if kind not in kinds:
        found = tr(KINDS.get(kind, DEVICE))
        raise Unreadable(
            tr("it is {kind}, not a directory or a file", kind=found)
            if stat.S_IFDIR in kinds
            else tr("it is {kind}, not a file", kind=found)
        )
    if not follow and before.st_nlink > 1:
        # Its other name may lie where the student cannot look but the grader can. Backups that link
        # what has not changed are refused with it: from outside the two cannot be told apart.
        raise Unreadable(tr("it has another name elsewhere (a hard link); hand in a copy of it"))
    # O_NONBLOCK: nobody who holds a lease on the file, or the other end of a pipe, is waited for.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | (0 if follow else os.O_NOFOLLOW)
    descriptor = os.open(path, flags, dir_fd=within)
    try:
        after = os.fstat(descriptor)
        if not os.path.samestat(before, after) or stat.S_IFMT(after.st_mode) != kind:
            raise Unreadable(tr("it was replaced while it was read"))  # a number can be used again
        yield descriptor
    finally:
        os.close(descriptor)


class _Directory:
    """The regular files at the top of a directory."""

    def __init__(self, descriptor: int, filenames: Collection[str]) -> None:
        self._descriptor = descriptor
        self._filenames = filenames

    def read(self, filename: str, limit: int) -> bytes:
        """A file, or enough of it to see that it is larger than the limit.

        Raises FileNotFoundError where it is missing, OSError or Unreadable where it is not taken.
        """
        with (
            _descriptor(filename, {stat.S_IFREG}, within=self._descriptor) as descriptor,
            os.fdopen(descriptor, "rb", closefd=False) as file,
        ):
            return file.read(limit + 1)

    def names(self) -> list[str]:
        """Some of what is there, and the modules one folder further down."""
        names = []
        with os.scandir(self._descriptor) as entries:
            for entry in islice(entries, MAX_NAMES):
                folder = entry.is_dir(follow_symlinks=False)
                inside = [f"{entry.name}/{name}" for name in self._filenames] if folder else []
                names += [name for name in inside if self._has(name)] or [entry.name]
        return names

    def _has(self, name: str) -> bool:
        return os.access(name, os.F_OK, dir_fd=self._descriptor, follow_symlinks=False)


ENCRYPTED = 0x2041
"""Flags of a zip entry: encrypted, strongly encrypted, and the same of its header."""
DOS_DIRECTORY = 0x10


class _Archive:
    """The files of a .zip at its top, or in the one folder that holds the modules, as tools pack them."""

    def __init__(self, file: BinaryIO, filenames: Collection[str]) -> None:
        _demand_zip(file)
        try:
            self._archive = zipfile.ZipFile(_Capped(file))
        except Unreadable:
            raise
        except Exception as error:  # zipfile raises a dozen kinds for bytes that are no archive
            raise Unreadable(
                tr("it is damaged, pack it again ({reason})", reason=_reason(error))
            ) from None
        self._names: list[str] = []
        folders: dict[tuple[str, ...], dict[str, list[zipfile.ZipInfo]]] = {}
        for entry in self._archive.infolist():
            *folder, filename = _parts(entry.orig_filename)
            if filename in filenames:
                folders.setdefault(tuple(folder), {}).setdefault(filename, []).append(entry)
            if filename and len(self._names) < MAX_NAMES:
                self._names.append("/".join([*folder, filename]))
        depth = min(map(len, folders), default=0)
        highest = [folder for folder in folders if len(folder) == depth]
        if len(highest) > 1:
            listed = _listing(["/".join(folder) for folder in highest])
            raise Unreadable(
                tr(
                    "several of its folders hold modules, {folders}; pack one of them",
                    folders=listed,
                )
            )
        self._prefix = "".join(f"{part}/" for folder in highest for part in folder)
        self._entries = folders[highest[0]] if highest else {}

    def read(self, filename: str, limit: int) -> bytes:
        """A file, whole. Raises as _Directory.read does."""
        if filename not in self._entries:
            raise FileNotFoundError
        entry, *others = self._entries[filename]
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if others:
            raise Unreadable(tr("the archive holds it more than once"))
        if entry.filename.endswith(("/", "\\")) or entry.external_attr & DOS_DIRECTORY:
            raise Unreadable(tr("it is {kind}, not a file", kind=tr(KINDS[stat.S_IFDIR])))
        if kind not in (0, stat.S_IFREG):
            raise Unreadable(tr("it is a link or a device, not a file; pack the file itself"))
        if entry.flag_bits & ENCRYPTED:
            raise Unreadable(tr("it is encrypted; pack it without a password"))
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # The other methods can ask for gigabytes of memory before the first byte comes out.
            raise Unreadable(
                tr("it is compressed by a method that is not read; pack an ordinary .zip")
            )
        if max(entry.file_size, entry.compress_size) > limit:
            raise _too_large(limit)
        try:
            with self._archive.open(entry) as file:
                return file.read(limit + 1)
        except Exception as error:  # as above, and zlib.error
            raise Unreadable(
                tr("the archive is damaged ({reason})", reason=_reason(error))
            ) from None

    def names(self) -> list[str]:
        """Some of what is there, as seen from the folder of the modules."""
        return [name.removeprefix(self._prefix) for name in self._names]


class _Single:
    """One file by its own name."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self._name = file, name

    def read(self, filename: str, limit: int) -> bytes:
        """The file, if it is this one. Raises FileNotFoundError."""
        if filename != self._name:
            raise FileNotFoundError
        return self._file.read(limit + 1)

    def names(self) -> list[str]:
        """Its own."""
        return [self._name]


class _Set:
    """Files that lie anywhere, by the names under which they are asked for."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = files

    def read(self, filename: str, limit: int) -> bytes:
        """A file, or enough of it. Raises as _Directory.read does."""
        if filename not in self._files:
            raise FileNotFoundError
        with (
            _descriptor(self._files[filename], {stat.S_IFREG}) as descriptor,
            os.fdopen(descriptor, "rb", closefd=False) as file,
        ):
            return file.read(limit + 1)

    def names(self) -> list[str]:
        """What they are called where they lie."""
        return [path.name for path in self._files.values()]


class _Capped:
    """A file that hands out no more at once than an honest archive needs.

    zipfile reads as much as an archive claims that its table of contents takes.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, count: int = -1) -> bytes:
        """At most `count` bytes; without one, at most as many as are handed out at once."""
        if count > MAX_CONTENTS_BYTES:
            raise Unreadable(tr("it holds too many files; pack the modules alone"))
        return self._file.read(count if count >= 0 else MAX_CONTENTS_BYTES)


OTHER_ARCHIVES = (  # how a file begins, where, and what it is then
    (b"7z\xbc\xaf\x27\x1c", 0, mark("a 7z archive")),
    (b"Rar!\x1a\x07", 0, mark("a rar archive")),
    (b"\x1f\x8b", 0, mark("a gzip archive")),
    (b"BZh", 0, mark("a bzip2 archive")),
    (b"\xfd7zXZ\0", 0, mark("an xz archive")),
    (b"\x28\xb5\x2f\xfd", 0, mark("a zstd archive")),
    (b"ustar", 257, mark("a tar archive")),
)
ZIP_BEGINNINGS = (b"PK\3\4", b"PK\5\6")
"""Of the first entry, and of the end of an archive without any."""


def _demand_zip(file: BinaryIO) -> None:
    """Raise Unreadable unless the file begins as a .zip does.

    A .zip is found from its end, so any other file may be one besides; what a student shows and
    what is graded would then be two things.
    """
    beginning = file.read(512)
    if beginning.startswith(ZIP_BEGINNINGS):
        return
    for magic, offset, kind in OTHER_ARCHIVES:
        if beginning.startswith(magic, offset):
            raise Unreadable(
                tr("it is {kind}; pack a .zip, or name the directory itself", kind=tr(kind))
            )
    raise Unreadable(tr("it is neither a directory nor a .zip"))


def _parts(name: str) -> tuple[str, ...]:
    """The folders and the name of an archive's entry, or ("",) for one that is hidden or lies elsewhere."""
    path = PurePosixPath(name.replace("\\", "/"))  # old tools of Windows separate them so
    *folders, _ = parts = path.parts or ("",)
    for folder in folders:
        if folder.startswith((".", "/")) or folder.endswith(":") or folder == "__MACOSX":
            return ("",)
    return parts if "\0" not in name else ("",)


def _too_large(limit: int) -> Unreadable:
    if limit == MAX_MODULE_BYTES:
        return Unreadable(tr("it is larger than {size} KiB", size=limit >> 10))
    return Unreadable(tr("it is larger than {size} MiB; clear its outputs", size=limit >> 20))


def checked(source: bytes) -> bytes:
    """A module's text, unchanged. Raises Unreadable where the grader does not take it."""
    if len(source) > MAX_MODULE_BYTES:
        raise _too_large(MAX_MODULE_BYTES)
    try:
        source.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(
            tr("it is not UTF-8 text (byte {position}); save it as UTF-8", position=error.start)
        ) from None
    if b"\0" in source:
        raise Unreadable(
            tr(
                "it is not text (byte {position} is null); save it as UTF-8",
                position=source.index(0),
            )
        )
    return source


def of_notebook(content: bytes) -> bytes:
    """The text of the module in a notebook. Raises Unreadable where the grader does not take it."""
    if len(content) > MAX_NOTEBOOK_BYTES:
        raise _too_large(MAX_NOTEBOOK_BYTES)
    try:
        return checked(module_text(content))
    except NotANotebook as error:
        raise Unreadable(str(error)) from None


def _nearest(filename: str, names: list[str]) -> str:
    by_folded = {name.casefold(): name for name in names}
    found = difflib.get_close_matches(filename, by_folded, n=1, cutoff=0.75)
    if not found:
        return ""
    near = _shown(by_folded[found[0]])
    if by_folded[found[0]].endswith(".ipynb"):
        wanted = f"{filename.removesuffix('.py')}.ipynb"
        said = tr("There is a {path}: if that is it, name it {wanted}.", path=near, wanted=wanted)
    elif "/" in near:
        said = tr("There is a {path}: if that is it, move it.", path=near)
    else:
        said = tr("There is a {path}: if that is it, rename it.", path=near)
    return f" {said}"


def _contents(names: list[str]) -> str:
    return f" {tr('It holds {names}.', names=_listing(names))}" if names else ""


def _listing(names: list[str]) -> str:
    """A few of the names: what lies in folders first, hidden files last."""
    order = sorted(names, key=lambda name: ("/" not in name, name.startswith("."), name))
    shown = ", ".join(_shown(name) for name in order[:8])
    return tr("{names} and more", names=shown) if len(order) > 8 else shown


def _shown(name: str) -> str:
    """A path's name, fit to stand within a sentence: in quotes where it might pass for one."""
    shown = one_line(name, 60)
    return shown if re.fullmatch(r"[\w./-]+", shown) else f'"{shown.replace(chr(34), "?")}"'
