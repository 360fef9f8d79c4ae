"""Runs the text of a module statement by statement: one that fails is passed over, and the next one runs.

What a submission defines counts, whatever stands around it: a test of its own that fails, a plot, an exit().
"""

import __future__

import ast
import codecs
import contextlib
import importlib.util
import inspect
import re
import signal
import time
from collections.abc import Collection, Coroutine, Iterator, Mapping
from types import FrameType, ModuleType

from .reading import Definition, outermost, running

CELL = re.compile(r"^# %% \[cell \d+\]$", re.MULTILINE)
"""Where the text of a notebook's cell begins, see tower_student.notebooks."""
_DEFINITION = re.compile(r"^(?:async +def|def|class) +(\w+)", re.MULTILINE)
WHOLE = 2.0
"""How many times as long as a single statement all statements of a module may take; each of what comes after
that has a fiftieth."""
WAITING = 4
"""How many times as long a statement may take by the clock: it may sleep, or the machine be busy."""
AGAIN = 0.5
"""Seconds after which a statement that swallows the end of its time is told again."""


class OutOfTime(BaseException):
    """A statement at the top of a module took too long."""


def parsed(source: bytes, filename: str) -> tuple[ast.Module, list[tuple[SyntaxError, list[str]]]]:
    """Return the statements of a module, and what could not be read.

    That is a whole cell of a notebook: why, and what it would have defined. Raises what ast.parse raises
    where nothing can be read, as for a module that is no notebook.
    """
    text = source.removeprefix(codecs.BOM_UTF8).decode()
    try:
        return ast.parse(text, filename), []
    except SyntaxError:
        starts = [0, *(found.start() for found in CELL.finditer(text))]
        if len(starts) == 1:
            raise
    statements: list[ast.stmt] = []
    unread: list[tuple[SyntaxError, list[str]]] = []
    for start, stop in zip(starts, [*starts[1:], len(text)], strict=True):
        try:
            cell = "\n" * text.count("\n", 0, start) + text[start:stop]
            statements += ast.parse(cell, filename).body
        except SyntaxError as error:
            unread.append((error, _DEFINITION.findall(text[start:stop])))
    if not statements:
        raise unread[0][0]
    return ast.Module(statements, []), unread


def run(
    module: ModuleType,
    tree: ast.Module,
    siblings: Collection[str],
    seconds: float,
    late: Collection[int],
) -> Iterator[tuple[ast.stmt, BaseException]]:
    """Run statements within a module, but none of a script alone; yield each that fails, with what it raised.

    Args:
        siblings: the modules of the submission, which a relative import finds without a package.
        seconds: what one statement may take.
        late: the lines of statements that are known to take longer, and are not run.
    """
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    module.__doc__ = ast.get_docstring(tree)
    filename, left = str(module.__file__), WHOLE * seconds
    for statement in running(tree):
        started, used = time.monotonic(), time.process_time()
        try:
            if statement.lineno in late:
                raise OutOfTime
            if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
                for name in statement.names:
                    flags |= getattr(__future__, name.name).compiler_flag
            statement = _Relative(siblings).visit(statement)
            alone = ast.Module([statement], [])
            code = compile(alone, filename, "exec", flags, dont_inherit=True)
            with limited(max(min(seconds, left), seconds / 50)):
                found = eval(code, vars(module))  # noqa: S307 - it is an import
                if code.co_flags & inspect.CO_COROUTINE:
                    _finish(found)
        except BaseException as error:
            yield statement, error
        left -= max(time.process_time() - used, (time.monotonic() - started) / WAITING)


def _finish(awaited: Coroutine[object, None, object]) -> None:
    """Run what a statement awaits to its end; there is no event loop that would wake it."""
    with contextlib.suppress(StopIteration):
        while True:
            awaited.send(None)


class _Relative(ast.NodeTransformer):
    """Lets `from .linear import …` and `import homework.linear as l` find linear.py beside the module."""

    def __init__(self, siblings: Collection[str]) -> None:
        self._siblings = frozenset(siblings)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        """Make it an import of the module itself."""
        package, _, _ = (node.module or "").partition(".")
        if node.level or not _exists(package):
            if (name := (node.module or "").rpartition(".")[2]) in self._siblings:
                node.module, node.level = name, 0
            elif self._siblings.issuperset(alias.name for alias in node.names):
                # from . import linear
                return ast.copy_location(ast.Import(node.names), node)
        return node

    def visit_Import(self, node: ast.Import) -> ast.stmt:
        """Make it an import of the module itself, where that has a name of its own."""
        for alias in node.names:
            package, dot, _ = alias.name.partition(".")
            name = alias.name.rpartition(".")[2]
            if dot and alias.asname and name in self._siblings and not _exists(package):
                alias.name = name
        return node


def _exists(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def bound(statement: ast.stmt) -> list[str]:
    """The names that a statement would have bound."""
    names: set[str] = set()
    for node in outermost([statement]):
        if isinstance(node, Definition):
            names.add(node.name)
        match node:
            case ast.alias(name=name, asname=alias):
                names.add(alias or name.partition(".")[0])
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
    return sorted(names)


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise OutOfTime in the body after so many seconds of processor time, or WAITING times as many."""
    active = True

    def stop(number: int, frame: FrameType | None) -> None:
        if active:
            raise OutOfTime

    limits: Mapping[int, tuple[int, float]] = {
        signal.SIGPROF: (signal.ITIMER_PROF, seconds),
        signal.SIGALRM: (signal.ITIMER_REAL, WAITING * seconds),
    }
    handlers = {number: signal.signal(number, stop) for number in limits}
    before = {timer: signal.setitimer(timer, limit, AGAIN) for timer, limit in limits.values()}
    try:
        yield
    finally:
        active = False
        for timer, (left, interval) in before.items():  # of an import around this one
            signal.setitimer(timer, left, interval)
        for number, handler in handlers.items():
            signal.signal(number, handler)
