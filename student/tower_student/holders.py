"""Where the files of a submission lie: a directory, an archive, a set, or nowhere but in one file.

The path is the user's word and is followed wherever it leads. What lies below it is the student's: in
a directory a module is a regular file with one name, and no link is followed; an archive is read
through one descriptor and never unpacked. Sizes are capped whatever a file says of itself.
"""

import os
import stat
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from tower_student.filenames import filenames, is_code, is_evident, listing
from tower_student.language import mark, tr
from tower_student.sources import Unreadable, too_large
from tower_student.text import one_line

MAX_CONTENTS_BYTES = 1 << 20
"""Of an archive's table of contents, which takes about 120 for an entry."""
MAX_NAMES = 1000
"""How many names of a directory or an archive are looked at."""
MAX_LOOKED = 50
"""How many of those that lie in one of several folders."""


def reason_of(error: Exception) -> str:
    """What an error says, as the end of a sentence."""
    return one_line((isinstance(error, OSError) and error.strerror) or str(error), 400)


class Holder(Protocol):
    """The files of one submission."""

    def read(self, filename: str, limit: int) -> bytes:
        """A file, or enough of it to see that it is larger than the limit.

        Raises FileNotFoundError where it is missing, OSError or Unreadable where it is not taken.
        """

    def names(self) -> list[str]:
        """Some of what is there, as seen from the folder of the modules."""


@contextmanager
def opened(path: Path, modules: Sequence[str]) -> Iterator[Holder]:
    """The files of a directory, of a .zip, or a single file.

    Raises FileNotFoundError and other OSErrors, Unreadable, and ValueError of a path with a null in it.
    """
    with _descriptor(path, {stat.S_IFDIR, stat.S_IFREG}, follow=True) as descriptor:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            with ExitStack() as stack:
                yield _Directory(_inside(descriptor, modules, stack))
        else:
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                single = is_code(path.name)
                yield _Single(file, path.name) if single else _Archive(file, modules)


def _inside(descriptor: int, modules: Sequence[str], stack: ExitStack) -> list[int]:
    """The directory, or what in it holds the modules, where its top holds none."""
    exact = list(filenames(modules))
    if any(_has(descriptor, name) for name in exact):
        return [descriptor]
    top = _listed(descriptor)
    folders: dict[Folder, list[str]] = {(): top}
    for name in top:
        if not _is_passed_over(name):
            with suppress(OSError, Unreadable), _folder(descriptor, name) as inner:
                present = [name for name in exact if _has(inner, name)]
                folders[name,] = present or _listed(inner, MAX_LOOKED)
    return [
        stack.enter_context(_folder(descriptor, folder[0])) if folder else descriptor
        for folder in _folders_of(folders, modules)
    ]


def _folder(descriptor: int, name: str) -> AbstractContextManager[int]:
    return _descriptor(name, {stat.S_IFDIR}, within=descriptor)


def _listed(descriptor: int, most: int = MAX_NAMES) -> list[str]:
    """Some of the names in a directory."""
    with os.scandir(descriptor) as entries:
        return [entry.name for entry in islice(entries, most)]


def _has(descriptor: int, name: str) -> bool:
    return os.access(name, os.F_OK, dir_fd=descriptor, follow_symlinks=False)


Folder = tuple[str, ...]


def _folders_of(folders: Mapping[Folder, Collection[str]], modules: Sequence[str]) -> list[Folder]:
    """The highest folders that hold modules by their names, or else by names that come near; else the top.

    Raises Unreadable where several hold the same module.
    """
    laws: list[Callable[[str, str], bool]] = [
        lambda name, module: name in filenames([module]),
        is_evident,
        lambda name, module: is_code(name),
    ]
    for law in laws:
        held = {
            folder: [module for module in modules if any(law(name, module) for name in names)]
            for folder, names in folders.items()
        }
        depth = min((len(folder) for folder, its in held.items() if its), default=0)
        highest = [folder for folder, its in held.items() if its and len(folder) == depth]
        total = [module for folder in highest for module in held[folder]]
        if highest and len(total) == len(set(total)):
            return highest
        if highest and law is not laws[-1]:
            raise Unreadable(
                tr(
                    "several of its folders hold modules, {folders}; pack one of them",
                    folders=listing(["/".join(folder) for folder in highest]),
                )
            )
    return [()]


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
    if not follow and kind == stat.S_IFREG and before.st_nlink > 1:
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
    """The regular files at the top of a directory, or of folders in it."""

    def __init__(self, descriptors: Sequence[int]) -> None:
        self._descriptors = descriptors

    def read(self, filename: str, limit: int) -> bytes:
        """A file. Raises as the protocol says."""
        for within in self._descriptors:
            with (
                suppress(FileNotFoundError),
                _descriptor(filename, {stat.S_IFREG}, within=within) as descriptor,
                os.fdopen(descriptor, "rb", closefd=False) as file,
            ):
                return file.read(limit + 1)
        raise FileNotFoundError

    def names(self) -> list[str]:
        """Some of what is there, and Python files one folder further down."""
        names = []
        for within in self._descriptors:
            for name in _listed(within):
                inside: list[str] = []
                if not _is_passed_over(name):
                    with suppress(OSError, Unreadable), _folder(within, name) as inner:
                        inside = [each for each in _listed(inner, MAX_LOOKED) if is_code(each)]
                names += [f"{name}/{each}" for each in inside] or [name]
        return names


