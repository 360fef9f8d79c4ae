"""Imports a submission from memory: the named modules, as text that was sent, and no other file."""

import ast
import io
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec
from types import ModuleType
from typing import Any

from . import statements
from .displays import PACKAGES, Importable
from .reading import read

#: Told of a statement that failed: its module, its line, the names it would have bound, what it raised.
Report = Callable[[str, int, list[str], BaseException], None]


class SubmissionImporter(MetaPathFinder, SourceLoader):  # type: ignore[misc]  # typeshed's own conflict
    """Finds the modules of a submission before anything on sys.path, and runs them statement by statement.

    As a SourceLoader it hands out the source, so tracebacks, inspect and TorchScript see the student's lines.

    Args:
        sources: the texts of the modules, by name.
        passed_over: told of each statement that fails.
        seconds: what one statement may take.
        late: lines of statements that are known to take longer, by module.
    """

    def __init__(
        self,
        sources: Mapping[str, bytes],
        passed_over: Report,
        seconds: float,
        late: Mapping[str, Collection[int]],
    ) -> None:
        self._sources = {f"{name}.py": source for name, source in sources.items()}
        self._names = frozenset(sources)
        self._passed_over = passed_over
        self._seconds = seconds
        self._late = late

    def install(self, others: Iterable[str]) -> None:
        """Make `import linear` find the submission's linear.py, and no import a package that is not listed.

        Args:
            others: packages that the course allows besides.
        """
        # What lean.py defers of torch is found as it says, in the middle of a submission too.
        own = [finder for finder in sys.meta_path if finder.__module__ == "sandbox.lean"]
        sys.meta_path[:] = [self, *own, BuiltinImporter, FrozenImporter, Importable(others)]
        for name in [*sys.modules]:
            if name.partition(".")[0] in PACKAGES:  # tqdm, which torch uses where it is installed
                del sys.modules[name]

    def exec_module(self, module: ModuleType) -> None:
        """Run a module, as if it were the program. Raises what ast.parse raises."""
        name, filename = module.__name__, f"{module.__name__}.py"
        tree, unread = statements.parsed(self._sources[filename], filename)
        for error, names in unread:
            self._passed_over(name, error.lineno or 1, names, error)
        sys.argv, sys.orig_argv = [filename], ["python", filename]
        late = self._late.get(name, ())
        with redirect_stdout(_Silence()), redirect_stderr(_Silence()):
            for failed, raised in statements.run(module, tree, self._names, self._seconds, late):
                self._passed_over(name, failed.lineno, statements.bound(failed), raised)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a submitted module; None for every other name."""
        filename = f"{fullname}.py"
        if filename not in self._sources:
            return None
        spec = ModuleSpec(fullname, self, origin=filename)
        spec.has_location = True  # so that there is a __file__
        return spec

    def get_filename(self, fullname: str) -> str:
        """The name that stands in tracebacks: linear.py."""
        return f"{fullname}.py"

    def get_data(self, path: str) -> bytes:
        """The source of `path`. Raises OSError where it was not submitted."""
        try:
            return self._sources[path]
        except KeyError:
            raise FileNotFoundError(path) from None


class _Silence(io.TextIOBase):
    """Takes what is printed at the top of a module: a flood of it ends with its statement's time."""

    def write(self, text: str) -> int:
        return len(text)


def from_text(name: str, text: bytes, filename: str) -> ModuleType:
    """A module of the course's, run from its text; no traceback takes it for the submission's."""
    module = ModuleType(name)
    exec(compile(text, f"<{filename}>", "exec"), vars(module))  # noqa: S102 - it is an import
    return module


def survey(source: bytes, filename: str) -> dict[str, Any]:
    """What the text of a module says, read without running it.

    {"defined": top-level names, "names": see reading.read}, or {"syntax_error": {"line", "message"}}.
    """
    try:
        tree, _ = statements.parsed(source, filename)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        message = getattr(error, "msg", None) or str(error) or type(error).__name__
        return {"syntax_error": {"line": line if isinstance(line, int) else 1, "message": message}}
    return {"defined": sorted(defined(tree)), "names": read(tree)}


def defined(tree: ast.Module) -> set[str]:
    """Names that a module's text binds at its top."""
    names: set[str] = set()
    for node in tree.body:
        match node:
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                names.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names.update(alias.asname or alias.name for alias in aliases)
            case ast.Assign(targets=targets):
                names.update(target.id for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    return names
