"""The report on a terminal."""

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from autograder.report import CheckResult, ModuleResult, Report

_MARKS = {
    "passed": Text("✓", "green"),
    "failed": Text("✗", "bold red"),
    "not_verified": Text("–", "yellow"),
    "not_submitted": Text("✗", "red"),
}


def show(report: Report, console: Console) -> None:
    """Print the report: a line for each check, the message under each that failed, the score.

    All text goes through rich.text.Text, which reads no markup.
    """
    console.print(_heading(report))
    for module in report.modules:
        console.print(_module(module))
    console.print(_summary(report))


def _heading(report: Report) -> RenderableType:
    facts = Text(f"seed {report.seed} · fit {report.environment['fit']} · {report.device}", "dim")
    isolation = Text(f"isolation {report.isolation.level}: {report.isolation.detail}", "dim")
    return Panel(Group(facts, isolation), title=Text(report.submission, "bold"), title_align="left")


def _module(module: ModuleResult) -> RenderableType:
    parts: list[RenderableType] = [
        Text.assemble((module.name, "bold"), f"  {module.score:g} of {module.max_score:g}")
    ]
    if module.note:
        parts.append(Padding(Text(module.note, "yellow"), (0, 0, 0, 2)))
    if all(check.status == "not_submitted" for check in module.checks):
        return Group(*parts, "")
    told = ""
    for check in module.checks:
        parts.append(_line(check))
        if check.status == "failed" and check.message == told:
            parts.append(Padding(Text("The same as above.", "dim"), (0, 0, 0, 6)))
        elif check.status == "failed":
            told = check.message
            hint = [Text(f"Read on: {check.hint}", "cyan")] if check.hint else []
            parts.append(Padding(Group(Text(check.message), *hint), (0, 0, 1, 6)))
        elif check.message:
            parts.append(Padding(Text(check.message, "dim"), (0, 0, 0, 6)))
    return Group(*parts, "")


def _line(check: CheckResult) -> RenderableType:
    row = Table.grid(padding=(0, 1))
    row.add_column(width=3, justify="right")
    row.add_column(width=9, justify="right")
    row.add_column()
    points = f"{check.score:g}/{check.max_score:g}" if check.max_score else "–"
    name = check.id.partition(".")[2]
    row.add_row(
        _MARKS[check.status], Text(points, "dim"), Text.assemble((name, "bold"), f"  {check.title}")
    )
    return row


def _summary(report: Report) -> RenderableType:
    table = Table(title="Score", title_justify="left", title_style="bold")
    table.add_column("module")
    table.add_column("score", justify="right")
    table.add_column("of", justify="right")
    table.add_column("", width=20)
    for module in report.modules:
        share = module.score / module.max_score if module.max_score else 0.0
        bar = Text("█" * round(20 * share), "green" if share == 1 else "yellow")
        table.add_row(module.name, f"{module.score:g}", f"{module.max_score:g}", bar)
    table.add_section()
    table.add_row(
        Text("together", "bold"),
        Text(f"{report.score:g}", "bold"),
        Text(f"{report.max_score:g}", "bold"),
        Text(f"{report.per_cent:.1f} %", "bold"),
    )
    return table
