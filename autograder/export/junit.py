"""The report as JUnit XML: a test suite for each module, a test case for each check."""

from collections.abc import Sequence
from xml.etree import ElementTree

from autograder.export.view import message
from autograder.report import CheckResult, ModuleResult, Report
from tower_student.language import tr


def render(report: Report) -> str:
    """The report as JUnit XML text. Its texts hold no character that XML forbids."""
    root = ElementTree.Element(
        "testsuites", {"name": report.submission, **_counts(_all_checks(report))}
    )
    root.set("time", f"{report.seconds:.3f}")
    for module in report.told().modules:
        _add_suite(root, report, module)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _add_suite(root: ElementTree.Element, report: Report, module: ModuleResult) -> None:
    suite = ElementTree.SubElement(
        root, "testsuite", {"name": module.name, **_counts(module.checks)}
    )
    suite.set("time", f"{sum(check.seconds for check in module.checks):.3f}")
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in {
        "score": f"{module.score:g}",
        "max_score": f"{module.max_score:g}",
        "seed": str(report.seed),
        "isolation": report.isolation.level,
        "isolation_detail": report.isolation.detail,
        "submission_digest": report.submission_digest,
        "suite_digest": report.suite_digest,
    }.items():
        ElementTree.SubElement(properties, "property", name=name, value=value)
    for check in module.checks:
        _add_case(suite, module, check)


def _add_case(suite: ElementTree.Element, module: ModuleResult, check: CheckResult) -> None:
    case = ElementTree.SubElement(suite, "testcase", classname=module.name, name=check.id)
    case.set("time", f"{check.seconds:.3f}")
    text = f"{check.title}\n{message(check)}".strip()
    if check.status == "not_verified":
        ElementTree.SubElement(case, "skipped", message=check.remark)
    elif check.status != "passed":
        worth = tr(
            "{title} ({score:g} of {most:g} points)",
            title=check.title,
            score=check.score,
            most=check.max_score,
        )
        ElementTree.SubElement(case, "failure", message=worth, type=check.status).text = text


def _all_checks(report: Report) -> list[CheckResult]:
    return [check for module in report.modules for check in module.checks]


def _counts(checks: Sequence[CheckResult]) -> dict[str, str]:
    failed = sum(check.status in ("failed", "not_submitted") for check in checks)
    skipped = sum(check.status == "not_verified" for check in checks)
    return {
        "tests": str(len(checks)),
        "failures": str(failed),
        "errors": "0",
        "skipped": str(skipped),
    }
