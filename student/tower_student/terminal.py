"""What every command does alike: show an error as a sentence, show progress, end the process."""

import codecs
import contextlib
import difflib
import io
import os
import re
import signal
import sys
import traceback
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperGroup

from tower_student import __version__, language
from tower_student.errors import Stopped, TowerError, UsageError
from tower_student.language import mark, tr
from tower_student.text import clean, wrappable

STOPPED = Stopped.exit_code
LABELS = {UsageError.exit_code: mark("Error"), STOPPED: mark("Stopped")}
"""What an error is called, by its exit code."""
MAX_ERROR = 100_000
"""Characters of an error that are shown; the tracebacks of --debug are long."""


@dataclass
class Options:
    """What holds for every command: the object of typer's contexts."""

    debug: bool = False


def _set_debug(ctx: typer.Context, given: bool) -> None:
    if given:
        ctx.ensure_object(Options).debug = True


DebugOption = Annotated[
    bool,
    typer.Option(
        "--debug",
        callback=_set_debug,
        is_eager=True,
        help="Show the traceback of an error of ours.",
    ),
]


def _show_version(given: bool) -> None:
    if given:
        print(f"tower {__version__}")
        raise typer.Exit


VersionOption = Annotated[
    bool,
    typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
]


class Group(TyperGroup):
    """A group that names the nearest command, and whose `--debug` may follow a command's name."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.shared = [param for param in self.params if param.name == "debug"]
        for param in self.shared:
            param.expose_value = False  # its callback has it; no command takes it

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command with the options that every command has, its summary in full."""
        command = super().get_command(ctx, cmd_name)
        if command is not None:
            command.params += [param for param in self.shared if param not in command.params]
            if isinstance(command, Group):
                command.shared = self.shared
            command.short_help = " ".join((command.help or "").partition("\n\n")[0].split())
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that is named. A wrong name is a usage error with the nearest one."""
        if not (ctx.resilient_parsing or self.get_command(ctx, args[0])):
            nearest = did_you_mean(args[0], self.list_commands(ctx))
            ctx.fail(f"{tr('No such command {name!r}.', name=args[0])}{nearest}")
        return super().resolve_command(ctx, args)


def group(about: str, cls: type[Group] = Group, *, completion: bool = False) -> typer.Typer:
    """Make a group of commands, with help that fits a narrow terminal."""
    return typer.Typer(
        cls=cls,
        help=about,
        no_args_is_help=True,
        add_completion=completion,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # rich's tables cut the names of options
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def did_you_mean(value: str, choices: Collection[str]) -> str:
    """Return " Did you mean 'X'?" with the choice nearest to a misspelt value; "" where none is near."""
    folded = {choice.casefold(): choice for choice in choices}
    nearest = difflib.get_close_matches(value.casefold(), folded, n=1, cutoff=0.7)
    return f" {tr('Did you mean {choice!r}?', choice=folded[nearest[0]])}" if nearest else ""


def demand_choice(value: str, choices: Collection[str], option: str) -> None:
    """Raise UsageError, in click's words, unless the value is one of the choices."""
    if value not in choices:
        said = tr(
            "Invalid value for '{option}': {given!r} is not one of {choices}.",
            option=option,
            given=value,
            choices=", ".join(map(repr, choices)),
        )
        raise UsageError(f"{said}{did_you_mean(value, choices)}")


def run(app: typer.Typer, *catalogues: Path) -> NoReturn:
    """Run the command that the arguments name, and end the process with its exit code."""
    _open_closed()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop as cleanly as for Ctrl-C
    codecs.register_error("tower.plain", _plain)
    for stream in (sys.stdout, sys.stderr):  # a console of Windows may not have every character
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="tower.plain")
    code = call(app, *catalogues)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # a full disk; what was not printed has been said
            stream.flush()
    # Taking torch apart at exit lasts a third of a second and frees nothing that the kernel does not.
    os._exit(code)


PLAIN = str.maketrans(
    dict(zip("✓✗·←█░╶╴–…−×’“”", '+x*<#.---.-x\'""', strict=True))  # as wide, for the tables
    | {"±": "+-", "√": "sqrt ", "→": "->", "≤": "<=", "≥": ">=", "²": "^2", "½": "1/2", "ᵀ": "^T"}
)
"""What is printed where the console lacks a character: passed still differs from failed."""


def _plain(error: UnicodeError) -> tuple[str, int]:
    """The error handler of a stream: a plain character for each that its encoding has not."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end].translate(PLAIN)
    lines = (("[─━]", "-"), ("[│┃]", "|"), ("[\u2500-\u257f]", "+"), ("[^\x00-\x7f]", "?"))
    for pattern, plain in lines:
        lacking = re.sub(pattern, plain, lacking)
    return lacking, error.end


def _open_closed() -> None:
    """Let what is printed to a stream that was closed go nowhere, and no other file take its number."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - for good


def call(app: typer.Typer, *catalogues: Path) -> int:
    """Run the command that the arguments name, show its error if it has one, and return its exit code.

    It speaks $TOWER_LANGUAGE where it has a catalogue of that, here or in one of these folders.
    """
    options = Options()
    errors = Console(stderr=True)
    try:
        language.speak(language.wanted(), (language.OWN, *catalogues))
        code = app(standalone_mode=False, obj=options)
        if code == STOPPED:  # what typer makes of Ctrl-C
            errors.print(tr("Stopped. No report was written."))
    except Exception as error:
        code = show_error(error, errors, debug=options.debug)
    return code if isinstance(code, int) else 0


def show_error(error: Exception, errors: Console, *, debug: bool = False) -> int:
    """Show an error as a sentence, typer's own in its own words; returns the exit code.

    With `debug`, its traceback follows.
    """
    code: int = getattr(error, "exit_code", TowerError.exit_code)
    if hasattr(error, "show"):
        _name_nearest(error)
        error.show()
    else:
        label = tr(LABELS[code]) if code in LABELS else tr("The grader failed")
        known = isinstance(error, TowerError)
        text = str(error) if known else f"{type(error).__name__}: {error}."
        if not debug and (not known or hasattr(error, "__notes__")):
            text = f"{text} {tr('Run again with --debug for the traceback.')}"
        errors.print(f"[bold red]{label}:[/] {escape(printable(text))}", highlight=False)
    if debug:
        traceback.print_exception(error)
    return code


def _name_nearest(error: Any) -> None:
    """Add the nearest choice to an error of typer's."""
    # What converts values for typer begins with its own words.
    if choice := re.fullmatch(r"(?:Value error, )?('(.*)' is not one of '(.*)'\.)", error.message):
        error.message = choice[1] + did_you_mean(choice[2], choice[3].split("', '"))
    elif getattr(error, "possibilities", None):
        nearest = did_you_mean(error.option_name, error.possibilities)
        error.message = f"{error.message.rstrip('.')}.{nearest}"
        error.possibilities = None


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
            tr(
                "{path} cannot be written: name a file in a directory that exists and is writable.",
                path=path,
            )
        )


@contextlib.contextmanager
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
        task = bar.add_task(tr("starting"), total=1.0)

        def update(what: str, fraction: float) -> None:
            bar.update(task, description=what, completed=fraction)

        yield update
