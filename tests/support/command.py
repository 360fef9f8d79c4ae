"""Runs `tower` in the process of the tests, which has torch imported.

    done = tower("grade", folder, "--fit", "off", cwd=ROOT, TOWER_COURSE=str(course))
    done.returncode, done.stdout, done.stderr     # as subprocess.run has them

It is the command without its end: no process exits, no signal is handled. A test of those starts a process.
Gradings share a fork server, which stays warm from one command to the next with the same settings.
"""

import contextlib
import io
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from helpers import ROOT

from autograder import CATALOGUES, broker
from autograder.broker import Broker
from autograder.cli import app
from tower_student import language, terminal


@dataclass(frozen=True)
class Done:
    """What came of a command."""

    returncode: int
    stdout: str
    stderr: str


def tower(*arguments: object, cwd: Path = ROOT, **environment: str) -> Done:
    """Run a command in the folder, with these variables beside those of the process."""
    out, errors = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, environment),
        mock.patch.object(sys, "argv", ["tower", *map(str, arguments)]),
        mock.patch("autograder.broker.Broker", warm_broker),
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(errors),
    ):
        try:
            code = terminal.call(app, CATALOGUES)
        finally:
            language.speak(language.ENGLISH, [])
    return Done(code, out.getvalue(), errors.getvalue())


class _Kept(Broker):
    """A broker that the end of a command leaves open, and the next one finds started."""

    def start(self) -> None:
        if self._control is None:
            super().start()

    def __exit__(self, *unused: object) -> None:
        pass


class WarmBroker:
    """In the place of Broker: gives the last one again where it is asked for with the same settings."""

    def __init__(self) -> None:
        self._settings: object = None
        self._broker: Broker | None = None

    def __call__(self, *given: Any, **options: Any) -> Broker:
        settings = (given, options, broker.ZYGOTE)
        if self._broker is None or self._settings != settings:
            self.close()
            self._settings, self._broker = settings, _Kept(*given, **options)
        return self._broker

    def close(self) -> None:
        if self._broker:
            self._broker.close()
        self._broker = None


warm_broker = WarmBroker()
