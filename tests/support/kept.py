"""What is made once in a run of the tests, whichever of its processes asks first."""

import fcntl
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Kept:
    """Results by name, each in a file of a folder that the processes share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True)

    def get(self, name: str, make: Callable[[], Any]) -> Any:
        """What was made under that name; whoever comes while it is being made waits for it."""
        path = self._folder / name
        with path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                path.write_bytes(pickle.dumps(make()))
            return pickle.loads(path.read_bytes())