ENCRYPTED = 0x2041
"""Flags of a zip entry: encrypted, strongly encrypted, and the same of its header."""
DOS_DIRECTORY = 0x10


class _Archive:
    """The files of a .zip at its top, or in the one folder that holds the modules, as tools pack them."""

    def __init__(self, file: BinaryIO, modules: Sequence[str]) -> None:
        _demand_zip(file)
        try:
            self._archive = zipfile.ZipFile(_Capped(file))
        except Unreadable:
            raise
        except Exception as error:  # zipfile raises a dozen kinds for bytes that are no archive
            raise Unreadable(
                tr("it is damaged, pack it again ({reason})", reason=reason_of(error))
            ) from None
        self._names: list[str] = []
        folders: dict[Folder, dict[str, list[zipfile.ZipInfo]]] = {}
        for entry in self._archive.infolist():
            *inside, filename = _parts(entry.orig_filename)
            if is_code(filename):
                folders.setdefault(tuple(inside), {}).setdefault(filename, []).append(entry)
            if filename and len(self._names) < MAX_NAMES:
                self._names.append("/".join([*inside, filename]))
        chosen = _folders_of(folders, modules)
        self._prefixes = ["".join(f"{part}/" for part in folder) for folder in chosen]
        self._entries: dict[str, list[zipfile.ZipInfo]] = {}
        for folder in reversed(chosen):
            self._entries |= folders.get(folder, {})
        if min((entry.header_offset for entry in self._archive.infolist()), default=0) > 0:
            # It is found from its end: what a student shows may be the one before it.
            raise Unreadable(tr("it is two archives in one file; pack one"))

    def read(self, filename: str, limit: int) -> bytes:
        """A file, whole. Raises as the protocol says."""
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
            raise too_large(limit)
        try:
            with self._archive.open(entry) as file:
                return file.read(limit + 1)
        except Exception as error:  # as above, and zlib.error
            raise Unreadable(
                tr("the archive is damaged ({reason})", reason=reason_of(error))
            ) from None

    def names(self) -> list[str]:
        """Some of what is there, what lies beside the modules first."""
        names = self._names
        for prefix in self._prefixes:
            names = [name.removeprefix(prefix) for name in names]
        return list(dict.fromkeys([*islice(self._entries, MAX_NAMES), *names]))


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


class Set:
    """Files that lie anywhere, by the names under which they are asked for."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = files

    def read(self, filename: str, limit: int) -> bytes:
        """A file, or enough of it. Raises as the protocol says."""
        if filename not in self._files:
            raise FileNotFoundError
        with (
            _descriptor(self._files[filename], {stat.S_IFREG}) as descriptor,
            os.fdopen(descriptor, "rb", closefd=False) as file,
        ):
            return file.read(limit + 1)

    def names(self) -> list[str]:
        """What they are called alone."""
        return list(self._files)


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
PASSED_OVER = {"__MACOSX", "__pycache__", "node_modules", "site-packages"}
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
        if folder.startswith("/") or folder.endswith(":") or _is_passed_over(folder):
            return ("",)
    return parts if "\0" not in name else ("",)


def _is_passed_over(folder: str) -> bool:
    """Whether a folder holds nothing that anybody hands in: it is hidden, or a program has made it."""
    return folder.startswith(".") or folder in PASSED_OVER
