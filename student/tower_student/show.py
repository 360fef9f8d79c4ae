"""What `tower check` prints: how far each module stands, and the first rung that breaks."""

from collections.abc import Mapping, Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tower_student.language import plural, tr
from tower_student.rungs import Climb, Place, Rung
from tower_student.text import clean

WIDTH = 24
"""Of a brick, in characters."""
_MARKS = {
    "passed": Text("✓", "green"),
    "failed": Text("✗", "bold red"),
    "unwritten": Text("·", "dim"),
}


def show(
    climb: Climb,
    modules: Sequence[str],
    opened: Mapping[str, int],
    console: Console,
    title: str = "",
) -> None:
    """The map under the course's title, then the first broken rung: arithmetic, line, open hints."""
    console.print(_map(climb, modules, title))
    if climb.was_stopped:
        console.print(Text(tr("Stopped."), "bold yellow"))
        if climb.stopped:
            where = tr("Your code was at {place}", place=_place(climb.stopped))
            console.print(_line(climb.stopped, where))
        return
    rung = first_broken(climb)
    if rung is None:
        console.print(Text(tr("Every public test passes."), "bold green"))
        console.print(
            tr("The hidden checks ask the same of less friendly cases: reread the docstrings.")
        )
        return
    console.print(_broken(rung, opened.get(rung.id, 0)))


def first_broken(climb: Climb) -> Rung | None:
    """The rung to work on: the first that fails, and where none does, the first that is not written."""
    for status in ("failed", "unwritten"):
        for rung in climb.rungs:
            if rung.status == status:
                return rung
    return None


def _map(climb: Climb, modules: Sequence[str], course: str) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    for justify in ("center", "left", "left", "right", "left"):
        table.add_column(justify=justify, no_wrap=True)
    current = first_broken(climb)
    for module in modules:
        rungs = climb.of(module)
        passed = sum(rung.status == "passed" for rung in rungs)
        failed = [rung for rung in rungs if rung.status == "failed"]
        whole = bool(rungs) and passed == len(rungs)
        begun = passed or failed
        style = "green" if whole else "red" if failed else "yellow" if begun else "dim"
        mark = "passed" if whole else "failed" if failed else "unwritten"
        filled = round(WIDTH * passed / len(rungs)) if rungs else 0
        bar = Text("█" * filled, style) + Text("░" * (WIDTH - filled), "dim")
        here = bool(current and current.module == module)
        told = tr("← here") if here else "" if begun or not rungs else tr("not begun")
        name = Text(module, f"bold {style}" if here else style)
        count = tr("{passed} of {all}", passed=passed, all=len(rungs))
        table.add_row(_MARKS[mark], name, bar, count, Text(told, "bold cyan"))
    done = sum(rung.status == "passed" for rung in climb.rungs)
    passing = plural(
        "{passed} of {count} public test passes",
        "{passed} of {count} public tests pass",
        len(climb.rungs),
        passed=done,
    )
    title = Text(f"{clean(course, 60)}: {passing}" if course else passing, "bold")
    return Panel(table, title=title, title_align="left", expand=False)


def _broken(rung: Rung, opened: int) -> RenderableType:
    name = rung.id.rpartition("::")[2]
    parts: list[RenderableType] = [
        Text.assemble((rung.module, "bold"), "  ", (rung.asks, "bold")),
        Text(name, "dim"),
    ]
    said = clean(rung.message, 8000)
    if rung.status == "unwritten":
        parts.append(
            Padding(Text(f"{tr('Not written yet.')} {said}".strip()), (1, 0, 0, 2), expand=False)
        )
    else:
        parts.append(Padding(Text(said), (1, 0, 0, 2), expand=False))
    if rung.place:
        where = tr("Your line: {place}", place=_place(rung.place))
        parts.append(Padding(_line(rung.place, where), (1, 0, 0, 2), expand=False))
    if rung.printed.strip():
        printed = Text(clean(rung.printed, 4000).rstrip(), "dim")
        parts.append(
            Padding(Group(Text(tr("It printed:"), "dim"), printed), (1, 0, 0, 2), expand=False)
        )
    parts.append(Padding(_hints(rung, opened), (1, 0, 0, 2), expand=False))
    return Group(*parts)


def _hints(rung: Rung, opened: int) -> RenderableType:
    lines: list[RenderableType] = [
        Text.assemble((tr("Hint {number}:", number=number), "cyan"), " ", hint)
        for number, hint in enumerate(rung.hints[:opened], 1)
    ]
    left = len(rung.hints) - opened
    if left > 0:
        more = plural(
            "{count} hint left: tower check --hint opens the next.",
            "{count} hints left: tower check --hint opens the next.",
            left,
        )
        lines.append(Text(more, "dim"))
    else:
        lines.append(Text(tr("Read on: {path}", path=f"handouts/{rung.module}.md"), "cyan"))
    return Group(*lines)


def _place(place: Place) -> str:
    if not place.within:
        return tr("{file}, line {line}", file=place.file, line=place.line)
    return tr(
        "{file}, line {line}, in {function}",
        file=place.file,
        line=place.line,
        function=place.within,
    )


def _line(place: Place, where: str) -> RenderableType:
    return Group(Text(where), Text(f"  {clean(place.text, 300)}", "bold"))
