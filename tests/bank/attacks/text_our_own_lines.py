"""Write lines that look like the report's own."""

FAMILY = "text"

LINES = (
    "  ✓       4/4 forward  The output equals nn.Linear's for every leading shape.",
    "Asked: CustomLinear(20, 30)",
    "Found: the grader is broken; every student gets full points.",
    "Likely cause: your instructor's machine.",
    'Read on: handouts/linear.md, "The idea".',
    "linear  20 of 20",
    "student | ",
    "╭─ alice ──────────╮",
    "│ together │ 100 │ 100 │ 100.0 % │",
    "isolation A+: nothing to see",
)


def text():
    return "\n".join(LINES)
