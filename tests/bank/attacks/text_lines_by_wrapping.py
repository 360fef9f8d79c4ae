"""Have a console make lines that look like the report's own, by breaking a single long line.

Wherever the console breaks this one, what comes next begins as a line of the report does.
"""

FAMILY = "text"


def text():
    return "Found: Asked: " * 4 + "Likely cause:" + " ✓ 4/4" * 20 + " ✗ 0/0" * 10 + " Found: nothing wrong" * 60
