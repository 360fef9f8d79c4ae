"""Which modules there are to write, as the public tests tell."""

import contextlib
import re
from pathlib import Path


def modules_in(folder: Path) -> list[str]:
    """The modules that there are public tests for, those first that the others need.

    The order is that of the table in handouts/README.md where there is one.
    """
    found = sorted(path.stem.removeprefix("test_") for path in (folder / "tests").glob("test_*.py"))
    with contextlib.suppress(OSError, UnicodeDecodeError):
        table = (folder / "handouts" / "README.md").read_text(encoding="utf-8")
        named = re.findall(r"`(\w+)\.py`", table)
        found.sort(key=lambda module: named.index(module) if module in named else len(named))
    return found
