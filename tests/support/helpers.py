"""What most tests take: where the checkout is, and what a report says by the id of a check."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from autograder.course import Course
from autograder.export.view import message
from autograder.report import CheckResult, Report

ROOT = Path(__file__).parents[2]
PHONE = {"width": 390, "height": 844}
"""The window of a phone, in pixels."""


def problems_of(sources: Mapping[str, bytes], course: Course) -> dict[str, str]:
    return {n: f"{n}.py was not submitted." for n in course.modules if n not in sources}


def checks_of(report: Report) -> dict[str, CheckResult]:
    """Check results by id."""
    return {check.id: check for module in report.modules for check in module.checks}


def messages(report: Report) -> str:
    """All that is said of the checks."""
    return "\n".join(message(check) for check in checks_of(report).values())


def failed(report: Report) -> set[str]:
    """Ids of the checks that did not pass."""
    return {check.id for check in checks_of(report).values() if check.status == "failed"}


def without_stand_ins(course: Course) -> Course:
    """The course for a submission whose other bricks are the solutions: none is worth replacing."""
    modules = {name: replace(module, needs=()) for name, module in course.modules.items()}
    return replace(course, modules=modules)
