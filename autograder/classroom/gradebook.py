"""The gradebook: one SQLite file with every hand-in and every grading of it. Gradings are only ever added.

    hand_ins    who handed in what, in the order in which it was seen, and when it was handed in
    sources     the modules of each submission, by digest
    attempts    each grading: submission digest, suite digest, seed, versions, report
    runs        each run of `tower class`, whether it came to its end, and the reference's own report
    troubles    what could not be graded the last time, and why
    choices     options of `tower class` that hold until another run names others

Each change is one transaction: after a kill or a full disk there is the whole of it or nothing.
"""

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from autograder.errors import TowerError, UsageError
from autograder.export import json as as_json
from autograder.gpu import Device
from autograder.report import Report
from tower_student.language import mark, tr
from tower_student.submission import Submission

FILE = "gradebook.sqlite"
APPLICATION = 0x544F4931  # "TOI1", in SQLite's header
SCHEMA = 2
NOT_OPENED = mark("{path} could not be opened: {error}.")
NOT_READ = mark("{path} could not be read: {error}.")
NOT_WRITTEN = mark("{path} could not be written: {error}.")
AS_IT_WAS = mark(
    "What it held is as it was. Is the disk full? Mend that, and run the same command again to go on."
)
CHOICES = "CREATE TABLE choices (option TEXT PRIMARY KEY, value TEXT NOT NULL);"
TABLES = f"""
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, started_at TEXT NOT NULL, suite_digest TEXT NOT NULL, settings TEXT NOT NULL,
    seed INTEGER NOT NULL, ended_at TEXT, reference TEXT
);
CREATE TABLE troubles (
    student TEXT NOT NULL, sentence TEXT NOT NULL
);
{CHOICES}
CREATE TABLE sources (
    submission_digest TEXT PRIMARY KEY, modules TEXT NOT NULL
);
CREATE TABLE hand_ins (
    id INTEGER PRIMARY KEY, student TEXT NOT NULL, submission_digest TEXT NOT NULL REFERENCES sources,
    problems TEXT NOT NULL, seen_at TEXT NOT NULL, handed_in_at TEXT, late_days INTEGER
);
CREATE INDEX hand_ins_of_student ON hand_ins (student);
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY, student TEXT NOT NULL, submission_digest TEXT NOT NULL REFERENCES sources,
    problems TEXT NOT NULL, suite_digest TEXT NOT NULL, settings TEXT NOT NULL, seed INTEGER NOT NULL,
    versions TEXT NOT NULL, score REAL NOT NULL, max_score REAL NOT NULL, report TEXT NOT NULL,
    faults TEXT NOT NULL, graded_at TEXT NOT NULL
);
CREATE INDEX attempts_of_submission ON attempts (submission_digest, problems);
CREATE TRIGGER attempts_are_not_changed BEFORE UPDATE ON attempts
    BEGIN SELECT RAISE(ABORT, 'attempts are only ever added'); END;
CREATE TRIGGER attempts_are_not_removed BEFORE DELETE ON attempts
    BEGIN SELECT RAISE(ABORT, 'attempts are only ever added'); END;
"""


UPGRADES = (CHOICES,)
"""What makes of a gradebook of each earlier schema one of the next."""


