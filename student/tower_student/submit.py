"""Packs what the grader will read, and nothing else."""

import ast
import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tower_student.language import plural, tr
from tower_student.sources import Unreadable, checked, of_notebook
from tower_student.submission import Submission, read_set

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The same for every entry, so that the same modules make the same archive."""


@dataclass(frozen=True)
class Packed:
    """An archive and what is in it.

    Attributes:
        remarks: by module, what the student may want to know before handing in.
    """

    content: bytes
    submission: Submission
    remarks: dict[str, str]


def pack(folder: Path, modules: Iterable[str]) -> Packed:
    """Read the modules as the grader would, and pack those that it would take."""
    sources: dict[str, bytes] = {}
    contents: dict[str, bytes] = {}
    problems: dict[str, str] = {}
    remarks: dict[str, str] = {}
    for module in modules:
        file = folder / f"{module}.py"
        notebook = folder / f"{module}.ipynb"
        try:
            if notebook.exists() and file.exists():
                both = {path.name: path for path in (file, notebook)}
                read = read_set(folder.name, both, [module])
                contents |= {name: path.read_bytes() for name, path in both.items()}
                sources |= read.sources
                problems |= read.problems
                remarks |= read.remarks
                continue
            if notebook.exists():
                file = notebook
                content = file.read_bytes()
                sources[module] = of_notebook(content)
            else:
                content = sources[module] = checked(file.read_bytes())
            contents[file.name] = content
        except FileNotFoundError:
            problems[module] = tr("{file} is missing.", file=file.name)
        except OSError as error:
            problems[module] = tr(
                "{file} cannot be read: {reason}.", file=file.name, reason=error.strerror
            )
        except Unreadable as error:
            problems[module] = tr(
                "{file} would not be taken: {reason}.", file=file.name, reason=error
            )
        else:
            if remark := _remark(sources[module]):
                remarks[module] = remark
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in contents.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            packed.writestr(entry, content)
    return Packed(archive.getvalue(), Submission(folder.resolve().name, sources, problems), remarks)


def _remark(source: bytes) -> str:
    """What is unfinished or broken in a module's text, as far as reading it tells."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        if line:
            return tr("Python cannot read it: see line {line}.", line=line)
        return tr("Python cannot read it.")
    lines = [
        node.lineno for node in ast.walk(tree) if isinstance(node, ast.Raise) and _is_gap(node.exc)
    ]
    if not lines:
        return ""
    listed = ", ".join(map(str, sorted(lines)))
    return plural(
        "not written yet: line {lines}.",
        "not written yet: lines {lines}.",
        len(lines),
        lines=listed,
    )


def _is_gap(raised: ast.expr | None) -> bool:
    named = raised.func if isinstance(raised, ast.Call) else raised
    return isinstance(named, ast.Name) and named.id == "NotImplementedError"
