"""What `tower check` prints: how far each module stands, the first test that fails, and what else does."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tower_student.course import Course
from tower_student.language import plural, tr
from tower_student.outcomes import SourceLine, TestOutcome, TestRun
from tower_student.text import clean

WIDTH = 24
"""Of a brick, in characters."""
_MARKS = {
    "passed": Text("✓", "green"),
    "failed": Text("✗", "bold red"),
    "unwritten": Text("·", "dim"),
}


def show(
    run: TestRun,
    modules: Sequence[str],
    opened: Mapping[str, int],
    console: Console,
    course: Course,
) -> None:
    """The map of these modules, the first broken test with arithmetic, line and hints, and the others."""
    console.print(_map(run, modules, course.title))
    if run.was_stopped:
        console.print(Text(tr("Stopped."), "bold yellow"))
        if run.stopped:
            where = tr("Your code was at {location}", location=location(run.stopped))
            console.print(_line(run.stopped, where))
        return
    outcome = first_broken(run)
    if outcome is None:
        console.print(_done(modules, course))
        return
    console.print(_broken(outcome, opened.get(outcome.id, 0)))
    console.print(_around(run, outcome))


def _done(modules: Sequence[str], course: Course) -> RenderableType:
    """What to do when everything that was run passes."""
    if len(modules) >= len(course.modules):
        said = tr("Every public test passes.")
        submit = tr("Next: tower submit packs what you hand in.")
        train = tr("Next: tower train shows what you have built at work; tower submit packs it.")
        now = train if course.trains else submit
    else:
        said = tr("Every public test of {modules} passes.", modules=", ".join(modules))
        following = dict(pairwise(course.modules)).get(modules[-1])
        page = tr("Next: {path}", path=f"handouts/{following}.md")
        now = page if following else tr("Next: tower check, for all modules.")
    hidden = tr("The hidden checks ask the same of less friendly cases: reread the docstrings.")
    return Group(Text(said, "bold green"), Text(hidden), Text(now, "bold"))


def _around(run: TestRun, broken: TestOutcome) -> RenderableType:
    """A line for each other test of the module, and for those that fail in the others."""
    others = [
        outcome
        for outcome in run.outcomes
        if outcome is not broken and (outcome.module == broken.module or outcome.status == "failed")
    ]
    width = max((len(outcome.module) for outcome in others), default=0)
    lines = [
        Text.assemble(
            _MARKS[outcome.status],
            (
                f" {outcome.module:{width}} {outcome.asks}",
                "" if outcome.status == "failed" else "dim",
            ),
            no_wrap=True,
            overflow="ellipsis",
        )
        for outcome in others
    ]
    return Padding(Group(*lines), (1, 0, 0, 0), expand=False)


def first_broken(run: TestRun) -> TestOutcome | None:
    """The test to work on: the first that fails, and where none does, the first that is not written."""
    for status in ("failed", "unwritten"):
        for outcome in run.outcomes:
            if outcome.status == status:
                return outcome
    return None


def _map(run: TestRun, modules: Sequence[str], course: str) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    for justify in ("center", "left", "left", "right", "left"):
        table.add_column(justify=justify, no_wrap=True)
    current = first_broken(run)
    for module in modules:
        outcomes = run.of(module)
        passed = sum(outcome.status == "passed" for outcome in outcomes)
        failed = [outcome for outcome in outcomes if outcome.status == "failed"]
        whole = bool(outcomes) and passed == len(outcomes)
        begun = passed or failed
        style = "green" if whole else "red" if failed else "yellow" if begun else "dim"
        mark = "passed" if whole else "failed" if failed else "unwritten"
        filled = round(WIDTH * passed / len(outcomes)) if outcomes else 0
        bar = Text("█" * filled, style) + Text("░" * (WIDTH - filled), "dim")
        here = bool(current and current.module == module)
        text = tr("← here") if here else "" if begun or not outcomes else tr("not begun")
        name = Text(module, f"bold {style}" if here else style)
        count = tr("{passed} of {all}", passed=passed, all=len(outcomes))
        table.add_row(_MARKS[mark], name, bar, count, Text(text, "bold cyan"))
    done = sum(outcome.status == "passed" for outcome in run.outcomes)
    passing = plural(
        "{passed} of {count} public test passes",
        "{passed} of {count} public tests pass",
        len(run.outcomes),
        passed=done,
    )
    title = Text(f"{clean(course, 60)}: {passing}" if course else passing, "bold")
    return Panel(table, title=title, title_align="left", expand=False)


def _broken(outcome: TestOutcome, opened: int) -> RenderableType:
    name = outcome.id.rpartition("::")[2]
    parts: list[RenderableType] = [
        Text.assemble((outcome.module, "bold"), "  ", (outcome.asks, "bold")),
        Text(name, "dim"),
    ]
    said = clean(outcome.message, 8000)
    if outcome.status == "unwritten":
        parts.append(
            Padding(Text(f"{tr('Not written yet.')} {said}".strip()), (1, 0, 0, 2), expand=False)
        )
    else:
        parts.append(Padding(Text(said), (1, 0, 0, 2), expand=False))
    if outcome.line:
        where = tr("Your line: {location}", location=location(outcome.line))
        parts.append(Padding(_line(outcome.line, where), (1, 0, 0, 2), expand=False))
    if outcome.printed.strip():
        printed = Text(clean(outcome.printed, 4000).rstrip(), "dim")
        parts.append(
            Padding(Group(Text(tr("It printed:"), "dim"), printed), (1, 0, 0, 2), expand=False)
        )
    parts.append(Padding(_hints(outcome, opened), (1, 0, 0, 2), expand=False))
    return Group(*parts)


def _hints(outcome: TestOutcome, opened: int) -> RenderableType:
    lines: list[RenderableType] = [
        Text.assemble((tr("Hint {number}:", number=number), "cyan"), " ", hint)
        for number, hint in enumerate(outcome.hints[:opened], 1)
    ]
    left = len(outcome.hints) - opened
    if left > 0:
        more = plural(
            "{count} hint left: tower check --hint opens the next.",
            "{count} hints left: tower check --hint opens the next.",
            left,
        )
        lines.append(Text(more, "dim"))
    else:
        if outcome.hints:
            lines.append(Text(tr("No hint is left."), "dim"))
        lines.append(Text(tr("Read on: {path}", path=f"handouts/{outcome.module}.md"), "cyan"))
    return Group(*lines)


def location(line: SourceLine) -> str:
    """Where a line of the student's is, in words."""
    if not line.within:
        return tr("{file}, line {line}", file=line.file, line=line.number)
    return tr(
        "{file}, line {line}, in {function}",
        file=line.file,
        line=line.number,
        function=line.within,
    )


def _line(line: SourceLine, where: str) -> RenderableType:
    return Group(Text(where), Text(f"  {clean(line.text, 300)}", "bold"))
