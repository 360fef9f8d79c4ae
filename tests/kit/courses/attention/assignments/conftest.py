"""Put this directory first on sys.path, so that a test finds the modules that lie beside it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))


def pytest_configure(config):
    """Show a failure without the text of its test, which begins with the hints."""
    if getattr(config.option, "tbstyle", "") == "auto":
        config.option.tbstyle = "short"
