"""Fills in what follows from course.toml in hand-written pages: names, numbers and tables between markers.

    This module is worth <!-- tower: points my_layer -->20<!-- end --> points.

`tower release` refreshes the text between markers in assignments/, and gives it to students without them. In
Markdown a marker is a comment; in Python and TOML it is one on a line of its own, `# tower: …` and `# end`.

    title             the course's title
    count NOUN        the number of modules in words, as "five modules"
    points MODULE     what a module is worth
    limit NAME        a number of the table [limits]
    total             what all modules are worth, without bonus points
    needs             a sentence: which modules build on which
    modules           a table: the modules in order, and their points
    checks MODULE     a table: a module's checks, and their points
    plans KEY …       a table: the plans of long checks, and their numbers of these names
    with NAME …       a passage for courses that have all of these: a module, MODULE.CHECK, tests/FILE
    example NAME      a passage where NAME stands for a module: if the course lacks it, for the first one

A table keeps its header and what is written by hand in it, row by row, for the names that stay.
"""

import ast
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autograder.course import GPU_CHECKS, Course, Module
from autograder.errors import CourseError
from tower_student.language import tr

_MARKDOWN = re.compile(r"<!--\s*(?:tower:\s*(?P<asked>[^\n]*?)|(?P<end>end))\s*-->")
_COMMENT = re.compile(r"^[ \t]*# (?:tower: *(?P<asked>[^\n]*)|(?P<end>end))$", re.MULTILINE)
_MARKERS = {".md": _MARKDOWN, ".py": _COMMENT, ".toml": _COMMENT}
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_CELL = re.compile(r"(?<!\\)\|")


@dataclass
class _Passage:
    """A directive and what stands between its markers."""

    line: int
    directive: str = ""
    arguments: Sequence[str] = ()
    opening: str = ""
    closing: str = ""
    parts: list["str | _Passage"] = field(default_factory=list)

    @property
    def source(self) -> str:
        """The text as it was read, markers included."""
        inside = (part if isinstance(part, str) else part.source for part in self.parts)
        return "".join((self.opening, *inside, self.closing))


