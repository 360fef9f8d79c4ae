"""The report as the results.json of Gradescope, after its published specification of autograders."""

import json
from typing import Any

from autograder.export.view import facts, message
from autograder.report import CheckResult, Report
from tower_student.language import mark, plural, tr


def render(report: Report, total_points: float | None = None) -> str:
    """The report as the text of results.json.

    Args:
        total_points: what the assignment is worth on Gradescope; the report's maximum where None.
            The total is the report's per cent of it: a check that could not be verified costs nothing.
    """
    return _text(as_dict(report, total_points))


FAILED = mark("The grader itself failed; this says nothing about your work. Tell your instructor.")


def refused(problem: str) -> str:
    """The results.json of what could not be graded: no points, and a sentence that says why."""
    return _text({"score": 0.0, "output": problem, **_FORMATS, "tests": []})


_FORMATS = {
    "output_format": "text",
    "test_output_format": "text",
    "test_name_format": "text",
    "stdout_visibility": "hidden",
}
"""Text is shown as it is: what a submission wrote in it cannot become a link, a picture or a script."""


def as_dict(report: Report, total_points: float | None = None) -> dict[str, Any]:
    """The report as Gradescope's plain data."""
    worth = report.max_score if total_points is None else total_points
    visible = {check.id: check for module in report.visible().modules for check in module.checks}
    return {
        "score": round(report.per_cent / 100 * worth, 6),
        "execution_time": report.seconds,
        "output": _output(report, worth),
        **_FORMATS,
        "extra_data": {
            "submission_digest": report.submission_digest,
            "suite_digest": report.suite_digest,
            "seed": report.seed,
            "isolation": report.isolation.level,
        },
        "tests": [
            _test(visible.get(check.id, check), f"{i}.{j}")
            for i, module in enumerate(report.told().modules, 1)
            for j, check in enumerate(module.checks, 1)
        ],
        "leaderboard": [
            {"name": f"{measured.name} (%)", "value": round(100 * measured.value, 2)}
            for measured in report.visible().measured
        ],
    }


def _text(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def _output(report: Report, worth: float) -> str:
    lines = []
    if report.faults:
        lines.append(
            plural(
                "The grader itself failed in {count} of the checks. It costs no points, and this is no final "
                "grade: submit again, and tell your instructor if it stays so.",
                "The grader itself failed in {count} of the checks. They cost no points, and this is no "
                "final grade: submit again, and tell your instructor if it stays so.",
                len(report.faults),
            )
        )
    lines += [f"{m.name}: {m.note}" for m in report.visible().modules if m.note]
    if worth != report.max_score:
        lines.append(
            tr(
                "The score is the same share of {worth:g} points as below of {most:g}.",
                worth=worth,
                most=report.max_score,
            )
        )
    seed, _, isolation = facts(report)
    return "\n".join([*lines, isolation, seed])


def _test(check: CheckResult, number: str) -> dict[str, Any]:
    judged = {} if check.status == "not_verified" else {"status": _STATUS[check.status]}
    return {
        "number": number,
        "name": f"{check.id}: {check.title}",
        "score": check.score,
        "max_score": check.max_score,
        **judged,
        "output": message(check),
        "tags": [check.id.partition(".")[0], check.status],
        "visibility": check.visibility,
        "extra_data": {"id": check.id, "seconds": check.seconds},
    }


_STATUS = {"passed": "passed", "failed": "failed", "not_submitted": "failed"}
