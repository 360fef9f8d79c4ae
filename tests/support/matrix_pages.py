"""The kill matrix as a page and as a picture."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.course import Course

HEAD = """# The kill matrix

Which wrong submissions each hidden check catches. Made by `make matrix`; not written by hand.

![Every wrong submission (across) and every check (down); a mark where the check fails it.](kill-matrix.png)

A *mutant* is a solution with a part of it written wrong, by hand, and the misconception it stands for. A
*machine-made* mutant is a small change of the solution that cosmic-ray makes by rule. A *variant* is a right
module, written differently. The fit (`tower.mnist_fit`) runs for those alone that it is aimed at;
[calibration.svg](../calibration.svg) shows what it says of others.
"""


@dataclass(frozen=True, kw_only=True)
class About:
    """A submission of the bank.

    Attributes:
        kind: "mutant", "machine" or "variant".
        says: the misconception of a mutant, or the change that a program has made.
        aimed_at: the check that has to catch it, without the module's name.
        cause: the id of a likely cause that the report has to name.
        equivalent: why the change makes no difference.
    """

    kind: str
    module: str
    name: str
    says: str = ""
    aimed_at: str = ""
    cause: str = ""
    equivalent: str = ""


@dataclass(frozen=True, kw_only=True)
class Outcome(About):
    """What became of one.

    Attributes:
        failed: the message of each check that failed, by its name without the module's.
        causes: the likely causes that the report names, by their ids.
    """

    failed: dict[str, str]
    causes: dict[str, str]
    faults: list[str]

    @property
    def is_named(self) -> bool:
        """Whether the report names what the bank demands of it."""
        return self.cause in self.causes


def kills(outcomes: Iterable[Outcome]) -> Counter[str]:
    """How many of these each check catches."""
    return Counter(f"{o.module}.{check}" for o in outcomes for check in o.failed)


def markdown(outcomes: Sequence[Outcome], course: Course) -> str:
    """The page."""
    return "\n".join([HEAD, *_summary(outcomes), *_checks(outcomes, course), *_mutants(outcomes)])


def _summary(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield (
        "| module | mutants | caught | cause named | machine-made | caught | equivalent | variants "
        "| harmed |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|"
    modules = list(dict.fromkeys(o.module for o in outcomes))
    for name in [*modules, "all"]:
        of = [o for o in outcomes if name in (o.module, "all")]
        by_hand = [o for o in of if o.kind == "mutant"]
        machine = [o for o in of if o.kind == "machine"]
        right = [o for o in of if o.kind == "variant"]
        named = sum(o.is_named for o in by_hand)
        share = f"{named} ({math.floor(1000 * named / len(by_hand)) / 10:g} %)" if by_hand else "0"
        cells = (
            *(name, len(by_hand), _caught(by_hand), share),
            *(len(machine), _caught(machine), sum(bool(o.equivalent) for o in machine)),
            *(len(right), _caught(right)),
        )
        yield f"| {' | '.join(map(str, cells))} |"
    yield ""
    yield (
        "*Cause named*: the report names the cause that the bank demands for this mutant: one that a reader "
        "has found to name the misconception."
    )
    yield ""


def _caught(outcomes: Iterable[Outcome]) -> int:
    return sum(bool(o.failed) for o in outcomes)


def _checks(outcomes: Sequence[Outcome], course: Course) -> Iterator[str]:
    wrong = [o for o in outcomes if o.kind != "variant"]
    caught, alone = kills(wrong), kills(o for o in wrong if len(o.failed) == 1)
    yield "## Checks"
    yield ""
    yield "| check | wrong submissions it catches | that no other check catches |"
    yield "|---|--:|--:|"
    for module in course.modules.values():
        for check in module.weights:
            name = f"{module.name}.{check}"
            yield f"| `{name}` | {caught[name]} | {alone[name]} |"
    yield ""


def _mutants(outcomes: Sequence[Outcome]) -> Iterator[str]:
    for module in dict.fromkeys(o.module for o in outcomes):
        yield f"## {module}"
        yield ""
        yield "| mutant | misconception | caught by | likely causes shown |"
        yield "|---|---|---|---|"
        for o in outcomes:
            if o.kind == "mutant" and o.module == module:
                caught = ", ".join(o.failed)
                yield f"| `{o.name}` | {_cell(o.says)} | {caught} | {_cell(' / '.join(o.causes.values()))} |"
        yield ""
        spared = [o for o in outcomes if o.module == module and o.equivalent]
        if spared:
            yield "Machine-made changes that make no difference:"
            yield ""
            yield from (f"- `{_cell(o.says)}`: {o.equivalent}" for o in spared)
            yield ""


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())


def picture(outcomes: Sequence[Outcome], course: Course, path: Path) -> None:
    """A panel for each module: checks down, wrong submissions across, ordered by what catches them."""
    import matplotlib.pyplot as plt
    import numpy as np

    wrong = [o for o in outcomes if o.kind != "variant" and not o.equivalent]
    modules = [m for m in course.modules.values() if any(o.module == m.name for o in wrong)]
    heights = [len(module.weights) for module in modules]
    figure, axes = plt.subplots(
        len(modules),
        figsize=(13, 0.21 * sum(heights) + 0.75 * len(modules)),
        height_ratios=heights,
        squeeze=False,
    )
    for axis, module in zip(axes[:, 0], modules, strict=True):
        checks = list(module.weights)
        rows = sorted(
            ([check in o.failed for check in checks] for o in wrong if o.module == module.name),
            reverse=True,
        )
        axis.pcolormesh(np.array(rows).T, cmap="Greys", vmin=0, vmax=1.3)
        axis.set_yticks([i + 0.5 for i in range(len(checks))], checks, fontsize=7)
        axis.invert_yaxis()
        axis.tick_params(axis="x", labelsize=7)
        axis.set_title(f"{module.name}: {len(rows)} wrong submissions", fontsize=9, loc="left")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
