"""Brings a newer release into a student's repository, and leaves alone what the student has written."""

import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tower_student import changelog
from tower_student.course import MANIFEST, Release, digest, numbers
from tower_student.errors import UsageError
from tower_student.files import write_whole
from tower_student.language import tr

LARGEST = 16 << 20
"""Bytes of one file of a release."""
BESIDE = ".new"
"""What the name of a new version ends with where the student has changed the file itself."""


@dataclass(frozen=True)
class Update:
    """What an update does to a folder, by paths.

    Attributes:
        manifest: of the newer release.
        written: files that are new, or that the student has not changed.
        removed: files that the course no longer has, and that the student has not changed.
        beside: new versions of files that the student has changed, by where they are put.
        kept: files that the course no longer has, and that the student has changed.
        news: the changelog's entries that are new here.
    """

    manifest: bytes
    written: Mapping[str, bytes]
    removed: tuple[str, ...]
    beside: Mapping[str, bytes]
    kept: tuple[str, ...]
    news: tuple[str, ...] = ()

    def apply(self, folder: Path) -> None:
        """Write and remove the files; the manifest comes last, so that a broken update can be repeated."""
        for name, content in (*self.beside.items(), *self.written.items()):
            write_whole(folder / name, content)
        for name in self.removed:
            (folder / name).unlink(missing_ok=True)
        write_whole(folder / MANIFEST, self.manifest)


def plan(folder: Path, source: Path) -> Update:
    """Compare a folder with a newer release. Nothing is written.

    Args:
        folder: a student's repository.
        source: what `tower release --out` has written: a folder, or a zip of it.

    Raises UsageError where either is no release, or where the new one is older.
    """
    read_here = _in_folder(folder)
    old = _release(read_here, tr("The folder {path}", path=folder.resolve()))
    for name in old.files:
        _demand_inside(name, folder)
    new, content = _read(source)
    if numbers(new.version) < numbers(old.version):
        raise UsageError(
            tr(
                "{path} is older than what is here: version {new} and not {old}.",
                path=source,
                new=new.version,
                old=old.version,
            )
        )
    written: dict[str, bytes] = {}
    beside: dict[str, bytes] = {}
    removed: list[str] = []
    kept: list[str] = []
    for name in sorted(new.files):
        here = read_here(name)
        if here == content[name] or (name in new.skeletons and name in old.skeletons):
            continue
        if here is None and not _has_notebook(folder, name, new):
            written[name] = content[name]
        elif here is not None and name not in new.skeletons:
            if digest(here) == old.files.get(name):
                written[name] = content[name]
            elif old.files.get(name) != digest(content[name]):
                beside[f"{name}{BESIDE}"] = content[name]
    for name in sorted(old.files.keys() - new.files.keys() - old.skeletons):
        here = read_here(name)
        if here is not None:
            (removed if digest(here) == old.files[name] else kept).append(name)
    changes = read_here(str(changelog.FILE)) or b"", content.get(str(changelog.FILE), b"")
    before, after = (text.decode(errors="replace").replace("\r\n", "\n") for text in changes)
    news = tuple(changelog.news(before, after, old.version))
    return Update(content[str(MANIFEST)], written, tuple(removed), beside, tuple(kept), news)


_Reader = Callable[[str], bytes | None]
"""Gives the content of a file by its path; None where there is no such file."""


def _read(source: Path) -> tuple[Release, dict[str, bytes]]:
    """A release and the content of its files, the manifest among them."""
    if source.is_dir():
        return _content(_in_folder(source), source)
    try:
        with zipfile.ZipFile(source) as archive:
            return _content(_in_archive(archive, source), source)
    except FileNotFoundError:
        raise UsageError(tr("There is no {path}.", path=source)) from None
    except OSError as error:
        raise _unreadable(source, error) from None
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, ValueError) as error:
        raise UsageError(
            tr("{path} is no zip that can be read: {reason}.", path=source, reason=error)
        ) from None


def _content(read: _Reader, source: Path) -> tuple[Release, dict[str, bytes]]:
    release = _release(read, str(source))
    content = {}
    for name in (*release.files, str(MANIFEST)):
        _demand_inside(name, source)
        found = read(name)
        if found is None:
            raise UsageError(
                tr("{path} is no whole release: {file} is missing.", path=source, file=name)
            )
        content[name] = found
    return release, content


def _release(read: _Reader, where: str) -> Release:
    text = read(str(MANIFEST))
    if text is None:
        raise UsageError(
            tr(
                "{where} is no release: it has no {file}, which `tower release --out` writes.",
                where=where,
                file=MANIFEST,
            )
        )
    try:
        return Release.parse(text)
    except ValueError as error:
        raise UsageError(
            tr(
                "{where} is no release: {file} cannot be read: {reason}.",
                where=where,
                file=MANIFEST,
                reason=error,
            )
        ) from None


def _unreadable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        tr("{path} cannot be read: {reason}.", path=path, reason=error.strerror or error)
    )


def _in_folder(folder: Path) -> _Reader:
    def read(name: str) -> bytes | None:
        try:
            return (folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreadable(folder / name, error) from None

    return read


def _in_archive(archive: zipfile.ZipFile, source: Path) -> _Reader:
    """Read from a zip whose files may lie in a folder, as in GitHub's."""
    entries = {entry.filename: entry for entry in archive.infolist() if not entry.is_dir()}
    for name in entries:
        _demand_inside(name, source)
    manifests = [name for name in entries if f"/{name}".endswith(f"/{MANIFEST}")]
    top = min(manifests, key=len, default="").removesuffix(str(MANIFEST))

    def read(name: str) -> bytes | None:
        entry = entries.get(f"{top}{name}")
        if entry is not None and entry.file_size > LARGEST:
            raise UsageError(
                tr(
                    "{path} is no release: {file} is larger than any file of one.",
                    path=source,
                    file=name,
                )
            )
        return archive.read(entry) if entry is not None else None

    return read


def _demand_inside(name: str, source: Path) -> None:
    """Refuse a path that may lead out of a folder, on any system."""
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        raise UsageError(
            tr(
                "{path} is no release: it holds the path {name!r}. Nothing was changed.",
                path=source,
                name=name,
            )
        )


def _has_notebook(folder: Path, name: str, release: Release) -> bool:
    """Whether the student writes this module in a notebook."""
    return name in release.skeletons and (folder / name).with_suffix(".ipynb").exists()
