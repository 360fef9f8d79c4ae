"""Text from a submission is data: made harmless once, here, before it is shown anywhere.

It is shown in three ways. `quoted` makes lines of it, which are shown apart from ours. `word` makes a name
fit to stand within a sentence of ours. `one_line` is for what is short and stands apart. Each export still
escapes what it is given for its own format.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from tower_student.language import plural, tr

MAX_CHARACTERS = 2000
MAX_LINES = 40
MAX_MARKS = 4
"""Combining marks on one letter: Hebrew and Vedic need as many, a flood of them hides other lines."""
MAX_WORD = 60
MAX_WORDS = 8
PREFIX = "student | "

_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Characters that leave no trace though they are no format characters: selectors, fillers, a blank."""

_COMMAND = re.compile(r"^[^\S\n]*:(?=:)|#(?=#\w*\[)", re.MULTILINE)
"""What a CI service that reads a log acts upon: `::` first in a line, `##[`, `##vso[` anywhere in it."""

_DOUBLE_COLON = re.compile(":(?=:)")

_NO_WORD = re.compile(r"[^\w.]+|[\u115f\u1160\u3164\uffa0]+")


def clean(text: str, limit: int = MAX_CHARACTERS) -> str:
    """The text in plain characters, cut at `limit`.

    Newlines and tabs stay; control, format, surrogate, private, unassigned and invisible characters go,
    and so do combining marks that are not on a letter, where they would mark what stands before the
    text. A space takes commands to CI services apart; it has to be seen, since the runner of GitHub
    Actions compares by rules that pass over invisible characters.
    """
    plain = _COMMAND.sub(r"\g<0> ", "".join(_plain(text[: 2 * limit])))
    is_whole = len(plain) <= limit and len(text) <= 2 * limit
    return plain if is_whole else f"{plain[:limit]} {tr('[cut]')}"


def one_line(text: str, limit: int = 200) -> str:
    """The cleaned text on a single line."""
    return " ".join(clean(text, limit).split())


def wrappable(text: str) -> str:
    """Cleaned text, with no two colons in a row left: any word of it may come to begin a line.

    Where a console breaks it, GitHub's runner would read what begins with two colons as a command,
    however far it is indented.
    """
    return _DOUBLE_COLON.sub(": ", text)


def quoted(text: str) -> tuple[str, ...]:
    """Lines of cleaned text, to be shown behind a prefix or in a block, so that they cannot pass for ours."""
    lines = clean(text).splitlines()
    return (*lines[:MAX_LINES], tr("[cut]")) if len(lines) > MAX_LINES else tuple(lines)


def word(name: str) -> str:
    """A name, such as that of a type, as one word of a sentence of ours.

    A "?" stands for what has no place in a name: a name may hold any text, a whole sentence too. A
    name that is none therefore never becomes one, nor is a long one mistaken for its beginning.
    """
    shown = _NO_WORD.sub("?", name[: MAX_WORD + 1])
    return (shown if len(shown) <= MAX_WORD else shown[:MAX_WORD] + "…") or "?"


def words(names: Iterable[str]) -> str:
    """Names as a list within a sentence: sorted, and no more than a few of them."""
    return listed(sorted(map(word, names))) or tr("nothing")


def listed(parts: Sequence[str], most: int = MAX_WORDS) -> str:
    """The first few of these parts of a sentence, and how many there are more; "" of none."""
    left = len(parts) - most
    more = [plural("{count} more", "{count} more", left)] if left > 0 else []
    return ", ".join([*parts[:most], *more])


def _plain(text: str) -> Iterator[str]:
    marks = 0  # that may follow
    for character in _INVISIBLE.sub("", text):
        category = unicodedata.category(character)
        if category[0] == "M":
            if marks:
                yield character
                marks -= 1
            continue
        # Cc, Cf (bidirectional overrides among them), Cs, Co, Cn; the line separators Zl and Zp.
        if character in "\n\t" or (category[0] != "C" and category not in ("Zl", "Zp")):
            yield character
            marks = MAX_MARKS if category[0] == "L" else 0
