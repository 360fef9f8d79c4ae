"""The report as one HTML page, from the templates beside this file (report.html.j2).

The page holds no script and asks for nothing from elsewhere; its content security policy says so too.
"""

import functools
import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from autograder.export import view
from autograder.report import Attempt, ModuleResult, Report
from tower_student import language

if TYPE_CHECKING:
    from jinja2 import Environment


def render(report: Report) -> str:
    """What students may see of the report, as HTML text.

    Whatever it holds is escaped, and stands in text, never in markup.
    """
    return whole(report.visible())


def whole(report: Report) -> str:
    """All of the report, as the instructor sees it."""
    return templates().get_template("report.html.j2").render(report=report)


@functools.cache
def templates() -> "Environment":
    """What every page is made with: text is escaped, and an unknown name is an error.

    A sentence in {{ _("…") }} is text as well. One in {% trans %} may hold tags: it stands in no attribute.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined  # most runs make no page

    environment = Environment(
        loader=PackageLoader("autograder", "export"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        language.for_template, language.plural_for_template
    )
    environment.globals["spoken"] = language.spoken
    environment.filters.update(
        passages=_passages, lines_by_module=view.lines_by_module, share=_share, later=view.later
    )
    environment.tests["scored"] = view.has_score
    return environment


def _passages(lines: Sequence[view.Line]) -> Iterator[tuple[str, str]]:
    """Lines in passages: "quoted" for what the submission wrote, "reading", or "" for other lines of ours.

    The page sets a submission's lines apart as a block, so that where a line breaks does not matter.
    """
    for kind, passage in itertools.groupby(lines, _kind):
        yield kind, "\n".join(line.text if line.quoted else str(line) for line in passage)


def _kind(line: view.Line) -> str:
    return "quoted" if line.quoted else "reading" if line.label == view.READING else ""


def _share(part: Report | ModuleResult | Attempt) -> str:
    """The score as a share of the maximum, for a bar."""
    return f"{100 * part.score / part.max_score if part.max_score else 0:.1f}%"
