"""The report on a terminal."""

from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from autograder.export import view
from autograder.report import CheckResult, ModuleResult, Report
from tower_student.language import tr
from tower_student.text import PREFIX, wrappable

_MARKS = {
    "passed": Text("✓", "green"),
    "failed": Text("✗", "bold red"),
    "not_verified": Text("–", "yellow"),
    "not_submitted": Text("✗", "red"),
}


def show(report: Report, console: Console) -> None:
    """Print the report: a line for each check, the message under each that failed, the score.

    All text goes through rich.text.Text, which reads no markup. Whatever the width, no line begins with
    a command to GitHub's runner, and what a submission wrote stands behind its prefix.
    """
    console.print(_heading(report))
    for module, checks in view.lines_by_module(report):
        console.print(_module(module, checks))
    console.print(_summary(report))


def _heading(report: Report) -> RenderableType:
    seed, fit, isolation = view.facts(report)
    facts = Group(
        _text(f"{seed} · {fit} · {report.device}", "dim"),
        _text(isolation, "bold yellow" if report.isolation.is_weak else "dim"),
    )
    title = " · ".join(filter(None, (report.course, report.submission)))
    return Panel(facts, title=_text(title, "bold"), title_align="left")


def _module(module: ModuleResult, checks: list[view.CheckLines]) -> RenderableType:
    parts: list[RenderableType] = [
        Text.assemble(
            _text(module.name, "bold"),
            "  ",
            tr("{score:g} of {most:g}", score=module.score, most=module.max_score),
            _text(f" {tr('(bonus)')}") if module.bonus else "",
            _text(f" · {view.later(module)}") if module.later else "",
        )
    ]
    if module.note:
        parts.append(Padding(_text(module.note, "yellow"), (0, 0, 0, 2)))
    if all(check.status == "not_submitted" for check in module.checks):
        return Group(*parts, "")
    for check, lines in checks:
        parts.append(_heading_of(check))
        failed = check.status == "failed"
        if lines:
            said = Group(*(_line(line, "" if failed else "dim") for line in lines))
            parts.append(Padding(said, (0, 0, int(failed), 6)))
    return Group(*parts, "")


def _heading_of(check: CheckResult) -> RenderableType:
    row = Table.grid(padding=(0, 1))
    row.add_column(width=3, justify="right")
    row.add_column(width=9, justify="right")
    row.add_column()
    points = f"{check.score:g}/{check.max_score:g}" if check.max_score else "–"
    name = check.id.partition(".")[2]
    title = Text.assemble(_text(name, "bold"), "  ", _text(check.title))
    row.add_row(_MARKS[check.status], Text(points, "dim"), title)
    return row


def _line(line: view.Line, style: str) -> RenderableType:
    if line.quoted:
        return _Quoted(line.text, style)
    return _text(str(line), "cyan" if line.label == view.READING else style)


def _text(text: str, style: str = "") -> Text:
    """A line of ours."""
    return Text(wrappable(text), style)


@dataclass(frozen=True)
class _Quoted:
    """A submission's line: each printed line that it is broken into has the prefix."""

    text: str
    style: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max(1, options.max_width - len(PREFIX))
        for part in Text(self.text).wrap(console, width):
            yield Text(PREFIX + part.plain, self.style, no_wrap=True, overflow="ignore")


def _summary(report: Report) -> RenderableType:
    table = Table(title=tr("Score"), title_justify="left", title_style="bold")
    table.add_column(tr("module"))
    table.add_column(tr("score"), justify="right")
    table.add_column(tr("of"), justify="right")
    table.add_column("", width=20)
    for module in report.modules:
        share = module.score / module.max_score if module.max_score else 0.0
        bar = Text("█" * round(20 * share), "green" if share == 1 else "yellow")
        table.add_row(_text(view.name(module)), f"{module.score:g}", f"{module.max_score:g}", bar)
    table.add_section()
    table.add_row(
        Text(tr("together"), "bold"),
        Text(f"{report.score:g}", "bold"),
        Text(f"{report.max_score:g}", "bold"),
        Text(f"{report.per_cent:.1f} %", "bold"),
    )
    return table
