"""The report as JSON. What it holds, and its schema, are those of the classes in autograder.report."""

import inspect
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import msgspec

from autograder.export.view import READING
from autograder.report import Bars, Curve, Figure, Images, ModuleResult, Report
from tower_student.language import ENGLISH, tr

SCHEMA_VERSION = 6


def as_dict(report: Report) -> dict[str, Any]:
    """Return the report as plain data that fits the schema. Raises ValueError if a number is not finite."""
    # asdict, since msgspec leaves out what it has not found when it made a dataclass.
    text = json.dumps(msgspec.to_builtins(asdict(report)), allow_nan=False)
    content: dict[str, Any] = json.loads(text)  # lists in the place of tuples
    del content["faults"]  # tracebacks of the grader
    for module, plain in zip(report.modules, content["modules"], strict=True):
        plain |= _sums(module)
    return {"schema": SCHEMA_VERSION, **content, **_sums(report)}


def _sums(part: Report | ModuleResult) -> dict[str, float]:
    return {"score": part.score, "max_score": part.max_score}


def render(report: Report) -> str:
    """Return the report as JSON text, in ASCII."""
    return json.dumps(as_dict(report), indent=2, allow_nan=False) + "\n"


def parse(text: str) -> Report:
    """Return the report that the text holds, checked against the schema. Raises ValueError.

    Sums are computed from the checks; those in the text have to agree with them.
    """
    try:
        content = _current(json.loads(text))
        report = msgspec.convert(content, Report)
    except json.JSONDecodeError as error:
        raise ValueError(tr("it is not JSON ({reason})", reason=error)) from None
    except RecursionError:
        raise ValueError(tr("it is nested too deeply")) from None
    except msgspec.ValidationError as error:
        raise ValueError(str(error)[:200]) from None
    if as_dict(report) != content:
        raise ValueError(tr("its points do not add up, or its fields are not those of the schema"))
    return report


def load(text: str) -> Report:
    """Return the report of a text that `render` has made, and nobody has touched since."""
    return msgspec.convert(_current(json.loads(text)), Report)


def schema() -> dict[str, Any]:
    """Return the published JSON Schema."""
    _, parts = msgspec.json.schema_components([Report], ref_template="#/$defs/{name}")
    points = parts["CheckResult"]["properties"]["score"]
    sums = {"score": points, "max_score": points}
    parts["ModuleResult"]["properties"] |= sums
    fields = parts["Report"]["properties"]
    del fields["faults"]
    parts["Report"]["properties"] = {"schema": {"const": SCHEMA_VERSION}, **fields, **sums}
    for part in parts.values():
        part["description"] = inspect.cleandoc(part["description"]).partition("\n\n")[0]
        part["required"] = list(part["properties"])  # defaults are written out
        part["additionalProperties"] = False
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:tower:report:{SCHEMA_VERSION}",
        **parts.pop("Report"),
        "title": "Report of a graded submission",
        "$defs": parts,
    }


def _current(content: Any) -> dict[str, Any]:
    """Return the content of a report as today's schema has it. Raises ValueError if that is not possible."""
    version = content.get("schema") if isinstance(content, dict) else None
    older: Sequence[Callable[[dict[str, Any]], dict[str, Any]]] = (
        _from_first,
        _from_second,
        _from_third,
        _from_fourth,
        _from_fifth,
    )
    if type(version) is not int or not 1 <= version <= SCHEMA_VERSION:
        raise ValueError(
            tr(
                "schema is {version!r:.50}; expected 1 to {newest}",
                version=version,
                newest=SCHEMA_VERSION,
            )
        )
    try:
        for newer in older[version - 1 :]:
            content = newer(content)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ValueError(tr("it does not fit schema {version}", version=version)) from None
    return dict(content)


def _checks_from(
    content: dict[str, Any], newer: Callable[[dict[str, Any]], dict[str, Any]]
) -> list[dict[str, Any]]:
    """The modules, each of their checks as the next schema has it."""
    return [
        module | {"checks": list(map(newer, module["checks"]))} for module in content["modules"]
    ]


def _from_first(content: dict[str, Any]) -> dict[str, Any]:
    """Schema 1 knew one course, and named neither it nor its figures nor what was measured."""
    seen = content.get("insight", {})
    figures: dict[str, Figure] = {
        "curve": Curve("Learning curve", "accuracy, over steps", seen.get("curve")),
        "filters": Images("Filters", "weights of the filters", seen.get("filters"), True),
        "gradient_flow": Bars(
            "Gradient flow", "norm of each gradient, in powers of ten", seen.get("gradient_flow")
        ),
    }
    modules = _checks_from(content, _check_from_first)
    new = {
        "schema": 2,
        "course": "",
        "modules": [module | {"bonus": False} for module in modules],
        "figures": [msgspec.to_builtins(figures[name]) for name in figures if seen.get(name)],
    }
    return {name: value for name, value in content.items() if name != "insight"} | new


def _check_from_first(check: dict[str, Any]) -> dict[str, Any]:
    value = check["measured"]
    return check | {"measured": None if value is None else {"name": "accuracy", "value": value}}


def _from_second(content: dict[str, Any]) -> dict[str, Any]:
    """Schema 2 said why a check failed in one text, which is not taken apart: it becomes a remark."""
    return content | {"schema": 3, "modules": _checks_from(content, _check_from_second)}


def _check_from_second(check: dict[str, Any]) -> dict[str, Any]:
    hint = check["hint"]
    remark = "\n".join(filter(None, [check["message"], f"{READING}: {hint}" if hint else ""]))
    kept = {
        name: value for name, value in check.items() if name not in ("message", "hint", "place")
    }
    return kept | {"remark": remark, "feedback": None}


def _from_third(content: dict[str, Any]) -> dict[str, Any]:
    """Schema 3 knew one language, and called a location a place."""
    modules = _checks_from(content, _check_from_third)
    return content | {"schema": 4, "modules": modules, "language": ENGLISH}


def _from_fourth(content: dict[str, Any]) -> dict[str, Any]:
    """Schema 4 told every student likely causes."""
    return content | {"schema": 5, "causes": "all"}


def _from_fifth(content: dict[str, Any]) -> dict[str, Any]:
    """Schema 5 did not say which check shows a figure, and held all checks always."""
    return content | {
        "schema": 6,
        "modules": [module | {"later": 0.0} for module in content["modules"]],
        "figures": [figure | {"check": ""} for figure in content["figures"]],
    }


def _check_from_third(check: dict[str, Any]) -> dict[str, Any]:
    feedback = check["feedback"]
    if feedback is None:
        return check
    kept = {name: value for name, value in feedback.items() if name != "place"}
    return check | {"feedback": {**kept, "location": feedback["place"]}}
