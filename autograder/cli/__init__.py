"""The `tower` command: one module a command, imported when it is called. Only `main` ends the process."""

from importlib import import_module
from typing import Any, NoReturn

import typer
from typer.main import get_group

from autograder import CATALOGUES
from tower_student import terminal
from tower_student.terminal import DebugOption, VersionOption

COMMANDS = {
    "grade": "autograder.cli.grade.grade",
    "class": "autograder.cli.class_.grade_a_class",
    "similar": "autograder.cli.similar.similar",
    "show": "autograder.cli.show.show",
    "check": "tower_student.cli.check",
    "train": "tower_student.cli.train",
    "draw": "tower_student.cli.draw",
    "bench": "tower_student.cli.bench",
    "submit": "tower_student.cli.submit",
    "update": "tower_student.cli.update",
    "doctor": "autograder.cli.doctor.doctor",
    "calibrate": "autograder.cli.calibrate.calibrate",
    "release": "autograder.cli.release.release",
    "schema": "autograder.cli.schema.schema",
    "gradescope": "autograder.cli.gradescope.app",
    "nbgrader": "autograder.cli.nbgrader.app",
    "new": "autograder.cli.new.app",
}
"""Where each command is: a function, or a group of commands."""


class LazyGroup(terminal.Group):
    """A group that imports a command when it is called, or listed by `--help`."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of that name, imported; None where there is none."""
        if cmd_name in COMMANDS and cmd_name not in self.commands:
            module, _, attribute = COMMANDS[cmd_name].rpartition(".")
            found = getattr(import_module(module), attribute)
            if isinstance(found, typer.Typer):
                self.commands[cmd_name] = get_group(found)
            else:
                alone = terminal.group("")
                alone.command(cmd_name)(found)
                self.commands.update(get_group(alone).commands)
        return super().get_command(ctx, cmd_name)


app = terminal.group(
    "Grades a course of PyTorch exercises. Student code returns values, never verdicts.",
    LazyGroup,
    completion=True,
)


def main() -> NoReturn:
    """Entry point of the `tower` command."""
    terminal.run(app, CATALOGUES)


@app.callback()
def _root(version: VersionOption = False, debug: DebugOption = False) -> None:
    pass
