"""Wrong submissions as code: puts what stands under @mutant in the place of the solution's own definitions.

The files are parsed and never run, since their functions belong into a module that is not there.
"""

import ast
import inspect
from collections.abc import Callable, Iterator, Sequence, Set
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

from autograder.errors import CourseError
from tower_student.language import tr

Definition = TypeVar("Definition")


def mutant(
    name: str,
    misconception: str = "",
    *,
    check: str = "",
    cause: str = "",
    calibrates: bool = False,
    above: str = "",
) -> Callable[[Definition], Definition]:
    """Mark a function or class of tests/bank/mutants/MODULE.py, which is read and never run.

    A function takes the place of the solution's function of that name. Of a class, only what it holds does,
    methods and attributes alike, and its head where that has bases or decorators: the solution's class keeps
    the rest. What the solution has not is added at the end of the class or module.

    Definitions that follow one another under the same name are one mutant. The first has to be one of the
    solution's; the others have the name alone, as in `@mutant("name")`.

    Args:
        name: in snake_case, unique in its module.
        misconception: what a student who writes this believes, as a sentence.
        check: the check that must catch it, by its name without the module.
        cause: the id of a likely cause that the report has to name; "" where none names the misconception.
        calibrates: whether `tower calibrate` measures what it learns.
        above: what the definition needs above it, such as an import or a constant.
    """
    return lambda definition: definition


class Wrong(NamedTuple):
    """A mutant of a file: the arguments of its first @mutant, and the solution with its definitions."""

    says: dict[str, Any]
    source: str


class _Marked(NamedTuple):
    """A definition, without its @mutant; `says` holds all arguments of that."""

    node: ast.FunctionDef | ast.ClassDef
    says: dict[str, Any]
    where: str

    @property
    def name(self) -> str:
        """The mutant's, not the definition's."""
        return str(self.says["name"])


class _Edit(NamedTuple):
    """These lines in the place of lines[start:stop] of the solution."""

    start: int
    stop: int
    lines: list[str]


def read(module: str, text: str, solution: str) -> Iterator[Wrong]:
    """Yield the mutants of a module, from the text of their file. Raises CourseError."""
    file, lines, own = f"tests/bank/mutants/{module}.py", text.split("\n"), solution.split("\n")
    marked = [_marked(node, file) for node in _definitions(_parsed(text, file))]
    body, seen = _parsed(solution, f"solutions/{module}.py").body, set[str]()
    for name, definitions in groupby(marked, attrgetter("name")):
        first, *others = definitions
        _demand_complete(first)
        _demand_new(first, others, seen)
        replaced = _replaced(first, body, module)
        above = _above(first.says["above"], replaced)
        edits = _edits(body, own, [first.node, *(other.node for other in others)], lines)
        yield Wrong(first.says, _edited(own, [*above, *edits]))
        seen.add(name)


def _parsed(text: str, path: str) -> ast.Module:
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise CourseError(
            tr(
                "{where}: this is no Python: {error}.",
                where=f"{path}:{error.lineno}",
                error=error.msg,
            )
        ) from None


def _definitions(tree: ast.Module) -> list[ast.stmt]:
    """What is no import and no docstring."""
    body = tree.body[1:] if ast.get_docstring(tree) is not None else tree.body
    return [node for node in body if not isinstance(node, ast.Import | ast.ImportFrom)]


def _marked(node: ast.stmt, path: str) -> _Marked:
    """Take @mutant off a definition, and read it."""
    where = f"{path}:{node.lineno}"
    if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.decorator_list:
        mark, *node.decorator_list = node.decorator_list
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == mutant.__name__:
            return _Marked(node, _arguments(mark, where), where)
    raise CourseError(
        tr(
            "{where}: this does not stand under @mutant. Put it there; only imports may stand beside "
            "mutants, and what one of them needs goes into its above=….",
            where=where,
        )
    )


