"""The report as JSON, after the published schema beside this file (report.schema.json)."""

import json
from importlib import resources
from typing import Any

from autograder.report import CheckResult, ModuleResult, Report

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
    }


def render(report: Report) -> str:
    """The report as JSON text."""
    return json.dumps(as_dict(report), indent=2, allow_nan=False) + "\n"


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
    }
