"""The text of a module, from the bytes of a file that may be no text at all."""

import codecs
import re
from contextlib import suppress

from tower_student.language import tr
from tower_student.notebooks import NotANotebook, module_text

MAX_MODULE_BYTES = 256 << 10
MAX_NOTEBOOK_BYTES = 16 << 20
"""Of a notebook, with the pictures that are in it; its code may take as much as a module."""


class Unreadable(Exception):
    """Why a file is not taken: the end of a sentence."""


def too_large(limit: int) -> Unreadable:
    """The refusal of a file that is larger than that."""
    if limit == MAX_MODULE_BYTES:
        return Unreadable(tr("it is larger than {size} KiB", size=limit >> 10))
    return Unreadable(tr("it is larger than {size} MiB; clear its outputs", size=limit >> 20))


def checked(source: bytes) -> bytes:
    """A module's text as UTF-8, unchanged where it is that.

    Raises Unreadable where the grader does not take it.
    """
    if len(source) > MAX_MODULE_BYTES:
        raise too_large(MAX_MODULE_BYTES)
    try:
        source.decode("utf-8")
    except UnicodeDecodeError as error:
        codec, found = codec_of(source), error
        try:
            text = source.decode(codec or "utf-8")
        except UnicodeDecodeError:
            raise Unreadable(
                tr("it is not UTF-8 text (byte {position}); save it as UTF-8", position=found.start)
            ) from None
        source = _without_cookie(text).encode("utf-8")
        if len(source) > MAX_MODULE_BYTES:
            raise too_large(MAX_MODULE_BYTES) from None
    if b"\0" in source:
        raise Unreadable(
            tr(
                "it is not text (byte {position} is null); save it as UTF-8",
                position=source.index(0),
            )
        )
    return source


CODECS = {
    *("iso8859-1", "iso8859-2", "iso8859-5", "iso8859-9", "iso8859-15", "mac-roman"),
    *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "koi8-r", "koi8-u"),
    *("gbk", "gb2312", "gb18030", "big5", "shift_jis", "cp932", "euc_jp", "euc_kr", "cp949"),
}
"""Encodings of text that people save Python files in, by Python's names."""
_COOKIE = re.compile(r"(?P<before>[ \t\f]*#.*?coding[:=][ \t]*)(?P<codec>[-\w.]+)", re.ASCII)
"""Where a Python file names its encoding (PEP 263)."""


def codec_of(source: bytes) -> str:
    """The encoding that a text names or begins with, by Python's name; "" where that is not to be trusted."""
    if source.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for line in re.split("\r\n|\r|\n", source[:1000].decode("latin-1"))[:2]:
        if named := _COOKIE.match(line):
            with suppress(LookupError, ValueError):
                found = codecs.lookup(named["codec"]).name
                return found if found in CODECS else ""
    return ""


def _without_cookie(text: str) -> str:
    """The text, in the first lines of which no other encoding is named than UTF-8."""
    lines = text.split("\n", 2)
    lines[:2] = [_COOKIE.sub(r"\g<before>utf-8", line, count=1) for line in lines[:2]]
    return "\n".join(lines)


def of_notebook(content: bytes) -> bytes:
    """The text of the module in a notebook. Raises Unreadable where the grader does not take it."""
    if len(content) > MAX_NOTEBOOK_BYTES:
        raise too_large(MAX_NOTEBOOK_BYTES)
    try:
        return checked(module_text(content))
    except NotANotebook as error:
        raise Unreadable(str(error)) from None