def _arguments(mark: ast.Call, where: str) -> dict[str, Any]:
    try:
        given = [ast.literal_eval(argument) for argument in mark.args]
        named = {str(k.arg): ast.literal_eval(k.value) for k in mark.keywords}
        return _bound(*given, **named)
    except (TypeError, ValueError) as error:
        raise CourseError(
            tr(
                "{where}: @mutant cannot be read: {error}. Write a name, a misconception and check=…, as "
                "plain strings.",
                where=where,
                error=error,
            )
        ) from None


def _bound(*given: Any, **named: Any) -> dict[str, Any]:
    """All arguments of @mutant, by name. Raises TypeError as a call of it would."""
    bound = inspect.signature(mutant).bind(*given, **named)
    bound.apply_defaults()
    return bound.arguments


def _demand_complete(first: _Marked) -> None:
    if lacking := [key for key in ("misconception", "check") if not first.says[key]]:
        raise CourseError(
            tr(
                "{where}: the mutant {mutant!r} has no {lacking}. Write @mutant(name, misconception, "
                "check=…) above its first definition.",
                where=first.where,
                mutant=first.name,
                lacking=", ".join(lacking),
            )
        )


def _demand_new(first: _Marked, others: Sequence[_Marked], seen: Set[str]) -> None:
    twice = [other for other in others if other.says != _bound(other.name)]
    if again := [first] if first.name in seen else twice:
        raise CourseError(
            tr(
                "{where}: there is a mutant {mutant!r} already. Choose another name, or let the "
                "definitions of one mutant follow one another, the later ones under the name alone.",
                where=again[0].where,
                mutant=first.name,
            )
        )


def _replaced(first: _Marked, body: Sequence[ast.stmt], module: str) -> ast.stmt:
    """What the solution has under the name of a mutant's first definition."""
    for node in body:
        if _name(node) == first.node.name:
            return node
    raise CourseError(
        tr(
            "{where}: solutions/{module}.py has no {definition} that this could take the place of. "
            "Give it a name that the solution has.",
            where=first.where,
            module=module,
            definition=first.node.name,
        )
    )


def _above(text: str, replaced: ast.stmt) -> list[_Edit]:
    start = _first_line(replaced)
    return [_Edit(start, start, [*text.split("\n"), "", ""])] if text else []


def _edits(
    old: Sequence[ast.stmt], own: list[str], new: Sequence[ast.stmt], lines: list[str]
) -> Iterator[_Edit]:
    """What puts the statements `new` of `lines` in the place of the statements `old` of `own`."""
    replaced = {_name(node): node for node in old if _name(node)}
    for node in new:
        former, written = replaced.get(_name(node)), slice(*_span(node, lines))
        if former is None:
            end, blank = _span(old[-1], own)[1], [""] if node.col_offset else ["", ""]
            yield _Edit(end, end, [*blank, *lines[written]])
        elif isinstance(node, ast.ClassDef) and isinstance(former, ast.ClassDef):
            if node.bases or node.decorator_list:
                yield _Edit(*_head(former, own), lines[slice(*_head(node, lines))])
            yield from _edits(former.body, own, node.body, lines)
        else:
            yield _Edit(*_span(former, own), lines[written])


def _edited(lines: list[str], edits: list[_Edit]) -> str:
    lines = lines[:]
    # From the last to the first, so that line numbers hold; of two at one line the second goes in first.
    for start, stop, new in sorted(edits, key=lambda edit: edit[:2])[::-1]:
        lines[start:stop] = new
    return "\n".join(lines)


def _name(node: ast.stmt) -> str:
    """Under which a statement of a module or class can be found; "" where under none."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    target = node.target if isinstance(node, ast.AnnAssign) else target
    return target.id if isinstance(target, ast.Name) else ""


def _span(node: ast.stmt, lines: list[str]) -> tuple[int, int]:
    """Where a statement begins and ends, with its decorators, and with comments at the end of its body."""
    start, stop = _first_line(node), node.end_lineno or node.lineno
    deeper = " " * (node.col_offset + 1)
    while lines[stop : stop + 1] and lines[stop].startswith(deeper):
        stop += 1
    return start, stop


def _head(node: ast.ClassDef, lines: list[str]) -> tuple[int, int]:
    """Where a class begins and its body does."""
    return _first_line(node), _first_line(node.body[0])


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)]) - 1
