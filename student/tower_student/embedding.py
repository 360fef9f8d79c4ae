"""Runs pytest within this process, with no plugin, setting or output but ours."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

UNUSED_PLUGINS = (
    *("doctest", "faulthandler", "junitxml", "logging", "nose", "pastebin", "setuponly"),
    *("setupplan", "stepwise", "terminal", "threadexception", "unittest", "unraisableexception"),
    "warnings",
)
"""Of pytest's own: each costs time at every start, and none changes what a test says."""
_ENVIRONMENT = {
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PYTEST_ADDOPTS": "",
    "PYTEST_PLUGINS": "",
}


def options(folder: Path) -> list[str]:
    """Return pytest's options for tests below a folder, whatever settings and conftest.py lie around it."""
    return [
        *("-p", "no:cacheprovider", "--rootdir", str(folder), "-c", os.devnull),
        *("--confcutdir", str(folder), "--import-mode", "importlib"),
        *("-o", "markers=group: what a case has in common with others"),
    ]


def run(folder: Path, arguments: Sequence[str], plugin: object) -> int:
    """Run pytest over tests below a folder, with one plugin of ours, and return its exit code."""
    unused = (part for name in UNUSED_PLUGINS for part in ("-p", f"no:{name}"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _ENVIRONMENT.items():
            patch.setenv(name, value)
        return int(
            pytest.main(
                [*options(folder), *unused, "--assert", "plain", *arguments], plugins=[plugin]
            )
        )
