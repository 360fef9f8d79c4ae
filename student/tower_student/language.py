"""Sentences in the reader's language, by gettext. English stands in the code, beside what it says.

    raise UsageError(tr("{path} is not there.", path=path))

A catalogue is a file LANGUAGE.po in a folder called `locale`: the `tower` command has one, the grader has
one, and so has a course for what its public and its hidden tests say. What no catalogue translates appears in
English.
"""

import gettext
import io
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from tower_student.errors import UsageError

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

VARIABLE = "TOWER_LANGUAGE"
"""The environment variable that chooses the language, whatever the course says."""
ENGLISH = "en"
FOLDER = "locale"
OWN = Path(__file__).parent / FOLDER
NAME = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?")
"""The pattern of a language's name, as in `pt_BR`."""

_FIELD = re.compile(r"%\((\w+)\)s")
_spoken = ENGLISH
_catalogue = gettext.NullTranslations()


def wanted(otherwise: str = ENGLISH) -> str:
    """Return the language that $TOWER_LANGUAGE names, or the other where it is not set."""
    return os.environ.get(VARIABLE) or otherwise


def speak(language: str, folders: Iterable[Path]) -> None:
    """Let `tr` and `plural` answer in a language, from here on, throughout the process.

    Args:
        language: such as "ru".
        folders: where catalogues may lie; the first that has a sentence translates it.

    Raises UsageError where a catalogue cannot be read.
    """
    global _catalogue, _spoken
    _catalogue, _spoken = gettext.NullTranslations(), language
    if language == ENGLISH:
        return
    for folder in folders:
        path = folder / f"{language}.po"
        if path.is_file():
            _catalogue.add_fallback(_compiled(read_catalogue(path)))


def spoken() -> str:
    """Return the language that `tr` and `plural` answer in."""
    return _spoken


def tr(text: str, /, **values: object) -> str:
    """Return a sentence in the reader's language.

    Args:
        text: in English, with the names of `values` in braces, as str.format has them.
        values: for the names in braces.
    """
    # What a catalogue has for an empty text is its own heading.
    return _filled(_catalogue.gettext(text) if text else "", text, values)


def plural(one: str, many: str, count: int, /, **values: object) -> str:
    """Return a sentence about a number of things; `{count}` stands in it for that number."""
    english = one if count == 1 else many
    said = _catalogue.ngettext(one, many, count)
    return _filled(said, english, {**values, "count": count})


def mark(text: str) -> str:
    """Return a sentence as it is: one that is to be translated where it is shown, by tr(CONSTANT)."""
    return text


def for_template(text: str) -> str:
    """Return a sentence of a Jinja template, in which names of values stand as %(name)s."""
    return _fillable(_catalogue.gettext(text), text, text)


def plural_for_template(one: str, many: str, count: int) -> str:
    """Return a template's sentence about a number of things."""
    said = _catalogue.ngettext(one, many, count)
    return _fillable(said, one if count == 1 else many, one + many)


def _fillable(said: str, english: str, known: str) -> str:
    """The translation, unless it has a slip in its fields."""
    names = _FIELD.findall(known)
    if names:
        try:
            said % dict.fromkeys(names, "")
        except (KeyError, TypeError, ValueError):
            return english
    return said


def _filled(said: str, english: str, values: dict[str, object]) -> str:
    if not values:
        return said
    try:
        return said.format(**values)
    except (LookupError, ValueError):  # a translation with a slip in its braces
        return english.format(**values)


def read_catalogue(path: Path) -> "Catalog":
    """Return the catalogue of a file. Raises UsageError."""
    from babel.messages.pofile import PoFileError, read_po  # 50 ms, for other languages alone

    try:
        with path.open("rb") as file:
            return read_po(file, locale=path.stem, abort_invalid=True)
    except (OSError, PoFileError, ValueError) as error:
        raise UsageError(tr("{path} is no catalogue: {error}.", path=path, error=error)) from None


def _compiled(catalogue: "Catalog") -> gettext.GNUTranslations:
    from babel.messages.mofile import write_mo

    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
