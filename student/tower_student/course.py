"""What a student's repository knows of its course: title, modules, and the files of its release."""

import contextlib
import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from tower_student import language
from tower_student.language import ENGLISH, NAME, tr

TRAINING = "training.py"
"""Of the public tests, the one that says what `tower train` trains."""
MANIFEST = PurePosixPath("tests/course.json")
"""Where `tower release` writes a Release into a student's repository."""


@dataclass(frozen=True)
class Release:
    """What `tower release` has written.

    Attributes:
        version: of the kit that wrote it.
        modules: by name, in the order of the course.
        files: the SHA-256 of each file, by path.
        language: of what students read.
    """

    version: str
    title: str
    modules: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    language: str = ENGLISH

    @staticmethod
    def of(
        version: str,
        title: str,
        modules: Iterable[str],
        files: Mapping[PurePosixPath, str | bytes],
        language: str = ENGLISH,
    ) -> "Release":
        """Describe files with this content."""
        digests = {
            str(path): digest(content.encode() if isinstance(content, str) else content)
            for path, content in sorted(files.items())
        }
        return Release(version, title, tuple(modules), digests, language)

    @staticmethod
    def parse(text: str | bytes) -> "Release":
        """Read what as_json has written. Raises ValueError."""
        content = json.loads(text)
        if not isinstance(content, dict):
            raise ValueError(tr("it is no table"))
        version, title = (content.get(key) for key in ("version", "title"))
        modules, files = content.get("modules"), content.get("files")
        if not isinstance(version, str) or not isinstance(title, str):
            raise ValueError(tr("version or title is missing"))
        if not isinstance(modules, list) or not all(isinstance(m, str) for m in modules):
            raise ValueError(tr("modules is no list of names"))
        if not isinstance(files, dict) or not all(isinstance(d, str) for d in files.values()):
            raise ValueError(tr("files is no table of digests"))
        return Release(version, title, tuple(modules), files, _language(content))

    def as_json(self) -> str:
        """The text of the file."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    @property
    def skeletons(self) -> set[str]:
        """The files that students write in."""
        return {f"{module}.py" for module in self.modules}


@dataclass(frozen=True)
class Course:
    """A course as a student sees it; the title is empty where it is not known."""

    title: str
    modules: tuple[str, ...]
    language: str = ENGLISH
    trains: bool = False
    """Whether `tower train` has something to train."""


def course_in(folder: Path) -> Course:
    """The course of a folder of modules.

    It is read from the release; in a checkout of a course from course.toml beside assignments/; elsewhere
    the public tests tell the modules.
    """
    return replace(_told(folder), trains=(folder / "tests" / TRAINING).is_file())


def _told(folder: Path) -> Course:
    with contextlib.suppress(OSError, ValueError):
        release = Release.parse((folder / MANIFEST).read_bytes())
        return Course(release.title, release.modules, release.language)
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        content = tomllib.loads(
            (folder.resolve().parent / "course.toml").read_text(encoding="utf-8")
        )
        return Course(str(content["title"]), tuple(content["modules"]), _language(content))
    tests = sorted((folder / "tests").glob("test_*.py"))
    return Course("", tuple(path.stem.removeprefix("test_") for path in tests))


def speak(folder: Path) -> None:
    """Say everything in the language of a folder's course, by its own catalogue as well.

    Raises UsageError where a catalogue cannot be read.
    """
    spoken = language.wanted(course_in(folder).language)
    language.speak(spoken, (folder / "tests" / language.FOLDER, language.OWN))


def _language(content: Mapping[str, Any]) -> str:
    named = content.get("language")
    return named if isinstance(named, str) and NAME.fullmatch(named) else ENGLISH


def with_tests(folder: Path, modules: Iterable[str]) -> list[str]:
    """Those of the modules that there are public tests for."""
    return [module for module in modules if (folder / "tests" / f"test_{module}.py").is_file()]


def numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version, to compare by; what follows a + names a build, as in 2.13.0+cpu."""
    return tuple(map(int, re.findall(r"\d+", version.partition("+")[0])))


def digest(content: bytes) -> str:
    """SHA-256 of a text, whose lines may end as on Windows: Git changes that in a working copy."""
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()
