"""Which module a file holds, going by the name that somebody gave it."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from tower_student.language import tr
from tower_student.text import one_line

_CODE = re.compile(r"\.(py|ipynb)(\.txt|\.json)?\Z", re.IGNORECASE)
"""How the names of modules and notebooks end; browsers add what comes after that."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\da-zA-Z_]+")
"""A part of a name: between other characters, and between the humps of CamelCase."""
_TESTS = {"test", "tests", "conftest"}
MAX_NAME = 255
"""Characters of a name that is looked at; no file system has longer ones."""


def filenames(modules: Iterable[str]) -> Iterator[str]:
    """The names of files that hold one of the modules."""
    for module in modules:
        yield from (f"{module}.py", f"{module}.ipynb")


def is_code(filename: str) -> bool:
    """Whether a file may hold a module: a Python file or a notebook that is not hidden."""
    return not filename.startswith(".") and bool(_CODE.search(filename[-20:]))


def is_notebook(filename: str) -> bool:
    """Whether the name is that of a notebook."""
    found = _CODE.search(filename[-20:])
    return bool(found and found[1].lower() == "ipynb")


def is_evident(filename: str, module: str) -> bool:
    """Whether the name of a file says that it holds this module.

    It does where its words contain the module's in a row: "hw1-GradientLoop (2).py" holds gradient_loop.
    Tests are no modules.
    """
    if not is_code(filename) or len(filename) > MAX_NAME:
        return False
    plain = unicodedata.normalize("NFKC", _CODE.sub("", filename))
    words = [word.casefold() for word in _WORD.findall(plain)]
    if _TESTS.intersection(words):
        return False
    name = "".join(_WORD.findall(module)).casefold()
    return any(_begins(words[i:], name) for i in range(len(words)))


def pattern(module: str) -> str:
    """A pattern of a module's name as people write it, for any case of letters."""
    return r"[\W_]*".join(map(re.escape, _WORD.findall(module))) + "(?![a-z])"


def _begins(words: list[str], name: str) -> bool:
    """Whether some of the first words make up the name, joined."""
    for word in words:
        if not name.startswith(word):
            return False
        name = name[len(word) :]
        if not name:
            return True
    return False


def listing(names: Sequence[str]) -> str:
    """A few names within a sentence: what lies in folders first, hidden files last."""
    order = sorted(names, key=lambda name: ("/" not in name, name.startswith("."), name))
    first = ", ".join(shown(name) for name in order[:8])
    return tr("{names} and more", names=first) if len(order) > 8 else first


def shown(name: str) -> str:
    """A path's name, fit to stand within a sentence: in quotes where it might pass for one."""
    plain = one_line(name, 60)
    return plain if re.fullmatch(r"[\w./-]+", plain) else f'"{plain.replace(chr(34), "?")}"'
