"""Text from a submission is data: cleaned once, here, before it is shown anywhere."""

import unicodedata

MAX_CHARACTERS = 2000
MAX_LINES = 40
PREFIX = "student | "


def clean(text: str, limit: int = MAX_CHARACTERS) -> str:
    """The text without control, format and surrogate characters, cut at `limit`.

    Newlines and tabs stay. What is left is plain characters, still to be escaped by each export.
    """
    kept = "".join(character for character in text[: 2 * limit] if _is_plain(character))
    return kept if len(kept) <= limit and len(text) <= 2 * limit else kept[:limit] + " [cut]"


def one_line(text: str, limit: int = 200) -> str:
    """The cleaned text on a single line."""
    return " ".join(clean(text, limit).split())


def quote(text: str) -> str:
    """Cleaned text with a prefix on every line, so that it cannot pass for ours."""
    lines = clean(text).splitlines()
    cut = [*lines[:MAX_LINES], "[cut]"] if len(lines) > MAX_LINES else lines
    return "\n".join(PREFIX + line for line in cut)


def _is_plain(character: str) -> bool:
    if character in "\n\t":
        return True
    # Cc, Cf (bidirectional overrides among them), Cs, Co, Cn; the line separators Zl and Zp.
    category = unicodedata.category(character)
    return category[0] != "C" and category not in ("Zl", "Zp")
