"""A module that is written in a Jupyter notebook, as the text of a module.

A notebook is the student's, and is read as data: JSON, of which the source of the cells is taken. Nothing
of it is run or parsed here.
"""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from tower_student.language import tr

TESTS = "tests"
"""The tag of cells that are no part of the module, in a notebook that `tower nbgrader build` has made."""
CELL = re.compile(r"^# %% \[cell (?P<number>\d+)\]$", re.MULTILINE)
"""The line before each cell in the text of a module: jupytext's percent format."""
FOR_IPYTHON = re.compile(
    r"^[^\S\n]*(?:[%!?,;/]|>>>|In \[)|\?[^\S\n]*$|=\s*[%!]|\A\s*^[^\S\n]", re.MULTILINE
)
"""What a cell may hold that IPython makes Python of; whether it does is for IPython to say."""
OTHER_NOTEBOOK = re.compile(
    r"""^%run[^\S\n]+(?:-\w+[^\S\n]+)*["']?(?:\./)?(\w+)\.(?:ipynb|py)["']?[^\S\n]*$""",
    re.MULTILINE,
)
"""A line that takes all names of a module from its notebook."""
MAX_TRANSFORMED = 4 << 20
"""Characters that IPython is given of a notebook: it reads a cell once for each of its magics."""
OTHER_LANGUAGES = frozenset(
    {
        *("bash", "sh", "script", "cmd", "system", "sx", "!", "perl", "ruby", "R", "julia", "sql"),
        *("bigquery", "html", "HTML", "svg", "SVG", "latex", "markdown", "js", "javascript"),
        *("cython", "cpp", "cu", "python2", "pypy"),
    }
)
"""Cell magics, %%NAME, under which no Python stands."""


class NotANotebook(ValueError):
    """Why a file cannot be read as a notebook: the end of a sentence."""


def module_text(content: bytes) -> bytes:
    """The text of the module that a notebook holds: its code cells, each after a line of CELL's kind.

    Left out are cells that test. What is meant for IPython becomes what IPython makes of it. Raises
    NotANotebook.
    """
    cells = [
        (number, _source(cell))
        for number, cell in enumerate(_cells(content), 1)
        if cell.get("cell_type") == "code" and not _asks(cell)
    ]
    if not cells:
        raise NotANotebook(tr("it has no code cell"))
    budget = MAX_TRANSFORMED
    texts = []
    for number, source in cells:
        source = source.replace("\r\n", "\n").replace("\r", "\n")
        if FOR_IPYTHON.search(source):
            budget -= len(source) * (1 + len(FOR_IPYTHON.findall(source)))
            if budget < 0:
                raise NotANotebook(tr("it holds too many lines for IPython; take some out"))
            source = _as_python(OTHER_NOTEBOOK.sub(r"from \1 import *", source))
        texts.append(f"# %% [cell {number}]\n{source.rstrip()}\n")
    try:
        return "\n".join(texts).encode()
    except UnicodeEncodeError:
        raise NotANotebook(tr("it holds characters that are none")) from None


def cells_of(text: str) -> Iterator[tuple[int, str]]:
    """Yield the number of each cell in the text of a module, and the cell, at the line where it stands."""
    above = 0
    for part in parts(text):
        if cell := CELL.match(part):
            yield int(cell["number"]), "\n" * above + part
        above += part.count("\n")


def parts(text: str) -> list[str]:
    """The text of a module, cut before each cell of a notebook; the whole of another."""
    starts = [0, *(cell.start() for cell in CELL.finditer(text)), len(text)]
    return [text[start:stop] for start, stop in pairwise(starts)]


def _as_python(source: str) -> str:
    """A cell as Python, line for line where IPython keeps the lines."""
    # Takes 0.3 s, which notebooks without magics need not.
    from IPython.core.inputtransformer2 import TransformerManager

    lines = source.split("\n")
    blank = next((i for i, line in enumerate(lines) if line.strip()), 0)  # IPython drops these
    magic = re.match(r"\s*%%(\S+)", lines[blank])
    if magic and magic[1] in OTHER_LANGUAGES:
        return "\n".join(f"# {line}".rstrip() for line in lines)
    if magic:  # %%time and the like: what follows is the cell
        lines[blank] = f"# {lines[blank]}"
        return "\n".join(lines[: blank + 1]) + "\n" + _as_python("\n".join(lines[blank + 1 :]))
    try:
        python: str = TransformerManager().transform_cell("\n".join(lines[blank:]))
    except Exception:  # of a cell that Python cannot read either, which will say why
        return source
    return "\n" * blank + python


def _cells(content: bytes) -> list[dict[str, Any]]:
    try:
        notebook = json.loads(content)  # in UTF-8, 16 or 32, with a mark or without
    except (ValueError, RecursionError):
        raise NotANotebook(tr("it is not JSON; save it from Jupyter again")) from None
    match notebook:
        case {"nbformat": 4, "cells": list() as cells}:
            return [cell for cell in cells if isinstance(cell, dict)]
        case {"nbformat": int()}:
            raise NotANotebook(tr("it is not of format 4; open it in Jupyter and save it"))
    raise NotANotebook(tr("it is JSON, but no notebook"))


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    lines = source if isinstance(source, list) else [source]
    if not all(isinstance(line, str) for line in lines):
        raise NotANotebook(tr("a cell of it has no text"))
    return "".join(lines)


def _asks(cell: dict[str, Any]) -> bool:
    match cell.get("metadata"):
        case {"tags": list() as tags} if TESTS in tags:
            return True
        case {"nbgrader": {"solution": True}}:
            return False
        case {"nbgrader": {"grade": True}}:
            return True
    return False
