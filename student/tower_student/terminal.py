"""What every command does alike: show an error as a sentence, show progress, end the process."""

import io
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from tower_student.errors import Stopped, TowerError, UsageError
from tower_student.text import clean, wrappable

DebugOption = Annotated[
    bool, typer.Option("--debug", help="Show the traceback of an error of ours.")
]
STOPPED = Stopped.exit_code
LABELS = {UsageError.exit_code: "Usage", STOPPED: "Stopped"}
"""What an error is called, by its exit code."""
MAX_ERROR = 100_000
"""Characters of an error that are shown; the tracebacks of --debug are long."""


def run(app: typer.Typer) -> NoReturn:
    """Run the command that the arguments name, and end the process with its exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop as cleanly as for Ctrl-C
    for stream in (sys.stdout, sys.stderr):  # a console of Windows may not have every character
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    debug = "--debug" in sys.argv
    errors = Console(stderr=True)
    try:
        code = app(standalone_mode=False)
        if code == STOPPED:  # what typer makes of Ctrl-C
            errors.print("Stopped. No report was written.")
    except Exception as error:
        code = show_error(error, errors)
        if debug:
            traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    # Taking torch apart at exit lasts a third of a second and frees nothing that the kernel does not.
    os._exit(code if isinstance(code, int) else 0)


def show_error(error: Exception, errors: Console) -> int:
    """Show an error as a sentence, typer's own in its own words; returns the exit code."""
    if isinstance(error, TowerError):
        label = LABELS.get(error.exit_code, "The grader failed")
        errors.print(f"[bold red]{label}:[/] {escape(printable(str(error)))}", highlight=False)
        return error.exit_code
    if hasattr(error, "show") and hasattr(error, "exit_code"):
        error.show()
        return int(error.exit_code)
    errors.print(
        f"[bold red]The grader failed:[/] {escape(printable(f'{type(error).__name__}: {error}'))}. "
        "Run again with --debug for the traceback.",
        highlight=False,
    )
    return TowerError.exit_code


def printable(text: str) -> str:
    """An error's text for the terminal: a path or a fault may hold words of a submission."""
    return wrappable(clean(text, MAX_ERROR))


def demand_writable(path: Path) -> None:
    """Raise UsageError unless a file can be written there."""
    try:
        possible = path.is_file() if path.exists() else path.parent.is_dir()
    except OSError:  # a name that is too long, and the like
        possible = False
    if not possible or not os.access(path.parent, os.W_OK):
        raise UsageError(
            f"{path} cannot be written: name a file in a directory that exists and is writable."
        )


@contextmanager
def progress() -> Iterator[Callable[[str, float], None]]:
    """A progress line on a terminal's stderr, nothing elsewhere."""
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield lambda what, fraction: None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=1.0)

        def update(what: str, fraction: float) -> None:
            bar.update(task, description=what, completed=fraction)

        yield update
