"""Tower of Insight: an exercise kit that grades itself. Student code returns values, never verdicts."""

from pathlib import Path

__version__ = "0.2.0"
CATALOGUES = Path(__file__).parent / "locale"
"""The engine's translations, see tower_student.language."""
