"""Tower of Insight: an exercise kit that grades itself. Student code returns values, never verdicts."""

__version__ = "0.1.0"
