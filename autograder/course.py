"""course.toml as data: modules, points, limits, thresholds."""

import hashlib
import os
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, get_args

from autograder.errors import CourseError
from autograder.report import VISIBILITIES, Visibility
from autograder.sandbox.policy import Policy

FitMode = Literal["off", "quick", "full", "recipe"]
FIT_MODES: tuple[FitMode, ...] = get_args(FitMode)
FIT_CHECK = "mnist_fit"
GPU_CHECKS = "gpu_"
"""How the names of checks begin that need a GPU."""


@dataclass(frozen=True)
class Module:
    """One file a student hands in.

    Attributes:
        points: what the module is worth.
        weights: the checks, in the order they are reported, and their shares of the points.
        visibility: when students see each of the checks.
        needs: modules it builds on.
    """

    name: str
    points: int
    weights: Mapping[str, int]
    visibility: Mapping[str, Visibility]
    needs: tuple[str, ...] = ()

    def shares(self, left_out: Collection[str] = ()) -> dict[str, float]:
        """Points for each check; those left out have none, and theirs go to the others."""
        total = sum(weight for check, weight in self.weights.items() if check not in left_out)
        return {
            check: 0.0 if check in left_out else float(Fraction(self.points * weight, total))
            for check, weight in self.weights.items()
        }


@dataclass(frozen=True)
class FitPlan:
    """One way to run the MNIST fit: so many optimiser steps, and the accuracy to reach.

    `threshold` is what is graded, `target` what is published; both are fractions in [0, 1].
    """

    steps: int
    threshold: float
    target: float


@dataclass(frozen=True)
class Course:
    """The whole of course.toml, and where it lies."""

    root: Path
    title: str
    fit: FitMode
    modules: Mapping[str, Module]
    fits: Mapping[str, FitPlan]
    policy: Policy

    @property
    def hidden_tests(self) -> Path:
        """The folder of the hidden suite."""
        return self.root / "tests" / "hidden"


def course_root(given: Path | None = None) -> Path:
    """The folder with course.toml: the one given, $TOWER_COURSE, or the checkout of this package.

    The working directory is not searched: it may be a submission. Raises CourseError.
    """
    named = given or (Path(os.environ["TOWER_COURSE"]) if os.environ.get("TOWER_COURSE") else None)
    root = (named or Path(__file__).parent.parent).resolve()
    if not (root / "course.toml").is_file():
        raise CourseError(
            f"There is no course.toml in {root}. Install the kit from its checkout "
            "(pip install -e .), or name the checkout with --course or TOWER_COURSE."
        )
    return root


def load_course(root: Path) -> Course:
    """Read and check course.toml. Raises CourseError with the place that is wrong."""
    path = root / "course.toml"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CourseError(f"{path} cannot be read: {error}") from None
    try:
        return _course(root, content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CourseError(f"{path} is not as it must be: {error}") from None


def suite_digest(course: Course) -> str:
    """SHA-256 over all that decides a score: the package, the hidden tests, course.toml."""
    package = Path(__file__).parent
    files = [
        course.root / "course.toml",
        *course.hidden_tests.rglob("*.py"),
        *package.rglob("*.py"),
    ]
    digest = hashlib.sha256()
    for file in sorted(files):
        content = file.read_bytes()
        digest.update(f"{file.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _course(root: Path, content: dict[str, Any]) -> Course:
    unknown = content.keys() - {"title", "fit", "visibility", "modules", "fits", "limits"}
    if unknown:
        raise ValueError(f"unknown keys {sorted(unknown)}")
    if content["fit"] not in FIT_MODES:
        raise ValueError(f"fit is {content['fit']!r}; it may be {', '.join(FIT_MODES)}")
    visibility = _visibility("visibility", content.get("visibility", "visible"))
    modules = {name: _module(name, table, visibility) for name, table in content["modules"].items()}
    for module in modules.values():
        for need in module.needs:
            if need not in modules:
                raise ValueError(f"modules.{module.name} needs {need!r}, which is no module")
    limits = content.get("limits", {})
    _check_limits(limits)
    fits: dict[str, FitPlan] = {
        mode: FitPlan(**content["fits"][mode]) for mode in FIT_MODES if mode != "off"
    }
    return Course(root, content["title"], content["fit"], modules, fits, Policy(**limits))


def _check_limits(limits: Mapping[str, Any]) -> None:
    kinds = {field.name: type(field.default) for field in fields(Policy)}
    unknown = limits.keys() - kinds.keys()
    if unknown:
        raise ValueError(f"unknown limits {sorted(unknown)}; there are {', '.join(kinds)}")
    for name, value in limits.items():
        whole = type(value) is int
        if not (whole or (type(value) is float and kinds[name] is float)) or value <= 0:
            kind = "number" if kinds[name] is float else "whole number"
            raise ValueError(f"limits.{name} is {value!r}; it must be a {kind} above 0")


def _module(name: str, table: dict[str, Any], default: Visibility) -> Module:
    unknown = table.keys() - {"points", "weights", "needs", "visibility"}
    if unknown:
        raise ValueError(f"modules.{name} has unknown keys {sorted(unknown)}")
    weights = table["weights"]
    if not weights or any(type(weight) is not int or weight <= 0 for weight in weights.values()):
        raise ValueError(f"modules.{name}.weights must be whole numbers above 0")
    chosen = table.get("visibility", {})
    if chosen.keys() - weights.keys():
        raise ValueError(
            f"modules.{name}.visibility names {', '.join(sorted(chosen.keys() - weights.keys()))}, "
            "which is no check of the module"
        )
    visibility = {
        check: _visibility(f"modules.{name}.visibility.{check}", chosen.get(check, default))
        for check in weights
    }
    return Module(name, table["points"], weights, visibility, tuple(table.get("needs", ())))


def _visibility(key: str, value: object) -> Visibility:
    for visibility in VISIBILITIES:
        if visibility == value:
            return visibility
    raise ValueError(f"{key} is {value!r}; it may be {', '.join(VISIBILITIES)}")
