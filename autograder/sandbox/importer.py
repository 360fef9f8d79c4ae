"""Imports a submission from memory: the named modules, as text that was sent, and no other file."""

import ast
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import ModuleType
from typing import Any

from .reading import read


class SubmissionImporter(MetaPathFinder, SourceLoader):  # type: ignore[misc]  # typeshed's own conflict
    """Finds the modules of a submission before anything on sys.path.

    As a SourceLoader it hands out the source, so tracebacks, inspect and TorchScript see the student's lines.
    """

    def __init__(self, sources: Mapping[str, bytes]) -> None:
        self._sources = {f"{name}.py": source for name, source in sources.items()}

    def install(self) -> None:
        """Make `import linear` find the submission's linear.py."""
        sys.meta_path.insert(0, self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a submitted module; None for every other name."""
        if f"{fullname}.py" not in self._sources:
            return None
        return spec_from_loader(fullname, self, origin=f"{fullname}.py")

    def get_filename(self, fullname: str) -> str:
        """The name that stands in tracebacks: linear.py."""
        return f"{fullname}.py"

    def get_data(self, path: str) -> bytes:
        """The source of `path`. Raises OSError where it was not submitted."""
        try:
            return self._sources[path]
        except KeyError:
            raise FileNotFoundError(path) from None


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
        tree = ast.parse(source, filename)
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
