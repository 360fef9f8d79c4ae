"""How many hints of each outcome are open, kept beside the modules in .tower/hints.json."""

import json
from pathlib import Path

from tower_student.files import write_whole
from tower_student.outcomes import TestOutcome

_FILE = Path(".tower") / "hints.json"


def opened(folder: Path) -> dict[str, int]:
    """How many hints of each outcome are open. A file that cannot be read counts as none."""
    try:
        kept = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(kept, dict):
        return {}
    return {name: count for name, count in kept.items() if type(count) is int and count > 0}


def open_next(folder: Path, outcome: TestOutcome) -> int:
    """Open one more hint of a outcome; returns how many are open now. Raises TowerError."""
    kept = opened(folder)
    kept[outcome.id] = min(kept.get(outcome.id, 0) + 1, len(outcome.hints))
    write_whole(folder / _FILE, json.dumps(kept, indent=1, sort_keys=True) + "\n")
    return kept[outcome.id]
