"""Reads what somebody handed in: the wanted modules, under whatever names, and nothing else.

Nothing of it is run, compiled or parsed. Where several files may hold a module, the choice is the student's.
"""

import difflib
import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tower_student.definitions import code, defined, shared, stubs
from tower_student.errors import UsageError
from tower_student.filenames import filenames, is_code, is_evident, is_notebook, listing, shown
from tower_student.holders import MAX_LOOKED, Holder, Set, opened, reason_of
from tower_student.language import tr
from tower_student.notebooks import CELL
from tower_student.sources import (
    MAX_MODULE_BYTES,
    MAX_NOTEBOOK_BYTES,
    Unreadable,
    checked,
    codec_of,
    of_notebook,
)
from tower_student.text import MAX_WORDS, one_line

MAX_LOOKED_BYTES = 16 << 20
"""How much is read of files of other names in search of modules."""


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
        return tr("cell {cell} of {module}, line {line}", module=module, cell=cell, line=line)

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


@dataclass(frozen=True)
class Wanted:
    """A module, as the reader looks for it.

    Attributes:
        defines: its public names, by which it is known in a file of another name.
        skeleton: the text that students start from; "" where it is not known.
    """

    name: str
    defines: frozenset[str] = frozenset()
    skeleton: str = ""


Modules = Iterable[str | Wanted]
"""What is asked for: modules by name, or with what is known of them."""


class NotRead(UsageError):
    """Why there is nothing to grade, for whoever named the path.

    Attributes:
        why: the same about what was handed in, without the path.
    """

    def __init__(self, said: str, why: str) -> None:
        super().__init__(said)
        self.why = why


def read_submission(path: Path, modules: Modules) -> Submission:
    """Read modules from a directory or a .zip, or from a single file.

    A module is read from NAME.py or NAME.ipynb; where there is none, or both are no more than the skeleton,
    from the file whose name or whose text says that it holds the module. A module that is missing or
    unreadable, or that several files may hold, becomes a problem of its own. Raises UsageError where there is
    no such path, and NotRead where it is no submission or holds none of the modules.
    """
    wanted = _wanted(modules)
    where = one_line(str(path), 500)
    try:
        name = one_line(re.sub(r"(?i)\.zip$", "", os.path.realpath(path).rpartition("/")[2]))
        with opened(path, [module.name for module in wanted]) as holder:
            return _collected(holder, name or "submission", where, wanted)
    except FileNotFoundError:
        raise UsageError(
            tr("{path} does not exist. Name a directory, a .zip, a .py or a notebook.", path=where)
        ) from None
    except (OSError, Unreadable, ValueError) as error:  # ValueError: a path that holds "\0"
        reason = reason_of(error)
        raise NotRead(
            tr("{path} cannot be read: {reason}.", path=where, reason=reason),
            tr("{path} cannot be read: {reason}.", path=shown(path.name), reason=reason),
        ) from None


def read_set(name: str, files: Mapping[str, Path], modules: Modules) -> Submission:
    """Read modules that lie beside those of others, under names of their own.

    `files` says where each of them is, by the name that it would bear alone, such as linear.py. Raises
    NotRead where none of them is a module.
    """
    return _collected(Set(files), name, name, _wanted(modules))


def _wanted(modules: Modules) -> list[Wanted]:
    return [Wanted(module) if isinstance(module, str) else module for module in modules]


def _collected(holder: Holder, name: str, where: str, wanted: Sequence[Wanted]) -> Submission:
    search = _Search(holder, wanted)
    chosen: dict[str, _File] = {}
    problems, remarks, absent = {}, {}, []
    for module in wanted:
        try:
            chosen[module.name], remarks[module.name] = search.of(module)
        except FileNotFoundError:
            absent.append(module.name)
        except _Problem as error:
            problems[module.name] = str(error)
    names = holder.names() if absent else []
    if len(absent) == len(wanted):
        modules = ", ".join(f"{module.name}.py" for module in wanted)
        said = tr(
            "{path} holds none of the modules {modules}, nor a notebook of one. Name the directory or .zip "
            "that holds them at its top.",
            path=where,
            modules=modules,
        )
        handed_in = tr(
            "Handed in was {files}, which holds none of {modules}.",
            files=listing(names),
            modules=modules,
        )
        raise NotRead(
            f"{said}{_contents(names)}", handed_in if names else tr("Nothing was handed in.")
        )
    for module_name in absent:
        filename = f"{module_name}.py"
        said = tr("{file} was not submitted.", file=filename)
        problems[module_name] = f"{said}{_nearest(filename, names)}"
    sources = {
        module.name: _part(module, chosen, wanted) for module in wanted if module.name in chosen
    }
    return Submission(
        name, sources, problems, {name: said for name, said in remarks.items() if said}
    )