@dataclass(frozen=True)
class Settings:
    """What a result depends on besides submission, suite and seed."""

    fit: str
    device: Device
    only: tuple[str, ...] = ()

    def __str__(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The settings of which str() has made the text."""
        return msgspec.json.decode(text, type=cls)


HandInKey = tuple[str, str, str]
"""What one student handed in: the student, the submission's digest, and what is said of its files."""
REMARKS = ""
"""Under which remarks stand among the problems of modules."""


@dataclass(frozen=True)
class Work:
    """A submission to be graded. Students whose submissions are equal share one."""

    digest: str
    problems: str
    students: tuple[str, ...]


@dataclass(frozen=True)
class Grading:
    """One row of attempts, without its report."""

    id: int
    student: str
    digest: str
    problems: str
    suite_digest: str
    seed: int
    score: float
    max_score: float
    faults: str
    graded_at: str
    settings: Settings

    @property
    def key(self) -> HandInKey:
        """Of what was graded."""
        return self.student, self.digest, self.problems

    @property
    def is_whole(self) -> bool:
        """Whether the grader itself failed in none of its checks."""
        return self.faults == "[]"


@dataclass(frozen=True)
class Run:
    """One run: its number, its seed, and whether the reference has been graded in it."""

    id: int
    seed: int
    has_reference: bool


@dataclass(frozen=True)
class HandInRow:
    """One row of hand_ins."""

    student: str
    digest: str
    problems: str
    handed_in_at: str | None
    late_days: int | None

    @property
    def key(self) -> HandInKey:
        """Of what was handed in."""
        return self.student, self.digest, self.problems

    @property
    def content(self) -> tuple[str, str]:
        """What is the same for whoever handed in the same, under whatever names of files."""
        problems = json.loads(self.problems)
        problems.pop(REMARKS, None)
        return self.digest, json.dumps(problems)


class Gradebook:
    """Opens or makes the gradebook in a folder. Raises UsageError where there is another file in its place.

    Every method raises TowerError where the file cannot be read or written, as on a full disk.
    """

    def __init__(self, folder: Path, *, make: bool) -> None:
        self.path = folder / FILE
        if not make and not self.path.is_file():
            raise UsageError(
                tr(
                    "There is no {file} in {folder}. Name the folder that tower class wrote to with --out.",
                    file=FILE,
                    folder=folder,
                )
            )
        with self._saying(NOT_OPENED):
            self._file = sqlite3.connect(self.path, isolation_level=None, timeout=30.0)
            self._file.row_factory = sqlite3.Row
            self._file.execute("PRAGMA foreign_keys = ON")
            self._file.execute("PRAGMA synchronous = FULL")
            application, version = self._number("application_id"), self._number("user_version")
            if (application, version) == (0, 0) and not self._rows("SELECT 1 FROM sqlite_master"):
                header = f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {SCHEMA};"
                self._file.executescript(f"BEGIN; {TABLES} {header} COMMIT;")
            elif application != APPLICATION or not 1 <= version <= SCHEMA:
                raise UsageError(
                    tr(
                        "{path} is no gradebook of this version of the kit. Name another folder.",
                        path=self.path,
                    )
                )
            else:
                self._upgrade(version)

    def _number(self, name: str) -> int:
        return int(self._file.execute(f"PRAGMA {name}").fetchone()[0])

    def _upgrade(self, version: int) -> None:
        """Make one of today's schema of it, whoever else may be doing so."""
        for number, change in enumerate(UPGRADES[version - 1 :], version + 1):
            with self._change():
                if self._number("user_version") < number:
                    self._file.execute(change)
                    self._file.execute(f"PRAGMA user_version = {number}")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _saying(self, failed: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            text = tr(failed, path=self.path, error=error)
            raise TowerError(f"{text} {tr(AS_IT_WAS)}") from None

    @contextmanager
    def _change(self) -> Iterator[None]:
        with self._saying(NOT_WRITTEN):
            self._file.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._file.execute("COMMIT")
            except BaseException:
                if self._file.in_transaction:
                    self._file.execute("ROLLBACK")
                raise

    def _rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        with self._saying(NOT_READ):
            return self._file.execute(query, values).fetchall()

    # Runs

    def begin(self, suite_digest: str, settings: Settings, seed: int | None) -> Run:
        """A run: the last one where it was broken off and asked for the same, or a new one.

        Without a `seed`, a new run draws one of its own, which nobody can know from earlier reports.
        """
        for last in self._rows("SELECT * FROM runs ORDER BY id DESC LIMIT 1"):
            same = (last["suite_digest"], last["settings"]) == (suite_digest, str(settings))
            if same and not last["ended_at"] and seed in (None, last["seed"]):
                return Run(last["id"], last["seed"], last["reference"] is not None)
        chosen = secrets.randbelow(1 << 31) if seed is None else seed
        with self._change():
            added = self._file.execute(
                "INSERT INTO runs (started_at, suite_digest, settings, seed) VALUES (?, ?, ?, ?)",
                (now(), suite_digest, str(settings), chosen),
            )
        assert added.lastrowid is not None
        return Run(added.lastrowid, chosen, has_reference=False)

    def end(self) -> None:
        """Note that there is nothing left to do."""
        with self._change():
            self._file.execute("UPDATE runs SET ended_at = ? WHERE ended_at IS NULL", (now(),))

    def last_settings(self) -> Settings | None:
        """Those of the last run, if there was one."""
        for row in self._rows("SELECT settings FROM runs ORDER BY id DESC LIMIT 1"):
            return Settings.parse(row["settings"])
        return None

    def choices(self) -> dict[str, str]:
        """What the last run has chosen, by option."""
        return dict(map(tuple, self._rows("SELECT option, value FROM choices")))

    def choose(self, choices: Mapping[str, str]) -> None:
        """Note what this run has chosen."""
        with self._change():
            self._file.executemany("INSERT OR REPLACE INTO choices VALUES (?, ?)", choices.items())

    def set_troubles(self, troubles: Mapping[str, str]) -> None:
        """What cannot be graded, and why, by student; replaces what was noted before."""
        with self._change():
            self._file.execute("DELETE FROM troubles")
            self._file.executemany("INSERT INTO troubles VALUES (?, ?)", list(troubles.items()))

    def add_trouble(self, student: str, sentence: str) -> None:
        """One more of them."""
        with self._change():
            self._file.execute("INSERT INTO troubles VALUES (?, ?)", (student, sentence))

    def troubles(self) -> dict[str, str]:
        """All of them."""
        rows = self._rows("SELECT student, sentence FROM troubles ORDER BY rowid")
        return {row["student"]: row["sentence"] for row in rows}

    # What was handed in

    def hand_in(self, submissions: Iterable[Submission]) -> None:
        """Note what each student has handed in, where it is not what the student handed in last."""
        with self._change():
            for submission in submissions:
                digest = submission.digest
                problems = _said_of(submission)
                modules = {name: text.decode() for name, text in sorted(submission.sources.items())}
                self._file.execute(
                    "INSERT OR IGNORE INTO sources VALUES (?, ?)", (digest, json.dumps(modules))
                )
                last = self._file.execute(
                    "SELECT submission_digest, problems FROM hand_ins WHERE student = ? "
                    "ORDER BY id DESC LIMIT 1",
                    (submission.name,),
                ).fetchone()
                if last is None or tuple(last) != (digest, problems):
                    self._file.execute(
                        "INSERT INTO hand_ins (student, submission_digest, problems, seen_at) "
                        "VALUES (?, ?, ?, ?)",
                        (submission.name, digest, problems, now()),
                    )

    def set_times(self, times: Mapping[str, tuple[str, int]]) -> None:
        """When the last hand-in of each student was handed in, and how many days late."""
        with self._change():
            for student, (handed_in_at, late_days) in times.items():
                self._file.execute(
                    "UPDATE hand_ins SET handed_in_at = ?, late_days = ? WHERE id = "
                    "(SELECT max(id) FROM hand_ins WHERE student = ?)",
                    (handed_in_at, late_days, student),
                )

    def hand_ins(self) -> list[HandInRow]:
        """All of them, in the order in which they were seen."""
        rows = self._rows(
            "SELECT student, submission_digest, problems, handed_in_at, late_days FROM hand_ins "
            "ORDER BY id"
        )
        return [HandInRow(*row) for row in rows]

    def submission(self, work: Work) -> Submission:
        """A submission as it was read, under the name of its first student."""
        ((modules,),) = self._rows(
            "SELECT modules FROM sources WHERE submission_digest = ?", work.digest
        )
        sources = {name: text.encode() for name, text in json.loads(modules).items()}
        problems = json.loads(work.problems)
        remarks = problems.pop(REMARKS, {})
        return Submission(work.students[0], sources, problems, remarks)

    def texts(self) -> dict[str, dict[str, str]]:
        """SHA-256 of each module's text, by the submission's digest and the module's name."""
        return {
            row["submission_digest"]: {
                name: hashlib.sha256(text.encode()).hexdigest()
                for name, text in json.loads(row["modules"]).items()
            }
            for row in self._rows("SELECT submission_digest, modules FROM sources")
        }

    # Gradings

    def add(self, work: Work, settings: Settings, report: Report) -> None:
        """Keep one grading, for each student who handed that in."""
        with self._change():
            for student in work.students:
                own = replace(report, submission=student)
                self._file.execute(
                    "INSERT INTO attempts (student, submission_digest, problems, suite_digest, settings, "
                    "seed, versions, score, max_score, report, faults, graded_at) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        *(student, work.digest, work.problems, report.suite_digest, str(settings)),
                        *(report.seed, json.dumps(dict(report.environment), sort_keys=True)),
                        *(report.score, report.max_score, as_json.render(own)),
                        *(json.dumps([fault for fault, _ in report.faults]), now()),
                    ),
                )

    def copy(self, grading: Grading, student: str) -> None:
        """Keep a grading of an equal submission for another student."""
        work = Work(grading.digest, grading.problems, (student,))
        self.add(work, grading.settings, self.report(grading.id))

    def gradings(self, settings: Settings) -> list[Grading]:
        """Every grading with these settings, in the order in which they were made."""
        rows = self._rows(
            "SELECT id, student, submission_digest AS digest, problems, suite_digest, seed, score, "
            "max_score, faults, graded_at FROM attempts WHERE settings = ? ORDER BY id",
            str(settings),
        )
        return [Grading(**dict(row), settings=settings) for row in rows]

    def report(self, grading: int) -> Report:
        """The report of a grading, by its number."""
        ((text,),) = self._rows("SELECT report FROM attempts WHERE id = ?", grading)
        return as_json.load(text)

    def reference(self) -> Report | None:
        """What the reference solutions reached in the last run that graded them."""
        rows = self._rows(
            "SELECT reference FROM runs WHERE reference IS NOT NULL ORDER BY id DESC LIMIT 1"
        )
        return as_json.load(rows[0][0]) if rows else None

    def set_reference(self, run: Run, report: Report) -> None:
        """Keep what the reference solutions reached in a run."""
        with self._change():
            self._file.execute(
                "UPDATE runs SET reference = ? WHERE id = ?", (as_json.render(report), run.id)
            )


def _said_of(submission: Submission) -> str:
    """What could not be read of a submission, and the remarks on what could, as text."""
    problems: dict[str, object] = dict(sorted(submission.problems.items()))
    if submission.remarks:
        problems[REMARKS] = dict(sorted(submission.remarks.items()))
    return json.dumps(problems)


def now() -> str:
    """This second, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")
