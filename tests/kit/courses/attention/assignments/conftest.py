"""Put this directory first on sys.path, so that a test finds the modules that lie beside it."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
# What translates the sentences of the tests, where the `tower` command is not installed.
sys.path += [str(path) for path in (HERE / "tools", HERE.parent / "student") if path.is_dir()]


def pytest_configure(config):
    """Show a failure without the text of its test, which begins with the hints."""
    if getattr(config.option, "tbstyle", "") == "auto":
        config.option.tbstyle = "short"
