"""The beginning of a course, and of a module: files that can be graded at once, to be changed from there.

A new module doubles its input. Solution, handout, public test, hidden check, stand-in and mutant agree about
that, so that an author changes one thing at a time and sees what the graders say.
"""

import keyword
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from autograder.course import FILE, load_course
from autograder.errors import UsageError
from tower_student.files import write_whole
from tower_student.language import tr
from tower_student.terminal import did_you_mean

_COURSE = {
    FILE: "course.toml.j2",
    "assignments/conftest.py": "conftest.py.j2",
    "assignments/handouts/README.md": "handouts.md.j2",
    "tests/hidden/conftest.py": "hidden_conftest.py.j2",
}
_MODULE = {
    "solutions/{name}.py": "solution.py.j2",
    "assignments/handouts/{name}.md": "handout.md.j2",
    "assignments/tests/test_{name}.py": "public_test.py.j2",
    "tests/hidden/test_{name}.py": "hidden_test.py.j2",
    "tests/hidden/stand_ins/{name}.py": "stand_in.py.j2",
    "tests/bank/mutants/{name}.py": "mutants.py.j2",
}
_TABLE = "module.toml.j2"


def new_course(folder: Path, title: str) -> list[Path]:
    """Write a course without modules; returns its files. Raises UsageError, TowerError."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            tr(
                "{folder} is there already. Name a folder that is empty or not there yet.",
                folder=folder,
            )
        )
    if not title.strip():
        raise UsageError(tr("--title is empty. Name the course as its pages are to be titled."))
    return _write({folder / path: _text(file, title=title) for path, file in _COURSE.items()})


def new_module(root: Path, name: str, points: int, needs: Sequence[str]) -> list[Path]:
    """Write a module's files, and its table at the end of course.toml; returns what was written.

    Raises UsageError where the name or a need will not do, or a file is there already; CourseError where
    course.toml is wrong; TowerError.
    """
    settings = root / FILE
    before = settings.read_text(encoding="utf-8")
    known = _modules_of(root, before)
    _demand_free(name, known)
    if unknown := [need for need in needs if need not in known]:
        nearest = did_you_mean(unknown[0], known)
        text = tr("--needs: the course has no module {unknown}.", unknown=", ".join(unknown))
        raise UsageError(f"{text}{nearest}")
    about = {"name": name, "points": points, "needs": list(needs)}
    files = {root / path.format(name=name): _text(file, **about) for path, file in _MODULE.items()}
    for path in files:
        if path.exists():
            raise UsageError(
                tr(
                    "{path} is there already, and nothing was written. Remove it, or choose another name.",
                    path=path,
                )
            )
    _write(files)
    try:
        write_whole(settings, f"{before.rstrip()}\n\n{_text(_TABLE, **about)}")
        load_course(root)
    except BaseException:
        write_whole(settings, before)
        for path in files:
            path.unlink()
        raise
    return [*files, settings]


def _modules_of(root: Path, settings: str) -> list[str]:
    """The modules of a course, which may have none yet."""
    if "[modules." not in settings:
        return []
    return list(load_course(root).modules)


def _demand_free(name: str, known: Sequence[str]) -> None:
    if not (name.isidentifier() and name == name.lower() and not name.startswith("_")):
        raise UsageError(
            tr(
                "{name!r} cannot be a module: expected small letters, digits and underscores, as in "
                "my_layer.",
                name=name,
            )
        )
    taken = (
        sys.stdlib_module_names
        | {"torch", "numpy", "pytest", "torchvision", "autograder"}
        | {"tower_student"}
    )
    if keyword.iskeyword(name) or name in taken:
        raise UsageError(
            tr(
                "{name} is a name of Python or of a library, which a student's file would hide. Choose "
                "another.",
                name=name,
            )
        )
    if name in known:
        raise UsageError(tr("The course has a module {name} already.", name=name))


def _write(files: Mapping[Path, str]) -> list[Path]:
    for path, text in files.items():
        write_whole(path, text)
    return list(files)


def _text(template: str, **values: Any) -> str:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__name__, ""),
        autoescape=False,  # noqa: S701 - what is written is Python, TOML and Markdown
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
    )
    return environment.get_template(template).render(**values)
