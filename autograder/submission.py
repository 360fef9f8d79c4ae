"""Reads untrusted files into memory: the named modules and nothing else."""

import difflib
import hashlib
import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from autograder.errors import UsageError
from autograder.text import one_line, word, words

MAX_MODULE_BYTES = 256 << 10
MAX_ENTRIES = 10_000


@dataclass(frozen=True)
class Submission:
    """What one student handed in, as bytes.

    Attributes:
        name: of the directory or archive.
        sources: the text of each module that could be read.
        problems: for each module that could not be read, a sentence that says why.
    """

    name: str
    sources: Mapping[str, bytes]
    problems: Mapping[str, str]

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
        lines = re.split("\r\n|\r|\n", self.sources.get(module, b"").decode(errors="replace"))
        return one_line(lines[number - 1]) if 0 < number <= len(lines) else ""


def read_submission(path: Path, modules: Iterable[str]) -> Submission:
    """Read the named modules from a directory or a .zip.

    A module that is missing or unreadable becomes a problem of its own. Raises UsageError where
    the path is no submission at all, or holds none of the modules.
    """
    modules = list(modules)
    try:
        path.stat()
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    if path.is_dir():
        names, read = _open_directory(path)
    elif path.is_file() and zipfile.is_zipfile(path):
        names, read = _open_archive(path)
    elif path.exists():
        if path.suffix == ".zip":
            raise UsageError(f"{path} is damaged: it is no .zip that can be read. Pack it again.")
        raise UsageError(
            f"{path} is neither a directory nor a .zip. Name the directory that holds "
            f"{_listing(modules)}, or a .zip of it."
        )
    else:
        raise UsageError(f"{path} does not exist. Name a directory or a .zip.")
    sources, problems = {}, {}
    for module in modules:
        filename = f"{module}.py"
        if filename not in names:
            problems[module] = f"{filename} was not submitted.{_nearest(filename, names)}"
            continue
        try:
            sources[module] = _checked(read(filename))
        except (OSError, _Unreadable) as error:
            reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
            problems[module] = f"{filename} could not be read: {reason}."
    if not any(f"{module}.py" in names for module in modules):
        raise UsageError(
            f"{path} holds none of the modules {_listing(modules)}. Name the directory or .zip "
            f"that holds them at its top. {_contents(names)}"
        )
    name = path.resolve().name
    name = one_line(name.removesuffix(".zip") if path.is_file() else name)
    return Submission(name or "submission", sources, problems)


class _Unreadable(Exception):
    """Why a file is not taken."""


Reader = Callable[[str], bytes]


def _open_directory(path: Path) -> tuple[set[str], Reader]:
    try:
        names = set(os.listdir(path))
    except OSError as error:
        raise UsageError(f"{path} could not be listed: {error.strerror}.") from None

    def read(filename: str) -> bytes:
        # O_NONBLOCK: opening a pipe must not wait for its writer. O_NOFOLLOW: no link elsewhere.
        try:
            descriptor = os.open(path / filename, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            if (path / filename).is_symlink():
                raise _Unreadable(
                    "it is a symbolic link, not a file; hand in the file itself"
                ) from None
            raise
        try:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                kind = "a directory" if stat.S_ISDIR(mode) else "a pipe or a device"
                raise _Unreadable(f"it is {kind}, not a file")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read(MAX_MODULE_BYTES + 1)
        finally:
            os.close(descriptor)

    return names, read


def _open_archive(path: Path) -> tuple[set[str], Reader]:
    """The files at the archive's top, or in its only folder, as most tools pack them."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise UsageError(f"{path} is not a readable .zip: {one_line(str(error))}.") from None
    if len(entries) > MAX_ENTRIES:
        raise UsageError(
            f"{path} holds {len(entries):,} entries; {MAX_ENTRIES:,} are read at most."
        )
    entries = [entry for entry in entries if not entry.filename.startswith("__MACOSX/")]
    tops = {
        PurePosixPath(entry.filename).parts[:1]
        for entry in entries
        if not entry.filename.startswith(".")
    }
    nested = len(tops) == 1 and any("/" in entry.filename for entry in entries)
    prefix = next(iter(tops))[0] + "/" if nested and next(iter(tops)) else ""
    by_name: dict[str, list[zipfile.ZipInfo]] = {}
    for entry in entries:
        by_name.setdefault(entry.filename.removeprefix(prefix).rstrip("/"), []).append(entry)

    def read(filename: str) -> bytes:
        entry, *others = by_name[filename]
        if others:
            raise _Unreadable("the archive holds it more than once")
        if entry.is_dir():
            raise _Unreadable("it is a directory, not a file")
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
            raise _Unreadable("it is a link or a device, not a file; pack the file itself")
        if entry.flag_bits & 1:
            raise _Unreadable("it is encrypted; pack it without a password")
        try:
            with zipfile.ZipFile(path) as archive, archive.open(entry) as file:
                return file.read(MAX_MODULE_BYTES + 1)
        except (
            zipfile.BadZipFile,
            NotImplementedError,
            EOFError,
            ValueError,
            RuntimeError,
        ) as error:
            raise _Unreadable(f"the archive is damaged ({one_line(str(error))})") from None
        except Exception as error:  # zlib.error and its like, each compression has its own
            raise _Unreadable(f"the archive is damaged ({type(error).__name__})") from None

    return set(by_name), read


def _checked(source: bytes) -> bytes:
    if len(source) > MAX_MODULE_BYTES:
        raise _Unreadable(f"it is larger than {MAX_MODULE_BYTES >> 10} KiB")
    try:
        source.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _Unreadable(f"it is not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    return source


def _nearest(filename: str, names: set[str]) -> str:
    by_folded = {name.casefold(): name for name in names}
    found = difflib.get_close_matches(filename, by_folded, n=1, cutoff=0.75)
    if not found:
        return ""
    return f" There is a {word(by_folded[found[0]])}: if that is it, rename it."


def _contents(names: set[str]) -> str:
    return f"It holds {words(names)}."


def _listing(modules: list[str]) -> str:
    return ", ".join(f"{module}.py" for module in modules)
