"""The `tower` command of a student's repository: check, bench, submit, update and doctor. It holds no grader.

The grader imports from here what reads submissions and shows errors: students can see it.
"""

__version__ = "0.2.0"