class Page:
    """One hand-written file. Raises CourseError with file and line where a marker is not understood."""

    def __init__(self, course: Course, path: Path, text: str) -> None:
        self._course = course
        self._path = path
        self._content = self._parsed(text)

    def refreshed(self) -> str:
        """The text with its markers, and what course.toml says today between them."""
        return self._filled(self._content, keep=True)

    def released(self) -> str:
        """The text that students get: without markers, and without passages for what the course lacks."""
        return self._filled(self._content, keep=False)

    def _parsed(self, text: str) -> _Passage:
        opened = [_Passage(0)]
        position = 0
        markers = _MARKERS.get(self._path.suffix)
        for match in markers.finditer(text) if markers else ():
            start, stop = _whole_line(text, *match.span())
            line = text.count("\n", 0, match.start()) + 1
            opened[-1].parts.append(text[position:start])
            position = stop
            if not match["end"]:
                directive, *arguments = (match["asked"] or "").split() or [""]
                passage = _Passage(line, directive, arguments, opening=text[start:stop])
                opened[-1].parts.append(passage)
                opened.append(passage)
            elif len(opened) > 1:
                opened.pop().closing = text[start:stop]
            else:
                raise self._error(line, tr("an end, and no tower: marker before it is open"))
        if len(opened) > 1:
            last = opened[-1]
            problem = tr("the end of tower: {directive} is missing", directive=last.directive)
            raise self._error(last.line, problem)
        opened[0].parts.append(text[position:])
        return opened[0]

    def _filled(self, passage: _Passage, *, keep: bool) -> str:
        text = ""
        for part in passage.parts:
            if isinstance(part, str):
                blank = not keep and part.startswith("\n") and text[-2:] in ("", "\n\n")
                text += part[1:] if blank else part  # a passage was left out between empty lines
            elif part.directive == "with" and not self._has_all(part):
                text += part.source if keep else ""
            else:
                inside = self._written(part, self._filled(part, keep=keep), keep=keep)
                text += f"{part.opening}{inside}{part.closing}" if keep else inside
        return text

    def _written(self, passage: _Passage, inside: str, *, keep: bool) -> str:
        """What has to stand between the markers, where `inside` stands now."""
        if passage.directive == "with":
            return inside
        if passage.directive == "example":
            (name,) = self._arguments(passage, "NAME")
            return inside if keep else self._with_example(name, inside)
        write = _DIRECTIVES.get(passage.directive)
        if write is None:
            known = ", ".join((*_DIRECTIVES, "with", "example"))
            problem = tr(
                "unknown directive {directive!r}; there are {known}",
                directive=passage.directive,
                known=known,
            )
            raise self._error(passage.line, problem)
        return write(self, passage, inside)

    def _title(self, passage: _Passage, inside: str) -> str:
        self._arguments(passage)
        return self._course.title

    def _count(self, passage: _Passage, inside: str) -> str:
        (noun,) = self._arguments(passage, "NOUN")
        count = len(self._course.modules)
        return f"{in_words(count)} {noun}{'' if count == 1 else 's'}"

    def _points(self, passage: _Passage, inside: str) -> str:
        return str(self._module(passage).points)

    def _limit(self, passage: _Passage, inside: str) -> str:
        (name,) = self._arguments(passage, "NAME")
        limits = vars(self._course.policy)
        if name not in limits:
            raise self._error(passage.line, tr("{name} is no limit of course.toml", name=name))
        return f"{limits[name]:,g}"

    def _total(self, passage: _Passage, inside: str) -> str:
        self._arguments(passage)
        return str(self._course.points)

    def _needs(self, passage: _Passage, inside: str) -> str:
        self._arguments(passage)
        modules = self._course.modules.values()
        needy = [m for m in modules if m.needs]
        alone = [f"`{m.name}`" for m in modules if not m.needs]
        if not needy:
            return "Each of them stands alone."
        needs = [f"`{m.name}` needs your {_listed(f'`{n}`' for n in m.needs)}" for m in needy]
        rest = "the others stand" if len(alone) > 1 else f"{alone[0]} stands"
        return f"{'; '.join(needs)}; {rest} alone."

    def _modules(self, passage: _Passage, inside: str) -> str:
        self._arguments(passage)
        table = _Table.read(inside, ("order", "file", "handout", "what you build", "points"), 1)
        modules = self._course.modules.values()
        rows = [
            (
                str(order),
                f"`{module.name}.py`",
                f"[{module.name}.md]({module.name}.md)",
                table.by_hand(f"`{module.name}.py`", 3) or self._subject(module, passage.line),
                f"{module.points}{' bonus' if module.bonus else ''}",
            )
            for order, module in enumerate(modules, 1)
        ]
        apart = ", bonus apart" if any(module.bonus for module in modules) else ""
        rows.append(("", "", "", f"**together**{apart}", f"**{self._course.points}**"))
        return table.text(rows)

    def _checks(self, passage: _Passage, inside: str) -> str:
        module = self._module(passage)
        table = _Table.read(inside, ("check", "points", "what it looks at"), 0)
        # What a check is worth where there is no GPU; those that need one are shown in proportion.
        usual = {c: w for c, w in module.weights.items() if not c.startswith(GPU_CHECKS)}
        total = sum((usual or module.weights).values())
        return table.text(
            (
                f"`{check}`",
                f"{round(module.points * weight / total, 2):g}",
                table.by_hand(f"`{check}`", 2) or self._question(module, check, passage.line),
            )
            for check, weight in module.weights.items()
        )

    def _plans(self, passage: _Passage, inside: str) -> str:
        keys = passage.arguments
        table = _Table.read(inside, ("fit", *keys), 0)
        rows = []
        for name, plan in self._course.fits.items():
            if lacking := [key for key in keys if key not in plan]:
                problem = tr("[fits.{plan}] of course.toml has no {key}", plan=name, key=lacking[0])
                raise self._error(passage.line, problem)
            rows.append((name, *(str(plan[key]) for key in keys)))
        return table.text(rows)

    def _with_example(self, name: str, inside: str) -> str:
        stands = name if name in self._course.modules else next(iter(self._course.modules))
        return re.sub(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", stands, inside)

    def _has_all(self, passage: _Passage) -> bool:
        if not passage.arguments:
            raise self._expected(passage, "with NAME …")
        has = {name: self._has(name, passage.line) for name in passage.arguments}
        return all(has.values())

    def _has(self, name: str, line: int) -> bool:
        if "/" in name:
            return (self._course.root / "assignments" / name).is_file()
        module, _, check = name.partition(".")
        if found := self._course.modules.get(module):
            return not check or check in found.weights
        if not (self._course.root / "solutions" / f"{module}.py").is_file():
            raise self._error(
                line,
                tr(
                    "there is no module {module}, neither in course.toml nor in solutions/; correct the "
                    "name, or remove the passage",
                    module=module,
                ),
            )
        return False

    def _module(self, passage: _Passage) -> Module:
        (name,) = self._arguments(passage, "MODULE")
        if name not in self._course.modules:
            known = ", ".join(self._course.modules)
            problem = tr(
                "{name} is no module of course.toml; there are {known}", name=name, known=known
            )
            raise self._error(passage.line, problem)
        return self._course.modules[name]

    def _arguments(self, passage: _Passage, *names: str) -> Sequence[str]:
        if len(passage.arguments) != len(names):
            raise self._expected(passage, " ".join((passage.directive, *names)))
        return passage.arguments

    def _subject(self, module: Module, line: int) -> str:
        """The first sentence of a solution, for a module that the table does not know yet."""
        tree = self._tree(self._course.root / "solutions" / f"{module.name}.py")
        first = (ast.get_docstring(tree) or "").partition("\n")[0]
        if not first:
            problem = tr("say what is built in {module}.py: add its row", module=module.name)
            raise self._error(line, problem)
        return _in_cell(first.rstrip("."))

    def _question(self, module: Module, check: str, line: int) -> str:
        """The title of a hidden test, for a check that the table does not know yet."""
        tree = self._tree(self._course.hidden_tests / f"test_{module.name}.py")
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name == f"test_{check}":
                if not (title := (ast.get_docstring(node) or "").partition("\n")[0]):
                    break
                return _in_cell(title)
        problem = tr("say what {check} looks at: add its row", check=f"{module.name}.{check}")
        raise self._error(line, problem)

    def _tree(self, path: Path) -> ast.Module:
        try:
            return ast.parse(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise CourseError(
                tr("{path} cannot be read: {reason}.", path=path, reason=error.strerror)
            ) from None
        except SyntaxError as error:
            raise CourseError(
                tr(
                    "{path}, line {line}: {problem}.",
                    path=path,
                    line=error.lineno,
                    problem=error.msg,
                )
            ) from None

    def _error(self, line: int, problem: str) -> CourseError:
        return CourseError(
            tr("{path}, line {line}: {problem}.", path=self._path, line=line, problem=problem)
        )

    def _expected(self, passage: _Passage, directive: str) -> CourseError:
        return self._error(passage.line, tr("expected tower: {directive}", directive=directive))


_DIRECTIVES: Mapping[str, Callable[[Page, _Passage, str], str]] = {
    "title": Page._title,
    "count": Page._count,
    "points": Page._points,
    "limit": Page._limit,
    "total": Page._total,
    "needs": Page._needs,
    "modules": Page._modules,
    "checks": Page._checks,
    "plans": Page._plans,
}


@dataclass(frozen=True)
class _Table:
    """A table of Markdown as it was: its head, and its rows by the cell that names them."""

    head: str
    rows: Mapping[str, Sequence[str]]

    @staticmethod
    def read(text: str, header: Sequence[str], key: int) -> "_Table":
        """Read a table whose rows are named in column `key`; `header` is that of a new one."""
        lines = [line for line in text.splitlines() if line.startswith("|")]
        rows = [_cells(line) for line in lines]
        if rows[1:] and len(rows[0]) == len(header):
            head = f"{lines[0]}\n{lines[1]}\n"
        else:
            head = f"| {' | '.join(header)} |\n|{'---|' * len(header)}\n"
        return _Table(head, {row[key]: row for row in rows[2:] if len(row) > key})

    def by_hand(self, name: str, column: int) -> str:
        """What the row of this name holds in a column; empty where there is no such row."""
        row = self.rows.get(name, ())
        return row[column] if len(row) > column else ""

    def text(self, rows: Iterable[Sequence[str]]) -> str:
        """The table with these rows."""
        return self.head + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def in_words(count: int) -> str:
    """A number as it is written in a sentence."""
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def _whole_line(text: str, start: int, stop: int) -> tuple[int, int]:
    """Where a marker begins and ends: with its line, if nothing else stands on it."""
    begin = text.rfind("\n", 0, start) + 1
    end = text.find("\n", stop) + 1 or len(text)
    alone = not (text[begin:start] + text[stop:end]).strip()
    return (begin, end) if alone else (start, stop)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in _CELL.split(line.strip())[1:-1]]


def _in_cell(text: str) -> str:
    return text.replace("|", "\\|")


def _listed(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
