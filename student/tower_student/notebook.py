"""For notebooks: modules that stand in other notebooks can be imported, and the public tests be run.

It runs in the student's own kernel and decides no grade.
"""

import linecache
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from tower_student.language import tr
from tower_student.notebooks import NotANotebook, cells_of, module_text

_importing: list[str] = []
"""The notebooks that are being imported, one within another."""


def import_from_notebooks() -> None:
    """From now on `import linear` takes linear.ipynb beside this notebook, where there is no linear.py."""
    if not any(isinstance(finder, _Notebooks) for finder in sys.meta_path):
        sys.meta_path.append(_Notebooks())


def check(module: str) -> None:
    """Run the public tests of a module as its notebook was saved last, and show what came of it."""
    from rich.console import Console

    from tower_student.course import course_in, speak
    from tower_student.outcomes import run_tests
    from tower_student.show import show

    if _importing:  # a notebook that is imported asks about itself
        return
    import_from_notebooks()
    here, console = Path.cwd(), Console(highlight=False, force_jupyter=False)
    speak(here)
    show(run_tests(here, [module]), [module], {}, console, course_in(here))


def graded(module: str) -> None:
    """Stands in the cell that is graded. Raises RuntimeError: no kernel's answer is a grade."""
    raise RuntimeError(
        tr(
            "The points of {module} come from the hidden suite. Run `nbgrader autograde` in the folder that "
            "`tower nbgrader build` has written: its nbgrader_config.py has the cell judged without a "
            "kernel.",
            module=module,
        )
    )


class _Notebooks(MetaPathFinder):
    """Finds modules in notebooks of the working directory, after everything else."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        notebook = Path.cwd() / f"{fullname}.ipynb"
        if path is not None or not notebook.is_file():
            return None
        return ModuleSpec(fullname, _Cells(notebook), origin=str(notebook))


class _Cells(Loader):
    """Runs a module's text from its notebook, under the name that the module's file would have."""

    def __init__(self, notebook: Path) -> None:
        self._notebook = notebook

    def create_module(self, spec: ModuleSpec) -> None:
        """As Python makes every module."""

    def exec_module(self, module: ModuleType) -> None:
        try:
            text = module_text(self._notebook.read_bytes()).decode()
        except NotANotebook as error:
            raise ImportError(
                tr("{file} cannot be read: {reason}", file=self._notebook.name, reason=error)
            ) from None
        name = str(self._notebook.with_suffix(".py"))
        module.__file__ = name
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        _importing.append(name)
        try:
            for number, cell in cells_of(text):
                try:
                    exec(compile(cell, name, "exec"), vars(module))  # noqa: S102 - it is an import
                except (
                    Exception,
                    SystemExit,
                ) as error:  # the next cell runs, as it would in Jupyter
                    said = tr(
                        "{file}, cell {number}, failed and was passed over:",
                        file=self._notebook.name,
                        number=number,
                    )
                    print(f"{said} {type(error).__name__}: {error}", file=sys.stderr)
        finally:
            _importing.pop()
