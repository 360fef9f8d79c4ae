"""The report as one HTML page, from the templates beside this file (report.html.j2).

The page holds no script and asks for nothing from elsewhere; its content security policy says so too.
"""

import functools
import itertools
from collections.abc import Iterator

from jinja2 import Environment, PackageLoader, StrictUndefined

from autograder.report import Attempt, CheckResult, ModuleResult, Report
from tower_student.text import PREFIX


def render(report: Report) -> str:
    """The report as HTML text. Whatever it holds is escaped, and stands in text, never in markup."""
    return templates().get_template("report.html.j2").render(report=report)


@functools.cache
def templates() -> Environment:
    """What every page is made with: text is escaped, and an unknown name is an error."""
    environment = Environment(
        loader=PackageLoader("autograder", "export"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(passages=_passages, told=_told, share=_share)
    return environment


def _passages(message: str) -> Iterator[tuple[bool, str]]:
    """A message in passages: whether the submission wrote it, and its lines without their prefix.

    The page sets a submission's lines apart as a block, so that where a line breaks does not matter.
    """
    lines = message.split("\n") if message else []
    for quoted, passage in itertools.groupby(lines, lambda line: line.startswith(PREFIX)):
        yield quoted, "\n".join(line.removeprefix(PREFIX) if quoted else line for line in passage)


def _told(module: ModuleResult) -> Iterator[tuple[CheckResult, str]]:
    """Each check with the message to show: one that says what the last failed check said is not repeated,
    nor is what the module's note says.
    """
    told = module.note
    for check in module.checks:
        if check.status == "not_submitted" and check.message == module.note:
            yield check, ""
        elif check.status == "failed" and check.message == told:
            yield check, "The same as above."
        else:
            told = check.message if check.status == "failed" else told
            yield check, check.message


def _share(part: Report | ModuleResult | Attempt) -> str:
    """The score as a share of the maximum, for a bar."""
    return f"{100 * part.score / part.max_score if part.max_score else 0:.1f}%"
