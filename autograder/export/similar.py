"""Pairs of submissions that are alike: a page that lists them, and one for each pair, side by side."""

from collections.abc import Iterator, Sequence

from autograder.export.html import templates
from autograder.report import Alike
from tower_student.text import clean

Runs = Sequence[tuple[int, int]]


def page_name(number: int) -> str:
    """The file of a pair's page, by its position in the list, from 1."""
    return f"{number:04}.html"


def index_page(
    title: str, pairs: Sequence[Alike], more: int, students: int, threshold: float
) -> str:
    """The list of pairs, the most alike first; `more` are as alike, and have no page."""
    rows = [(page_name(number), pair) for number, pair in enumerate(pairs, 1)]
    template = templates().get_template("similar.html.j2")
    return template.render(
        title=title, rows=rows, more=more, students=students, threshold=threshold
    )


def pair_page(pair: Alike) -> str:
    """Both texts side by side, with what they share marked."""
    sides = [
        (name, share, list(_lines(text, runs)))
        for name, share, text, runs in zip(
            (pair.left, pair.right), pair.shares, pair.texts, pair.lines, strict=True
        )
    ]
    return templates().get_template("pair.html.j2").render(pair=pair, sides=sides)


def _lines(text: str, runs: Runs) -> Iterator[tuple[int, str, bool]]:
    """Each line with its number, and whether it is shared."""
    for number, line in enumerate(text.split("\n"), 1):
        yield number, clean(line), any(first <= number <= last for first, last in runs)