def _part(module: Wanted, chosen: Mapping[str, "_File"], wanted: Sequence[Wanted]) -> bytes:
    """A module's part of the file that it is read from: the whole of it, if no other module is."""
    file = chosen[module.name]
    origin = {
        name: other.name
        for other in wanted
        if other is not module and chosen.get(other.name) is file
        for name in other.defines - module.defines
    }
    if not origin:
        return file.source
    order = [each.name for each in wanted]  # a module imports those before it, and so never itself
    before = order[: order.index(module.name)]
    return shared(file.source.decode(), origin, before.__contains__).encode()


@dataclass(frozen=True, eq=False)
class _File:
    """A file with Python in it.

    Attributes:
        source: its text, as UTF-8.
        names: what it defines.
        codec: what its bytes were, where that is not UTF-8.
    """

    name: str
    source: bytes
    codec: str = ""

    @cached_property
    def text(self) -> str:
        return self.source.decode("utf-8-sig")

    @cached_property
    def names(self) -> set[str]:
        return defined(self.text)

    @cached_property
    def stubs(self) -> int:
        return stubs(self.text)


class _Search:
    """Looks for modules among the files of one submission. Each file is read once, and not too many are."""

    def __init__(self, holder: Holder, wanted: Sequence[Wanted]) -> None:
        self._holder = holder
        self._exact = list(filenames(module.name for module in wanted))
        self._read: dict[str, _File | Exception] = {}
        self._left = MAX_LOOKED_BYTES
        self._others: list[str] | None = None

    def of(self, module: Wanted) -> tuple[_File, str]:
        """The file that holds a module, and a remark. Raises FileNotFoundError and _Problem."""
        own: list[_File] = []
        unread = ""
        for filename in filenames([module.name]):
            try:
                own.append(self._file(filename))
            except FileNotFoundError:
                continue
            except (OSError, Unreadable) as error:
                unread = _unread(filename, error)
                if not own:
                    raise _Problem(unread) from None
        written = [file for file in own if _is_written(file, module, own)]
        whole = [file for file in written if not file.stubs]
        written = whole or written
        if len({tuple(code(file.text)) for file in written}) > 1:
            raise _Problem(
                tr(
                    "{file} and {other} are both written; hand in one of them.",
                    file=written[0].name,
                    other=written[1].name,
                )
            )
        found = whole or self._elsewhere(module, own, begun=bool(written)) or written
        if not found and not own:
            raise FileNotFoundError
        if not found:
            return own[0], _said(own[0], unread)
        if not own:
            return found[0], _said(found[0], _read_from(found[0], module))
        behind = [file for file in own if file not in written or found[0] not in own]
        remark = behind and tr(
            "Read from {file}, since {other} is not finished.",
            file=shown(found[0].name),
            other=behind[0].name,
        )
        return found[0], _said(found[0], remark or "")

    def _elsewhere(self, module: Wanted, own: Sequence[_File], *, begun: bool) -> list[_File]:
        """The file of another name that holds a module, if there is one. Raises _Problem.

        Beside files of its own name one that is written, and whole where one of these is begun.
        """
        names = self._names()
        evident = [name for name in names if is_evident(name, module.name)][:MAX_LOOKED]
        rest = (
            [name for name in names if name not in evident][:MAX_LOOKED] if module.defines else []
        )
        taken = [name for name in self._exact if name not in filenames([module.name])] * (not begun)
        # By the name and what is in it, by what is in it alone, and where another module is.
        for group in (evident, rest, taken if module.defines else []):
            files = [file for name in group if (file := self._look(name))]
            holding = [file for file in files if not module.defines or module.defines & file.names]
            written = [
                file
                for file in holding
                if _is_written(file, module, own) and not (begun and file.stubs)
            ]
            if found := written or ([] if own else holding):
                return [_only(found, module)]
        if own or not evident:  # or by the name alone
            return []
        if len(evident) == 1:
            try:
                return [self._file(evident[0])]
            except (OSError, Unreadable) as error:
                raise _Problem(_unread(evident[0], error)) from None
        files = [file for name in evident if (file := self._look(name))]
        return [_only(files, module)] if files else []

    def _names(self) -> list[str]:
        if self._others is None:
            exact = set(self._exact)
            listed = {name for name in self._holder.names() if "/" not in name and is_code(name)}
            self._others = sorted(listed - exact)
        return self._others

    def _look(self, name: str) -> _File | None:
        """A file that may hold a module, while there is patience left."""
        if name not in self._read and self._left <= 0:
            return None
        try:
            return self._file(name)
        except (OSError, Unreadable):
            return None

    def _file(self, name: str) -> _File:
        """A file's text. Raises FileNotFoundError, OSError and Unreadable."""
        if name not in self._read:
            try:
                self._read[name] = self._fresh(name)
            except (OSError, Unreadable) as error:
                self._read[name] = error
        found = self._read[name]
        if isinstance(found, Exception):
            raise found
        return found

    def _fresh(self, name: str) -> _File:
        notebook = is_notebook(name)
        limit = MAX_NOTEBOOK_BYTES if notebook else MAX_MODULE_BYTES
        content = self._holder.read(name, limit)
        if name not in self._exact:
            self._left -= len(content)
        source = of_notebook(content) if notebook else checked(content)
        return _File(name, source, "" if notebook or source == content else codec_of(content))


