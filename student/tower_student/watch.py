"""Runs the public tests again whenever a file is saved; torch stays loaded."""

import time
from collections.abc import Callable
from pathlib import Path

from watchfiles import Change, watch

DEBOUNCE_MILLISECONDS = 30
"""An editor may write a file in several steps; what comes so close together is one save."""


def on_save(folder: Path, work: Callable[[float], object]) -> None:
    """Call `work` after every save of a Python file in the folder or its tests, until Ctrl-C.

    It is called with the time at which the save was seen, by time.perf_counter().
    """
    ours = {folder.resolve(), (folder / "tests").resolve()}

    def wanted(change: Change, path: str) -> bool:
        file = Path(path)
        return file.suffix == ".py" and file.parent in ours

    for _ in watch(
        *ours,
        watch_filter=wanted,
        debounce=DEBOUNCE_MILLISECONDS,
        step=10,
        recursive=False,
        raise_interrupt=True,
    ):
        work(time.perf_counter())
