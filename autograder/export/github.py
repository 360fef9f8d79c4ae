"""The report for GitHub: a step's summary, annotations, outputs, and what GitHub Classroom reads.

Students see all of it, so it is made of what they may see (Report.visible). Formats: GitHub's documentation
of workflow commands; the sources of Classroom's autograding-grading-reporter.
"""

import base64
import html
import json
import re
import textwrap
from collections.abc import Iterator, Sequence

from autograder.export import view
from autograder.report import CheckResult, ModuleResult, Report, SourceLocation
from tower_student.language import plural, tr
from tower_student.text import wrappable

MAX_SUMMARY = 1 << 20
"""Bytes that GitHub takes for a step; more, and nothing is shown at all."""
MAX_COMMENT = 60_000
"""Bytes of a comment; GitHub takes 65,536 characters."""
MAX_ANNOTATIONS = 10
"""Of one type that are shown for a step."""
_WRAP = textwrap.TextWrapper(100, break_long_words=False, break_on_hyphens=False)
"""GitHub wraps nothing in `<pre>`."""
MARKS = {"passed": "✅", "failed": "❌", "not_verified": "➖", "not_submitted": "❌"}


def summary(report: Report, size: int = MAX_SUMMARY) -> str:
    """The report as Markdown: a table of modules, and under each what failed.

    What a submission wrote stands in `<pre>`, as text, where GitHub reads no Markdown, mention or link.
    Messages are shortened, all to one length, where the whole would be longer than `size` in bytes.
    """
    shown = report.visible()
    for limit in (8000, 2000, 500, 100):
        text = "\n".join(_lines(shown, limit)) + "\n"
        if len(text.encode()) < size:
            break
    return text


def comment(report: Report) -> str:
    """The summary, short enough for a comment."""
    return summary(report, MAX_COMMENT)


def _lines(report: Report, limit: int) -> Iterator[str]:
    points = tr(
        "{score:g} of {most:g} points ({share:.1f} %)",
        score=report.score,
        most=report.max_score,
        share=report.per_cent,
    )
    heading = [points] if view.has_score(report) else []
    heading += filter(None, [view.later(report)])
    yield f"## {', '.join(heading)}: <code>{_literal(report.submission)}</code>"
    yield ""
    yield f"| {tr('module')} | {tr('score')} | {tr('of')} |"
    yield "| :-- | --: | --: |"
    for module in report.modules:
        later = f" ({view.later(module)})" if module.later else ""
        most = f"{module.max_score:g}{later}"
        yield f"| {_literal(view.name(module))} | {module.score:g} | {most} |"
    yield ""
    digest = tr("submission {digest}", digest=f"<code>{report.submission_digest}</code>")
    yield f"{_literal(' · '.join(view.facts(report)))} · {digest}"
    for module, checks in view.lines_by_module(report):
        yield from _module(module, checks, limit)


def _module(module: ModuleResult, checks: list[view.CheckLines], limit: int) -> Iterator[str]:
    yield ""
    points = tr("{score:g} of {most:g}", score=module.score, most=module.max_score)
    yield f"### {_literal(module.name)}: {points if module.checks else view.later(module)}"
    yield ""
    if module.note:
        yield from _said([view.Line(module.note)], limit)
    for check, lines in checks:
        points = f"{check.score:g}/{check.max_score:g}"
        yield f"{MARKS[check.status]} **{_literal(check.id)}** {points} {_literal(check.title)}"
        yield ""
        if lines:
            yield from _said(lines, limit)


def _said(lines: Sequence[view.Line], limit: int) -> Iterator[str]:
    """Lines as they are; what is left out of them is said."""
    text = "\n".join(str(line) if line.quoted else _WRAP.fill(str(line)) for line in lines)
    cut = text if len(text) <= limit else f"{text[:limit]} {tr('[cut]')}"
    yield f"<pre>{html.escape(cut)}</pre>"
    yield ""


def _literal(text: str) -> str:
    """Text on one line, in which Markdown and HTML see letters only."""
    return re.sub(r"[^\w ]", lambda found: f"&#{ord(found.group())};", " ".join(text.split()))


def annotations(report: Report, folder: str) -> str:
    """Workflow commands, a line each, that mark what failed in the student's own lines.

    Args:
        folder: where the modules lie, as seen from the top of the repository; "" at its top.
    """
    failed: dict[SourceLocation | None, list[CheckResult]] = {}
    for module in report.visible().modules:
        for check in module.checks:
            if check.status == "failed":
                failed.setdefault(_location(check), []).append(check)
    prefix = f"{folder}/" if folder else ""
    lines = []
    for location, checks in failed.items():
        properties = {"title": ", ".join(check.id for check in checks)}
        if location:
            properties |= {"file": f"{prefix}{location.file}", "line": str(location.line)}
        messages = dict.fromkeys(f"{check.title}\n{view.message(check)}" for check in checks)
        lines.append(_command("error", properties, "\n\n".join(messages)))
    if len(lines) > MAX_ANNOTATIONS:
        more = plural(
            "{count} more location: see the summary of this job.",
            "{count} more locations: see the summary of this job.",
            len(lines) - MAX_ANNOTATIONS + 1,
        )
        lines[MAX_ANNOTATIONS - 1 :] = [_command("error", {"title": tr("And more")}, more)]
    return "".join(line + "\n" for line in lines)


def _command(name: str, properties: dict[str, str], message: str) -> str:
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name} {listed}::{_data(wrappable(message))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def outputs(report: Report) -> str:
    """What a step puts out: score, max-score, per-cent, and the result that Classroom's reporter takes."""
    shown = report.visible()
    result = base64.b64encode(classroom(report).encode()).decode()
    return (
        f"score={shown.score:g}\nmax-score={shown.max_score:g}\nper-cent={shown.per_cent:.1f}\n"
        f"result={result}\n"
    )


def classroom(report: Report) -> str:
    """The result of a grader for GitHub Classroom's reporter, as JSON; it wants it in base 64."""
    shown = report.visible()
    checks = [check for module in shown.modules for check in module.checks if check.max_score]
    passed = all(check.status == "passed" for check in checks)
    content = {
        "version": 1,
        "status": "pass" if passed else "fail",
        "max_score": shown.max_score,
        "tests": [_test(check) for check in checks],
    }
    return json.dumps(content, allow_nan=False)


def _test(check: CheckResult) -> dict[str, object]:
    location = _location(check)
    where = {"filename": location.file, "line_no": location.line} if location else {}
    return {
        "name": f"{check.id}: {check.title}",
        "status": "pass" if check.status == "passed" else "fail",
        "score": check.score,
        "max_score": check.max_score,
        "message": wrappable(view.message(check)),
        **where,
    }


def _location(check: CheckResult) -> SourceLocation | None:
    return check.feedback.location if check.feedback else None
