"""How often drawn questions go beyond a threshold: for every quantity of the range family, over many seeds.

    python tests/support/range_lab.py --seeds 100 --markdown docs/ranges.md

The questions of each run are taken from gradings of the solutions, so that the share of seeds that catch a
submission is known for any threshold without grading it. Exits with 1 where it is below --share.
"""

import argparse
import importlib
import inspect
import math
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from helpers import ROOT
from rich.console import Console
from rich.progress import track
from torch import nn

from autograder.bank import Bank, Target
from autograder.broker import Broker
from autograder.course import Course, course_root, load_course
from autograder.grading import grade, prepare_process
from autograder.pool import each
from autograder.suite.judge import Judge
from autograder.suite.student import Batches, Generator, Input, Layer, Meta, Once, Student
from tower_student.submission import Submission

PAGE = """# What drawn questions reach

Beside its named cases, each check that ranges over sizes asks questions whose numbers are drawn from the
run's seed ([reference.md](reference.md), "Drawn questions"). `--seed` repeats a run, and the seed stands in
every report; a drawn question that fails is reported as the smallest one that does, with the numbers for
which it is answered right.

Measured over {seeds} seeds by `python tests/support/range_lab.py --markdown docs/ranges.md`: the share of
runs in which the check asks a question with the quantity above the limit, at its lowest, at the rarest of the
first four whole numbers, and in the rarest interval from n to 3n. A submission that is wrong there, and right
elsewhere, passes in the others.
"""
Values = dict[tuple[str, str], list[float]]
"""What was asked about, by function and quantity."""


