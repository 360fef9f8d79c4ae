"""Which submissions of a class are alike, by copydetect, with what the skeletons hold left out.

copydetect (MOSS's winnowing) turns a text into tokens without names, comments and layout, and finds the runs
of tokens that two of them share. What it found is shown as a place to look; it decides nothing.
"""

import bisect
import io
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import copydetect
from copydetect.utils import get_token_coverage
from rich.console import Console
from rich.text import Text

from autograder.classroom.gradebook import Gradebook, Work
from autograder.course import Course
from autograder.errors import CourseError
from autograder.export import similar as export
from autograder.report import Alike
from tower_student.files import write_whole
from tower_student.language import plural, tr
from tower_student.text import wrappable

TOKENS = 25
"""Characters of tokens in a run, as copydetect counts: shorter ones are found in any two texts."""
COMMON = 10
"""What more than so many students have written is taken for common knowledge, as by MOSS."""
FOLDER = "similar"
MAX_PAIRS = 500
"""That get a page; the others are counted."""
SHOWN = 20


def compare_class(
    course: Course,
    results: Path,
    threshold: float,
    progress: Callable[[str, float], None],
    console: Console,
) -> None:
    """Compare the last hand-ins of all students, module by module; write the pages and list the pairs.

    Args:
        threshold: the share of one text, in [0, 1], that has to be found in the other.

    Raises UsageError where there is no gradebook, CourseError where a skeleton cannot be read.
    """
    with Gradebook(results, make=False) as gradebook:
        last = {row.student: row for row in gradebook.hand_ins()}
        texts = {
            student: gradebook.submission(Work(row.digest, row.problems, (student,))).sources
            for student, row in last.items()
        }
    found: list[Alike] = []
    for number, module in enumerate(course.modules):
        written = {s: sources[module].decode() for s, sources in texts.items() if module in sources}

        def tell(part: float, module: str = module, number: int = number) -> None:
            progress(tr("comparing {module}", module=module), (number + part) / len(course.modules))

        found += alike(module, written, _skeleton(course, module), threshold, tell)
    found.sort(key=lambda pair: -pair.share)
    found, more = found[:MAX_PAIRS], found[MAX_PAIRS:]
    folder = results / FOLDER
    folder.mkdir(exist_ok=True)
    for page in folder.glob("*.html"):
        page.unlink()
    for number, pair in enumerate(found, 1):
        write_whole(folder / export.page_name(number), export.pair_page(pair))
    index = folder / "index.html"
    write_whole(index, export.index_page(course.title, found, len(more), len(texts), threshold))
    for pair in found[:SHOWN]:
        text = f"{100 * pair.share:3.0f} %  {pair.module}.py  {pair.left}, {pair.right}"
        console.print(Text(wrappable(text)))
    count = len(found) + len(more)
    if count > SHOWN:
        console.print(plural("… and {count} more.", "… and {count} more.", count - SHOWN))
    text = plural(
        "{count} pair is alike; {index} shows them side by side.",
        "{count} pairs are alike; {index} shows them side by side.",
        count,
        index=index,
    )
    console.print(Text(wrappable(text)))


def alike(
    module: str,
    texts: Mapping[str, str],
    skeleton: str,
    threshold: float,
    progress: Callable[[float], None] = lambda part: None,
) -> Iterator[Alike]:
    """The pairs of texts of which at least so much is in the other, beyond what is in the skeleton.

    Args:
        texts: by student.
        threshold: the share, in [0, 1].
    """
    prints = {student: _Print(text) for student, text in texts.items()}
    writers = Counter(run for one in prints.values() for run in one.hashes)
    given = _Print(skeleton).hashes | {run for run, count in writers.items() if count > COMMON}
    for one in prints.values():
        one.leave_out(given)
    pairs = len(prints) * (len(prints) - 1) // 2
    for number, (left, right) in enumerate(combinations(prints, 2)):
        if number % 1000 == 0:
            progress(number / pairs)
        one, other = prints[left], prints[right]
        if not (one.may_share(other, threshold) or other.may_share(one, threshold)):
            continue
        _, shares, slices = copydetect.compare_files(one.fingerprint, other.fingerprint)
        if max(shares) >= threshold:
            yield Alike(
                module,
                left,
                right,
                (float(shares[0]), float(shares[1])),
                (one.text, other.text),
                (tuple(one.lines(slices[0])), tuple(other.lines(slices[1]))),
            )


class _Print:
    """copydetect's fingerprint of one text."""

    def __init__(self, text: str) -> None:
        self.text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        body = self.text.lstrip("\n")  # the lexer drops what is before, and counts without it
        self._first = len(self.text) - len(body)
        # Every run of tokens is kept (a window of 1): with fewer, which are kept depends on the process.
        self.fingerprint = copydetect.CodeFingerprint(
            "module.py", TOKENS, 1, language="python", fp=io.StringIO(body)
        )
        self._breaks = [i for i, c in enumerate(self.fingerprint.raw_code) if c == "\n"]

    def leave_out(self, runs: Collection[int]) -> None:
        """Compare without these. copydetect's own way also drops runs that occur twice in a text."""
        found = self.fingerprint
        found.hashes = found.hashes - set(runs)
        found.hash_idx = {run: i for run, i in found.hash_idx.items() if run in found.hashes}
        found.token_coverage = get_token_coverage(found.hash_idx, TOKENS, len(found.filtered_code))

    @property
    def hashes(self) -> set[int]:
        """Of the runs of tokens."""
        found: set[int] = self.fingerprint.hashes
        return found

    def may_share(self, other: "_Print", threshold: float) -> bool:
        """Whether so much of this text can be in the other: most pairs cannot share it, and are done with."""
        common = self.hashes & other.hashes
        runs = sum(len(self.fingerprint.hash_idx[h]) for h in common)
        return bool(common) and runs * TOKENS >= threshold * self.fingerprint.token_coverage

    def lines(self, slices: Sequence[Any]) -> Iterator[tuple[int, int]]:
        """Runs of characters as first and last lines, from 1, those that meet made one."""
        code = self.fingerprint.raw_code
        runs: list[tuple[int, int]] = []
        for start, end in zip(*slices, strict=True) if len(slices) else ():
            piece = code[max(int(start), 0) : int(end)]
            begin = max(int(start), 0) + len(piece) - len(piece.lstrip())
            finish = begin + len(piece.strip()) - 1
            if finish < begin:
                continue
            first, last = (
                bisect.bisect_left(self._breaks, at) + 1 + self._first for at in (begin, finish)
            )
            if runs and first <= runs[-1][1] + 1:
                runs[-1] = runs[-1][0], max(last, runs[-1][1])
            else:
                runs.append((first, last))
        yield from runs


def _skeleton(course: Course, module: str) -> str:
    path = course.root / "assignments" / f"{module}.py"
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(
            tr("{path} cannot be read: {error}. tower release writes it.", path=path, error=error)
        ) from None
