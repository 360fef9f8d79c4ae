"""A language that nobody speaks: a sentence that is left in English stands out."""

import re
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from tower_student.language import read_catalogue

NAME = "xx"
_ASCII = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_OTHER = "абцдефгхийклмнопярстувшзуьАБЦДЕФГХИЙКЛМНОПЯРСТУВШЗУЬ"
_LETTERS = str.maketrans(_ASCII, _OTHER)
_FIELDS = re.compile(r"(\{\{|\}\}|\{[^{}]*\}|%\(\w+\)[sd]|%%)")
_WORD = re.compile(r"(?<![\w./:-])[A-Za-z][a-z]{2,}(?![\w/:-]|\.\w)")


def translated(sentence: str) -> str:
    """The sentence in the language; what is filled in keeps its field."""
    parts = _FIELDS.split(sentence)
    return "".join(p if i % 2 else p.translate(_LETTERS) for i, p in enumerate(parts))


def translate(catalogue: Catalog) -> None:
    """Fill in every message."""
    for message in catalogue:
        if message.id:
            plural = isinstance(message.id, tuple)
            message.string = (
                tuple(map(translated, message.id)) if plural else translated(message.id)
            )


def translate_file(path: Path) -> None:
    catalogue = read_catalogue(path)
    translate(catalogue)
    with path.open("wb") as file:
        write_po(file, catalogue)


def english(text: str, names: set[str]) -> list[str]:
    """Words of a text that are left: all but names, which stay as they are in every language."""
    return [word for word in _WORD.findall(text) if word not in names and word.lower() not in names]