class Recorder:
    """Takes down the quantities of every question, by functions of the solutions in this process."""

    def __init__(self, course: Course, targets: list[Target]) -> None:
        sys.path[:0] = [str(ROOT / "solutions"), str(course.hidden_tests)]
        self.values: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        self._targets, self._check = targets, ""
        self._twins: dict[int, Any] = {}
        self._module: Any = None
        self._wrap(Judge, "judge", self._judged)
        self._wrap(Student, "create", self._created)
        self._wrap(Student, "library", self._made)
        self._wrap(Student, "calling", self._called)
        self._wrap(Layer, "running", self._ran)

    def _wrap(self, owner: type, name: str, before: Callable[..., None]) -> None:
        method = getattr(owner, name)

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            twin = before(*args, **kwargs)
            result = method(*args, **kwargs)
            if twin is not None:
                self._twins[id(result)] = twin, result
            return result

        setattr(owner, name, wrapped)

    def _judged(self, judge: Judge, case: Any) -> None:
        self._check = case.check
        self._module = importlib.import_module(case.check.partition(".")[0])

    def _created(
        self, student: Student, name: str, args: Any, kwargs: Any, *unused: Any, **more: Any
    ) -> nn.Module:
        made: nn.Module = getattr(self._module, name)(*args, **kwargs)
        self._note(f"{name}.reset_parameters", {"self": made}, lambda: None)
        return made

    def _made(self, student: Student, name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("optim"):
            return None
        library, _, attribute = name.partition(".")
        made = nn if library == "nn" else importlib.import_module(library)
        return getattr(made, attribute)(*args, **kwargs)

    def _called(self, student: Student, name: str, *args: Any, **kwargs: Any) -> None:
        function = getattr(self._module, name)
        known = inspect.signature(function).parameters
        given = {key: value for key, value in kwargs.items() if key in known}
        try:
            bound = inspect.signature(function).bind(*map(self._here, args), **given)
        except TypeError:
            return
        bound.apply_defaults()
        self._note(name, bound.arguments, lambda: function(*bound.args, **bound.kwargs))

    def _ran(
        self, layer: Layer, x: Any, *args: Any, method: str = "forward", **kwargs: Any
    ) -> None:
        twin = self._here(layer)
        if isinstance(x, Meta) or not isinstance(twin, nn.Module):
            return
        given = {"self": twin, "input": self._here(x)}
        for name in {method, "forward_im2col"}:
            self._note(f"{type(twin).__name__}.{name}", given, lambda: None)

    def _here(self, value: Any) -> Any:
        """What stands for an argument here."""
        match value:
            case Layer():
                return self._twins.get(id(value), (None,))[0]
            case Input():
                return value.tensor
            case Once():
                return value.items
            case Batches() | Generator() | Meta():
                return None
            case list():
                return [self._here(item) for item in value]
        return value

    def _note(self, name: str, given: Mapping[str, Any], right: Callable[[], Any]) -> None:
        for target in self._targets:
            if target.name != name or target.check != self._check:
                continue
            for quantity, (expression, *_) in target.quantities.items():
                known = dict(given) | ({"right": right()} if "right" in expression else {})
                try:
                    value = float(eval(expression, vars(self._module), known))
                except (AttributeError, TypeError, IndexError):  # of a model without it
                    continue
                self.values[(target.function, quantity)].append(value)


_recorder: Recorder | None = None


def asked(course: Course, broker: Broker, seed: int) -> Values:
    """The quantities that one run asks about."""
    global _recorder
    bank = Bank(course.root)
    if _recorder is None:
        _recorder = Recorder(course, bank.targets())
    _recorder.values.clear()
    submission = Submission("solutions", bank.solutions(course.modules), {})
    report = grade(course, submission, broker, seed=seed, fit="off")
    assert not report.faults, report.faults
    return dict(_recorder.values)


def shares(runs: list[Values], target: Target, quantity: str) -> dict[str, float]:
    """The share of runs that catch what is wrong above, below, at and between thresholds, the worst."""
    _, low, limit = target.quantities[quantity]
    asked = [run.get((target.function, quantity), []) for run in runs]

    def share(holds: Callable[[float], bool]) -> float:
        return sum(any(map(holds, values)) for values in asked) / len(asked)

    bounds = []
    bound = max(low, 1.0)
    while 3 * bound <= limit:
        bounds.append(bound)
        bound *= 3
    whole = [n for n in range(math.ceil(low), math.ceil(low) + 4) if n <= limit]
    return {
        "above": share(lambda value: value > limit),
        "below": share(lambda value: value <= max(low, 1.0) or value <= 2 * low),
        "at": min((share(lambda value, n=n: value == n) for n in whole), default=1.0),
        "between": min((share(lambda value, b=b: b < value <= 3 * b) for b in bounds), default=1.0),
    }


def main() -> int:
    """Run, and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--share", type=float, default=0.99)
    parser.add_argument("--markdown", type=Path, help="write a table here")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    prepare_process()
    torch.set_num_threads(1)
    course = load_course(course_root())
    done = each(asked, course, list(range(arguments.seeds)), arguments.processes)
    shown = track(done, "grading solutions/", arguments.seeds, console=Console(stderr=True))
    runs = [values for _, values in shown]
    found = {
        (target, quantity): shares(runs, target, quantity)
        for target in Bank(course.root).targets()
        for quantity in target.quantities
    }
    if arguments.markdown:
        arguments.markdown.write_text("\n".join(page(found, arguments.seeds)) + "\n", "utf-8")
    missed = 0
    for (target, quantity), share in found.items():
        missed += share["above"] < arguments.share
        print(target.function, quantity, *(f"{name} {100 * s:.0f} %" for name, s in share.items()))
    print(f"{missed} of {len(found)} are caught above their limit by fewer seeds than that.")
    return bool(missed)


def page(found: Mapping[tuple[Target, str], Mapping[str, float]], seeds: int) -> Iterator[str]:
    """docs/ranges.md."""
    yield PAGE.format(seeds=seeds)
    yield "| function | quantity | from | to | above | lowest | at one | between |"
    yield "| --- | --- | --: | --: | --: | --: | --: | --: |"
    for (target, quantity), share in found.items():
        _, low, limit = target.quantities[quantity]
        cells = (f"`{target.function}`", quantity.replace("_", " "), f"{low:g}", f"{limit:g}")
        yield f"| {' | '.join((*cells, *(f'{100 * s:.0f} %' for s in share.values())))} |"


if __name__ == "__main__":
    sys.exit(main())
