"""The report as JSON, after the published schema beside this file (report.schema.json)."""

import json
from dataclasses import asdict
from importlib import resources
from typing import Any, NoReturn

from autograder.report import CheckResult, Insight, Isolation, ModuleResult, Place, Report

SCHEMA_VERSION = 1


def as_dict(report: Report) -> dict[str, Any]:
    """The report as plain data that fits the schema."""
    return {
        "schema": SCHEMA_VERSION,
        "submission": report.submission,
        "submission_digest": report.submission_digest,
        "suite_digest": report.suite_digest,
        "seed": report.seed,
        "device": report.device,
        "isolation": {"level": report.isolation.level, "detail": report.isolation.detail},
        "score": report.score,
        "max_score": report.max_score,
        "seconds": report.seconds,
        "environment": dict(report.environment),
        "modules": [_module(module) for module in report.modules],
        **({"insight": _insight(report.insight)} if report.insight else {}),
    }


def render(report: Report) -> str:
    """The report as JSON text."""
    return json.dumps(as_dict(report), indent=2, allow_nan=False) + "\n"


def parse(text: str) -> Report:
    """The report that the text holds, checked against the schema. Raises ValueError.

    Sums are computed anew from the checks; those in the text have to agree with them.
    """
    import jsonschema

    try:
        content = json.loads(text, parse_constant=_refuse)
        jsonschema.validate(content, schema(), cls=jsonschema.Draft202012Validator)
    except jsonschema.ValidationError as error:
        raise ValueError(f"{error.json_path}: {error.message[:200]}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    report = _report(content)
    if as_dict(report) != content:
        raise ValueError("its points do not add up")
    return report


def load(text: str) -> Report:
    """The report of a text that `render` has made, and nobody has touched since."""
    return _report(json.loads(text))


def _report(content: dict[str, Any]) -> Report:
    modules = tuple(
        ModuleResult(
            module["name"],
            tuple(_parsed_check(check) for check in module["checks"]),
            module["note"],
        )
        for module in content["modules"]
    )
    same = {"submission", "submission_digest", "suite_digest", "seed", "device", "seconds"}
    insight = content.get("insight")
    return Report(
        **{name: content[name] for name in same},
        isolation=Isolation(**content["isolation"]),
        environment=content["environment"],
        modules=modules,
        insight=_parsed_insight(insight) if insight else None,
    )


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")


def _parsed_check(content: dict[str, Any]) -> CheckResult:
    place = content["place"]
    return CheckResult(**{**content, "place": Place(**place) if place else None})


def _parsed_insight(content: dict[str, Any]) -> Insight:
    return Insight(
        tuple((steps, accuracy) for steps, accuracy in content["curve"]),
        tuple(tuple(kernel) for kernel in content["filters"]),
        {name: (own, reference) for name, (own, reference) in content["gradient_flow"].items()},
    )


def schema() -> dict[str, Any]:
    """The published JSON Schema."""
    text = resources.files(__package__).joinpath("report.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _module(module: ModuleResult) -> dict[str, Any]:
    return {
        "name": module.name,
        "score": module.score,
        "max_score": module.max_score,
        "note": module.note,
        "checks": [_check(check) for check in module.checks],
    }


def _insight(insight: Insight) -> dict[str, Any]:
    return {
        "curve": [list(point) for point in insight.curve],
        "filters": [list(kernel) for kernel in insight.filters],
        "gradient_flow": {name: list(norms) for name, norms in insight.gradient_flow.items()},
    }


def _check(check: CheckResult) -> dict[str, Any]:
    return {
        "id": check.id,
        "title": check.title,
        "status": check.status,
        "score": check.score,
        "max_score": check.max_score,
        "message": check.message,
        "hint": check.hint,
        "seconds": check.seconds,
        "place": asdict(check.place) if check.place else None,
        "measured": check.measured,
        "visibility": check.visibility,
    }
