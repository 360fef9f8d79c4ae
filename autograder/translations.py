"""What there is to translate: every sentence, collected from where it stands, as gettext's catalogues.

A course has two catalogues for each language, LANGUAGE.po: one in assignments/tests/locale, which students
receive, with what their `tower` command and the public tests say; one in tests/hidden/locale with what the
grader and the hidden tests say. What the kit itself has a translation of need not stand in either.
"""

import ast
import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import jinja2.ext
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

import tower_student
from autograder import CATALOGUES
from autograder.course import Course
from autograder.errors import CourseError
from autograder.suite.collection import title_and_hint
from tower_student.exception_hints import read_readings
from tower_student.files import write_whole
from tower_student.language import FOLDER, OWN, read_catalogue, tr
from tower_student.outcomes import asks_and_hints

Found = Iterator[tuple[int, tuple[str, ...]]]
"""The lines and the sentences on them, each with its plural where it has one."""
CALLS = {"tr": (0,), "mark": (0,), "plural": (0, 1), "why": (1,), "Reading": (3,)}
"""The functions that take sentences, and the positions of these among the arguments."""
TABLES = {"table", "candidates_of", "distributions"}
"""The functions whose named arguments are tuples that begin with a sentence, see suite.candidates."""


def update(course: Course, language: str) -> dict[Path, int]:
    """Write a course's catalogues of a language, or bring them up to date: what is translated stays so.

    Returns their paths, and how many sentences of each are not translated.

    Raises UsageError where a catalogue cannot be read, CourseError where a source cannot.
    """
    public, hidden = course.public_tests, course.hidden_tests
    student, engine = Path(tower_student.__file__).parent, CATALOGUES.parent
    exceptions = [course.root / name for name in course.named if name.endswith(".toml")]
    written = {
        public: (OWN, [*student.glob("*.py"), *public.glob("*.py"), *exceptions]),
        hidden: (
            CATALOGUES,
            [*engine.rglob("*.py"), *engine.rglob("*.html.j2"), *hidden.rglob("*.py")],
        ),
    }
    found = {}
    for folder, (kit, sources) in written.items():
        path = folder / FOLDER / f"{language}.po"
        catalogue = read_catalogue(path) if path.is_file() else Catalog(language, fuzzy=False)
        known = read_catalogue(kit / path.name) if (kit / path.name).is_file() else Catalog()
        catalogue.update(_collected(course, sources, known), no_fuzzy_matching=True)
        text = io.BytesIO()
        write_po(text, catalogue, width=0, ignore_obsolete=False)
        write_whole(path, text.getvalue().decode())
        found[path] = sum(not message.string for message in catalogue if message.id)
    return found


def _collected(course: Course, sources: Iterable[Path], known: Catalog) -> Catalog:
    found = Catalog()
    for path in sorted(sources):
        own = path.is_relative_to(course.root)
        name = path.relative_to(course.root if own else path.parents[1]).as_posix()
        for line, message in _sentences(path, course):
            if not (there := known.get(message[0])) or not there.string:
                found.add(message if len(message) > 1 else message[0], locations=[(name, line)])
    return found


def _sentences(path: Path, course: Course) -> Found:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".toml":
            yield from ((1, (reading.cause,)) for reading in read_readings(text))
        elif path.suffix == ".j2":
            yield from in_template(text)
        else:
            yield from in_python(text)
            if path.parent == course.hidden_tests:
                yield from in_docstrings(text, title_and_hint)
            elif path.parent == course.public_tests:
                yield from in_docstrings(text, asks_and_hints)
    except (OSError, SyntaxError, ValueError, jinja2.TemplateError) as error:
        raise CourseError(tr("{path} cannot be read: {error}", path=path, error=error)) from None


def in_python(text: str) -> Found:
    """Yield the sentences of Python source: the literal arguments of CALLS, and in the rows of TABLES."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            given = [
                node.args[position] for position in CALLS.get(name, ()) if position < len(node.args)
            ]
            message = [
                a.value for a in given if isinstance(a, ast.Constant) and isinstance(a.value, str)
            ]
            if message and len(message) == len(CALLS[name]):
                yield node.lineno, tuple(message)
            for row in node.keywords if name in TABLES else ():
                match row.value:
                    case ast.Tuple([ast.Constant(str(sentence)), *_]):
                        yield row.lineno, (sentence,)


def in_docstrings(text: str, parts: Callable[[str], tuple[str, ...]]) -> Found:
    """Yield what the docstrings of test functions say, in their parts."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            sentences = parts(ast.get_docstring(node, clean=False) or "")
            yield from ((node.lineno, (sentence,)) for sentence in sentences if sentence)


def in_template(text: str) -> Found:
    """Yield the sentences of a page's template."""
    for line, _, message, _ in jinja2.ext.babel_extract(
        io.BytesIO(text.encode()),
        ("_", "gettext", "ngettext"),
        [],
        {"trimmed": "true", "silent": "false"},
    ):
        parts = (message,) if isinstance(message, str) else message or ()
        yield line, tuple(filter(None, parts))
