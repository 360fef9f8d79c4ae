"""The report as one HTML page, from the template beside this file (report.html.j2).

The page holds no script and asks for nothing from elsewhere; its content security policy says so too.
"""

import itertools
from collections.abc import Iterator
from importlib import resources

from jinja2 import Environment, StrictUndefined

from autograder.report import CheckResult, ModuleResult, Report
from autograder.text import PREFIX


def render(report: Report) -> str:
    """The report as HTML text. Whatever it holds is escaped, and stands in text, never in markup."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(passages=_passages, told=_told, share=_share)
    template = resources.files(__package__).joinpath("report.html.j2").read_text(encoding="utf-8")
    return environment.from_string(template).render(report=report)


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


def _share(part: Report | ModuleResult) -> str:
    """The score as a share of the maximum, for a bar."""
    return f"{100 * part.score / part.max_score if part.max_score else 0:.1f}%"
