"""A module that is written in a Jupyter notebook, as the text of a module.

A notebook is the student's, and is read as data: JSON, of which the source of the cells is taken. Nothing
of it is run here.
"""

import json
import re
from typing import Any

from tower_student.language import tr

TAG = "module"
"""Of the cells that make up the module, in a notebook that `tower nbgrader build` has made."""
TESTS = "tests"
"""Of cells that ask, and are no part of it."""
_MAGIC = re.compile(r"^(%{1,2}[A-Za-z]|!)", re.MULTILINE)
"""What IPython would take for itself: at the very beginning of a line, since `% b` may go on a product."""
_BETWEEN = "\n\n\n"


class NotANotebook(ValueError):
    """Why a file cannot be read as a notebook: the end of a sentence."""


def module_text(content: bytes) -> bytes:
    """The text of the module that a notebook holds, in the order of its cells.

    Taken are the code cells with the tag `module` or that nbgrader has marked for an answer; in a notebook
    that has none of them, all code cells that are no tests. Lines for IPython become comments. Raises
    NotANotebook.
    """
    cells = [cell for cell in _cells(content) if cell.get("cell_type") == "code"]
    chosen = [cell for cell in cells if _belongs(cell)]
    if not chosen:
        chosen = [cell for cell in cells if not _asks(cell)]
    if not chosen:
        raise NotANotebook(tr("it has no code cell"))
    text = _BETWEEN.join(_MAGIC.sub(r"# \1", _source(cell)).strip("\n") for cell in chosen)
    try:
        return f"{text}\n".encode()
    except UnicodeEncodeError:
        raise NotANotebook(tr("it holds characters that are none")) from None


def _cells(content: bytes) -> list[dict[str, Any]]:
    try:
        notebook = json.loads(content.decode("utf-8"))
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


def _belongs(cell: dict[str, Any]) -> bool:
    match cell.get("metadata"):
        case {"tags": list() as tags} if TAG in tags:
            return True
        case {"nbgrader": {"solution": True}}:
            return True
    return False


def _asks(cell: dict[str, Any]) -> bool:
    match cell.get("metadata"):
        case {"tags": list() as tags} if TESTS in tags:
            return True
        case {"nbgrader": {"grade": True}}:
            return True
    return False