def _is_written(file: _File, module: Wanted, beside: Sequence[_File]) -> bool:
    """Whether a file is more than the skeleton: it has what the module defines, and fewer stubs.

    Where the skeleton is not known, it is measured against the files beside it.
    """
    if not (file.names & module.defines if module.defines else file.names):
        return False
    if not module.skeleton:
        return file.stubs < max((other.stubs for other in beside), default=0) or not file.stubs
    given = stubs(module.skeleton)
    return file.stubs < given if given else code(file.text) != code(module.skeleton)


def _only(files: Sequence[_File], module: Wanted) -> _File:
    """The one of several files that holds most of a module. Raises _Problem where that is not one."""
    most = max(len(module.defines & file.names) for file in files)
    best = [file for file in files if len(module.defines & file.names) == most]
    if len({tuple(code(file.text, module.defines)) for file in best}) == 1:
        return best[0]
    said = tr("{file} was not submitted.", file=f"{module.name}.py")
    choice = tr(
        "It may be any of {files}; hand in one of them, as {file}.",
        files=listing([file.name for file in best]),
        file=f"{module.name}.py",
    )
    raise _Problem(f"{said} {choice}")


def _read_from(file: _File, module: Wanted) -> str:
    """How a file of another name comes to be read."""
    if is_evident(file.name, module.name):
        return tr(
            "Read from {file}; its name should be {wanted}.",
            file=shown(file.name),
            wanted=f"{module.name}.{'ipynb' if is_notebook(file.name) else 'py'}",
        )
    names = ", ".join(sorted(module.defines & file.names)[:MAX_WORDS])
    return tr("Read from {file}, which defines {names}.", file=shown(file.name), names=names)


def _said(file: _File, remark: str = "") -> str:
    """The remark on a file, and what it was encoded as."""
    if not file.codec:
        return remark
    said = tr("{file} is {codec} text; save it as UTF-8.", file=shown(file.name), codec=file.codec)
    return f"{remark} {said}".strip()


def _unread(filename: str, error: Exception) -> str:
    return tr("{file} could not be read: {reason}.", file=shown(filename), reason=reason_of(error))


class _Problem(Exception):
    """Why there is no text of a module: a sentence."""


def _nearest(filename: str, names: list[str]) -> str:
    by_folded = {name.casefold(): name for name in names}
    found = difflib.get_close_matches(filename, by_folded, n=1, cutoff=0.75)
    if not found:
        return ""
    near = shown(by_folded[found[0]])
    if by_folded[found[0]].endswith(".ipynb"):
        wanted = f"{filename.removesuffix('.py')}.ipynb"
        said = tr("There is a {path}: if that is it, name it {wanted}.", path=near, wanted=wanted)
    elif "/" in near:
        said = tr("There is a {path}: if that is it, move it.", path=near)
    else:
        said = tr("There is a {path}: if that is it, rename it.", path=near)
    return f" {said}"


def _contents(names: list[str]) -> str:
    return f" {tr('It holds {names}.', names=listing(names))}" if names else ""
