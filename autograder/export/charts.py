"""Figures for the pages, as the numbers that an SVG needs. Colours and lines are the templates' matter."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autograder.report import ClassReport, Standing, Tries
from tower_student.language import tr

Points = Sequence[tuple[int, float]]

WIDTH, HEIGHT = 640, 240
LEFT, RIGHT, TOP, BOTTOM = 40, 12, 12, 28
"""Margins, in units of the picture."""
BINS = 10
COLUMNS = 8
PIXEL = 6
GAP = 4
LETTER = 7
"""Of a label, at most wide."""
LONGEST = 24
"""Letters of a bar's label."""


@dataclass(frozen=True)
class Bar:
    """A bar of a histogram: its position, its size, and what it says."""

    x: float
    y: float
    width: float
    height: float
    count: int
    says: str


@dataclass(frozen=True)
class Tick:
    """A mark of an axis."""

    at: float
    label: str


def score_histogram(shares: Sequence[float]) -> list[Bar]:
    """How many scores, in per cent, lie in each tenth; full marks are in the last."""
    counts = Counter(min(int(share // (100 / BINS)), BINS - 1) for share in shares)
    most = max(counts.values(), default=1)
    step = (WIDTH - LEFT - RIGHT) / BINS
    bars = []
    for i in range(BINS):
        height = (HEIGHT - TOP - BOTTOM) * counts[i] / most
        low, high = i * 100 // BINS, (i + 1) * 100 // BINS
        says = (
            tr("{count} from {low} to {high} %", count=counts[i], low=low, high=high)
            if i == BINS - 1
            else tr("{count} from {low} to below {high} %", count=counts[i], low=low, high=high)
        )
        bars.append(
            Bar(LEFT + i * step + 2, HEIGHT - BOTTOM - height, step - 4, height, counts[i], says)
        )
    return bars


@dataclass(frozen=True)
class Curves:
    """Curves in one picture: points as SVG wants them, and the marks of both axes."""

    lines: list[tuple[str, str]]
    """What each says, and its points."""
    reference: str
    x: list[Tick]
    y: list[Tick]


def curves(named: Mapping[str, Points], reference: Points) -> Curves | None:
    """Shares over steps, from nothing to 1; None where there is no curve."""
    known = [curve for curve in (*named.values(), reference) if curve]
    if not known:
        return None
    steps = max(step for curve in known for step, _ in curve) or 1

    def points(curve: Points) -> str:
        return " ".join(
            f"{LEFT + (WIDTH - LEFT - RIGHT) * step / steps:.1f},"
            f"{HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share:.1f}"
            for step, share in curve
        )

    marks = range(steps + 1) if steps <= 8 else [steps * i // 4 for i in range(5)]
    return Curves(
        [
            (f"{name}: {100 * curve[-1][1]:.1f} %", points(curve))
            for name, curve in named.items()
            if curve
        ],
        points(reference),
        [Tick(LEFT + (WIDTH - LEFT - RIGHT) * step / steps, f"{step:,}") for step in marks],
        [
            Tick(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * part / 100, f"{part} %")
            for part in (0, 25, 50, 75, 100)
        ],
    )


@dataclass(frozen=True)
class Pixel:
    """One value of an image."""

    x: int
    y: int
    sign: str
    strength: str


@dataclass(frozen=True)
class Tiles:
    """Images side by side, as squares."""

    width: int
    height: int
    pixels: list[Pixel]


def tiles(images: Sequence[Sequence[float]]) -> Tiles:
    """Square images in rows of eight. The strongest value of all is drawn full."""
    side = math.isqrt(len(images[0])) if images else 0
    strongest = max((abs(value) for image in images for value in image), default=0.0) or 1.0
    pitch = side * PIXEL + GAP
    pixels = [
        Pixel(
            i % COLUMNS * pitch + j % side * PIXEL,
            i // COLUMNS * pitch + j // side * PIXEL,
            "positive" if value >= 0 else "negative",
            f"{abs(value) / strongest:.2f}",
        )
        for i, image in enumerate(images)
        for j, value in enumerate(image[: side * side])
    ]
    rows = math.ceil(len(images) / COLUMNS)
    return Tiles(max(1, COLUMNS * pitch - GAP), max(1, rows * pitch - GAP), pixels)


@dataclass(frozen=True)
class Row:
    """One name with two bars: their lengths in per cent, on a scale of powers of ten."""

    name: str
    own: float
    reference: float
    says: str


@dataclass(frozen=True)
class Rows:
    """Pairs of bars, one below the other, right of labels that are so wide."""

    label: int
    rows: list[Row]


def rows(bars: Mapping[str, tuple[float, float]]) -> Rows | None:
    """Pairs of bars in their order; a tenth of the largest is a fixed step shorter. None without any."""
    known = [number for pair in bars.values() for number in pair if number > 0]
    if not known:
        return None
    top = math.ceil(math.log10(max(known)))
    decades = max(2, top - math.floor(math.log10(max(min(known), max(known) * 1e-6))))

    def length(number: float) -> float:
        return (
            0.0
            if number <= 0
            else min(100.0, max(1.0, 100 * (1 + (math.log10(number) - top) / decades)))
        )

    names = [name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…" for name in bars]
    return Rows(
        LETTER * max(map(len, names)) + 8,
        [
            Row(
                name,
                length(own),
                length(reference),
                tr("{own:.3g}; the reference {reference:.3g}", own=own, reference=reference),
            )
            for name, (own, reference) in zip(names, bars.values(), strict=True)
        ],
    )


@dataclass(frozen=True)
class Stumble:
    """A check that some failed: how many, and with which cause who."""

    id: str
    title: str
    count: int
    share: float
    causes: list[tuple[str, list[Standing]]]
    """Each cause with the students it was reported to, the most frequent first."""


def stumbles(report: ClassReport) -> list[Stumble]:
    """The checks by how many failed them, in the attempts that count."""
    failed: dict[str, dict[str, list[Standing]]] = {}
    titles: dict[str, str] = {}
    causes: dict[str, str] = {}  # one sentence for each, whatever stands in it
    for standing, attempt in report.counted:
        for failure in attempt.failed:
            cause = causes.setdefault(failure.cause_id or failure.cause, failure.cause)
            failed.setdefault(failure.id, {}).setdefault(cause, []).append(standing)
            # A check that was never judged has but its name for a title.
            titles[failure.id] = max(titles.get(failure.id, ""), failure.title, key=len)
    found = []
    for check, them in failed.items():
        count = sum(map(len, them.values()))
        ordered = sorted(them.items(), key=lambda item: -len(item[1]))
        share = 100 * count / len(report.counted)
        found.append(Stumble(check, titles[check], count, share, ordered))
    return sorted(found, key=lambda stumble: -stumble.count)


@dataclass(frozen=True)
class Try:
    """One more try of those who had failed a check: how many made it, how many passed by it.

    `share` is what has passed by then of all, in [0, 1], where those who stopped before are taken to be like
    those who went on: one minus the estimator of Kaplan and Meier (1958).
    """

    number: int
    made: int
    passed: int
    share: float


def solved(tries: Sequence[Tries]) -> list[Try]:
    """What each further try brought, from the first."""
    found, left = [], 1.0
    for number in range(1, max((each.count for each in tries), default=0) + 1):
        made = sum(each.count >= number for each in tries)
        passed = sum(each.solved and each.count == number for each in tries)
        left *= 1 - passed / made
        found.append(Try(number, made, passed, 1 - left))
    return found
