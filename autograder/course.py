"""course.toml as data, checked: modules, points, limits, plans of long checks, the course's own files."""

import ast
import contextlib
import difflib
import functools
import graphlib
import hashlib
import importlib.util
import os
import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

import tower_student
from autograder import CATALOGUES
from autograder.errors import CourseError
from autograder.report import Causes, Visibility
from autograder.sandbox.importer import defined
from autograder.sandbox.policy import Policy
from tower_student.exception_hints import Reading, read_readings
from tower_student.language import ENGLISH, FOLDER, NAME, OWN, tr, wanted
from tower_student.language import speak as say_in
from tower_student.submission import Wanted

FILE = "course.toml"
OFF = "off"
"""The plan under which long checks are left out."""
GPU_CHECKS = "gpu_"
"""How the names of checks begin that need a GPU."""
_JUDGING_CODE = {
    Path(__file__).parent: (
        *("suite/**/*.py", "sandbox/**/*.py", "broker.py", "course.py", "grading.py"),
        *("isolation.py", "processclock.py", "report.py", "selftest.py"),
    ),
    Path(tower_student.__file__).parent: (
        *("submission.py", "filenames.py", "holders.py", "sources.py", "definitions.py"),
        *("notebooks.py", "text.py"),
        *("embedding.py", "lean.py"),
    ),
}
"""The part of the kit that can change a score, by package: no commands, no exports."""

Name = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Number = int | float


class Plan(dict[str, Number]):
    """How to run a long check: numbers by name. Asking for one that is missing is a CourseError."""

    where = ""
    """File and table, for the sentence."""

    def __missing__(self, name: str) -> Number:
        raise CourseError(
            tr("{where}: missing key {key}, which the check asks for", where=self.where, key=name)
        )


@dataclass(frozen=True)
class Module:
    """One file a student hands in.

    Attributes:
        points: what the module is worth.
        weights: the checks, in the order they are reported, and their shares of the points.
        visibility: when students see each of the checks.
        needs: modules it builds on.
        stand_in: the text of a module that may take its place; b"" where there is none.
        long: the checks that run as a plan says, or not at all.
        partial: the checks whose points are earned by groups of their cases.
        seconds: the time that single checks may take, where it is not limits.check_seconds.
        bonus: whether its points come on top of the total.
    """

    name: str
    points: int
    weights: Mapping[str, int]
    visibility: Mapping[str, Visibility]
    needs: tuple[str, ...] = ()
    stand_in: bytes = b""
    long: tuple[str, ...] = ()
    partial: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    bonus: bool = False

    def shares(self, left_out: Collection[str] = ()) -> dict[str, float]:
        """Points for each check; those left out have none, and theirs go to the others."""
        total = sum(weight for check, weight in self.weights.items() if check not in left_out)
        return {
            check: 0.0 if check in left_out else float(Fraction(self.points * weight, total))
            for check, weight in self.weights.items()
        }


@dataclass(frozen=True)
class Course:
    """The whole of course.toml, and where it lies.

    Attributes:
        modules: by name, in the order of the course: none before one that it needs.
        fit: the plan of a run that names none; OFF where the course has no long check.
        fits: the plans, by name.
        policy: the limits of a worker.
        files: what hidden tests use in a worker beside torch: texts of modules, by name.
        imports: what a submission may import beside torch, numpy and the standard library.
        exceptions: the readings of exceptions that only this course knows, see exception_hints.py.
        named: the files that course.toml names, below `root`.
        data: patterns of the files that hidden tests read besides.
        language: of what people read.
        causes: to which students likely causes are told.
    """

    root: Path
    title: str
    modules: Mapping[str, Module]
    policy: Policy
    fit: str = OFF
    fits: Mapping[str, Plan] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    imports: tuple[str, ...] = ()
    exceptions: tuple[Reading, ...] = ()
    named: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    language: str = ENGLISH
    causes: Causes = "all"

    @property
    def hidden_tests(self) -> Path:
        """The folder of the hidden suite."""
        return self.root / "tests" / "hidden"

    @property
    def public_tests(self) -> Path:
        """Where the tests that students receive lie."""
        return self.root / "assignments" / "tests"

    @property
    def slug(self) -> str:
        """The title as a name of files: small letters, digits and underscores."""
        return re.sub(r"\W+", "_", self.title.lower(), flags=re.ASCII).strip("_") or "course"

    @property
    def points(self) -> int:
        """What the whole course is worth, without bonus points."""
        return sum(module.points for module in self.modules.values() if not module.bonus)

    def wanted(self) -> list[Wanted]:
        """The modules, with what the reader of submissions knows them by."""
        return [self._wanted(module) for module in self.modules.values()]

    def _wanted(self, module: Module) -> Wanted:
        skeleton = ""
        with contextlib.suppress(OSError):  # they are not everywhere where a course is graded
            skeleton = self.skeleton(module.name).read_text(encoding="utf-8")
        told = skeleton or module.stand_in.decode()
        names = re.findall(r"^(?:class|(?:async )?def) ([A-Za-z]\w*)", told, re.MULTILINE)
        return Wanted(module.name, frozenset(names), skeleton)

    def skeleton(self, module: str) -> Path:
        """What students start a module from."""
        return self.root / "assignments" / f"{module}.py"

    def judging_files(self) -> list[Path]:
        """What decides a score, apart from the kit and the data."""
        named = [self.root / name for name in (FILE, *self.named)]
        skeletons = [file for file in map(self.skeleton, self.modules) if file.is_file()]
        return sorted({*named, *skeletons, *self.hidden_tests.rglob("*.py")})

    def data_files(self) -> list[Path]:
        """The data that hidden tests read."""
        return sorted({file for pattern in self.data for file in self.root.glob(pattern)})

    def is_long(self, check: str) -> bool:
        """Whether a check, by its full id, runs as a plan says."""
        module, _, name = check.partition(".")
        return name in self.modules[module].long

    def is_partial(self, check: str) -> bool:
        """Whether the points of a check, by its full id, are earned by groups of its cases."""
        module, _, name = check.partition(".")
        return name in self.modules[module].partial

    def seconds(self, check: str) -> float:
        """How long a check, by its full id, may take."""
        module, _, name = check.partition(".")
        usual = self.policy.fit_seconds if self.is_long(check) else self.policy.check_seconds
        return self.modules[module].seconds.get(name, usual)


class _ModuleTable(Struct, forbid_unknown_fields=True):
    """A file that students hand in, NAME.py, with its checks, in tests/hidden/test_NAME.py.

    Modules are graded in the order of their tables. The dictionaries are checked key by key.

    Attributes:
        points: what the module is worth, a whole number.
        weights: the checks in the order of the report, CHECK = WHOLE NUMBER: their shares of the points.
        needs: modules it builds on, whose tables come before; each has a stand_in.
        visibility: CHECK = "hidden" and so on, where it is not the course's.
        stand_in: a file that defines the same names, over which modules that need this one are judged
            again where a student's own fails.
        long: checks that run as a plan of [fits] says, and have limits.fit_seconds.
        partial: checks whose points are earned in equal shares by the groups of cases that their hidden tests
            name; those of all others are earned as a whole.
        seconds: CHECK = NUMBER, where it is not limits.check_seconds.
        bonus: whether the points come on top of the total.
    """

    points: Annotated[int, Meta(gt=0)]
    weights: Annotated[dict[str, Any], Meta(min_length=1)]
    needs: tuple[str, ...] = ()
    visibility: dict[str, Any] = {}
    stand_in: str = ""
    long: tuple[str, ...] = ()
    partial: tuple[str, ...] = ()
    seconds: dict[str, Any] = {}
    bonus: bool = False


class _WorkerTable(Struct, forbid_unknown_fields=True):
    """What workers hold beside Python, torch and numpy.

    Attributes:
        files: modules that hidden tests use there, see Student.library.
        imports: what a submission may import beside torch, numpy and the standard library.
    """

    files: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()


class _CourseTable(Struct, forbid_unknown_fields=True):
    """What stands in course.toml. Paths are relative to its folder.

    Attributes:
        title: of the course.
        modules: the tables [modules.NAME].
        fit: the plan of long checks where --fit names none: the first of [fits] by default; "off" for none.
        visibility: when students see a check: visible, after_due_date, after_published or hidden.
        fits: the tables [fits.NAME], plans of long checks: numbers whose names the check knows.
        limits: the table [limits].
        worker: the table [worker].
        exceptions: a file of [[reading]], what an exception most likely means in this course.
        data: patterns of the files that hidden tests read.
        language: of what people read, such as "ru", where there are catalogues of it; $TOWER_LANGUAGE wins.
        causes: "half" tells likely causes to a half of the students alone, and tower class measures what
            they help, see docs/class.md; "all" by default.
    """

    title: Annotated[str, Meta(min_length=1)]
    modules: Annotated[dict[str, Any], Meta(min_length=1)]
    fit: str = ""
    visibility: Visibility = "visible"
    fits: dict[str, Any] = {}
    limits: dict[str, Any] = {}
    worker: dict[str, Any] = {}
    exceptions: str = ""
    data: tuple[str, ...] = ()
    language: Annotated[str, Meta(pattern=f"^{NAME.pattern}$")] = ENGLISH
    causes: Causes = "all"


_LimitsTable = msgspec.defstruct(
    "_LimitsTable",
    [(f.name, Annotated[type(f.default), Meta(gt=0)], f.default) for f in fields(Policy)],
    forbid_unknown_fields=True,
)


def course_root(given: Path | None = None) -> Path:
    """The folder with course.toml: the one given, $TOWER_COURSE, or the checkout of this package.

    The working directory is not searched: it may be a submission. Raises CourseError.
    """
    named = given or (Path(os.environ["TOWER_COURSE"]) if os.environ.get("TOWER_COURSE") else None)
    root = (named or Path(__file__).parent.parent).resolve()
    if not (root / FILE).is_file():
        raise CourseError(
            tr(
                "There is no course.toml in {root}. Install the kit from its checkout (pip install -e .), or "
                "name the checkout with --course or TOWER_COURSE.",
                root=root,
            )
        )
    return root


def load_course(root: Path) -> Course:
    """Read and check course.toml and the files that it names.

    Raises CourseError with file, table and key of what is wrong, and what is expected there.
    """
    path = root / FILE
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CourseError(tr("{path} cannot be read: {error}", path=path, error=error)) from None
    try:
        return _course(root, content)
    except ValueError as error:
        raise CourseError(f"{path}: {error}") from None


def speak(course: Course) -> None:
    """Let this process say everything in the course's language. Raises UsageError."""
    theirs = (course.hidden_tests / FOLDER, course.public_tests / FOLDER)
    say_in(course.language, (*theirs, CATALOGUES, OWN))


def suite_digest(course: Course) -> str:
    """SHA-256 over all that can change a score: the code that judges, the hidden tests with what course.toml
    names, course.toml itself, and the data.
    """
    code = [
        file
        for package, patterns in _JUDGING_CODE.items()
        for pattern in patterns
        for file in sorted(package.glob(pattern))
    ]
    digest = hashlib.sha256()
    for file in (*course.judging_files(), *course.data_files(), *code):
        about = file.stat()
        digest.update(f"{file.name} {about.st_size}\n".encode())
        digest.update(_file_digest(file, about.st_size, about.st_mtime_ns))
    return digest.hexdigest()


@functools.lru_cache(maxsize=1024)
def _file_digest(file: Path, size: int, changed: int) -> bytes:
    """Each file is read once, until it changes: data are large, and a process may grade a whole class."""
    return hashlib.sha256(file.read_bytes()).digest()


def _course(root: Path, content: dict[str, Any]) -> Course:
    table = _converted(content, _CourseTable, "")
    fits: dict[str, Plan] = {}
    for name, plan in table.fits.items():
        fits[_named(name, f"fits.{name}")] = Plan(_each(plan, Number, f"fits.{name}"))
        fits[name].where = f"{root / FILE}: fits.{name}"
    if OFF in fits:
        raise ValueError(
            tr(
                "fits.{off}: {off!r} is what switches long checks off; name the plan otherwise",
                off=OFF,
            )
        )
    modules = {
        name: _module(root, _named(name, f"modules.{name}"), entry, table.visibility)
        for name, entry in table.modules.items()
    }
    _demand_order(modules)
    if all(module.bonus for module in modules.values()):
        raise ValueError(
            tr("modules: every module is bonus; expected one that counts towards the total")
        )
    is_long = any(module.long for module in modules.values())
    if is_long and not fits:
        raise ValueError(
            tr("missing table [fits.NAME]: a module names checks as long, and no plan for them")
        )
    fit = table.fit or next(iter(fits), OFF)
    if fit not in (OFF, *fits):
        plans = _listed((OFF, *fits))
        raise ValueError(tr("fit: {plan!r} is no plan; expected {plans}", plan=fit, plans=plans))
    stand_ins = [str(entry.get("stand_in", "")) for entry in table.modules.values()]
    worker = _converted(table.worker, _WorkerTable, "worker")
    for name in worker.imports:
        if importlib.util.find_spec(name.partition(".")[0]) is None:
            raise ValueError(tr("worker.imports: {name!r} is not installed here", name=name))
    limits = _converted(table.limits, _LimitsTable, "limits")
    return Course(
        root,
        table.title,
        modules,
        Policy(**msgspec.structs.asdict(limits)),
        fit,
        fits,
        {Path(name).stem: _file(root, name, "worker.files") for name in worker.files},
        worker.imports,
        _readings(root, table.exceptions) if table.exceptions else (),
        tuple(filter(None, (*stand_ins, *worker.files, table.exceptions))),
        table.data,
        wanted(table.language),
        table.causes,
    )


def _module(root: Path, name: str, content: object, default: Visibility) -> Module:
    where = f"modules.{name}"
    table = _converted(content, _ModuleTable, where)
    weights = _each(table.weights, Annotated[int, Meta(gt=0)], f"{where}.weights")
    visibility = _each(table.visibility, Visibility, f"{where}.visibility")
    seconds = _each(table.seconds, Annotated[float, Meta(gt=0)], f"{where}.seconds")
    for key, checks in {
        "visibility": visibility,
        "seconds": seconds,
        "long": table.long,
        "partial": table.partial,
    }.items():
        for check in checks:
            if check not in weights:
                text = tr("{check!r} is no check of the module", check=check)
                raise ValueError(f"{where}.{key}: {text}{_near(check, weights)}")
    return Module(
        name,
        table.points,
        weights,
        {check: visibility.get(check, default) for check in weights},
        table.needs,
        _stand_in(root, name, table.stand_in) if table.stand_in else b"",
        table.long,
        table.partial,
        seconds,
        table.bonus,
    )


def _demand_order(modules: Mapping[str, Module]) -> None:
    """Every need is a module that comes before, and can be replaced."""
    needed = [(name, need) for name, module in modules.items() for need in module.needs]
    for name, need in needed:
        if need not in modules:
            text = tr("{module!r} is no module", module=need)
            raise ValueError(f"modules.{name}.needs: {text}{_near(need, modules)}")
    try:
        graphlib.TopologicalSorter({name: m.needs for name, m in modules.items()}).prepare()
    except graphlib.CycleError as error:
        circle = tr(" needs ").join(error.args[1][::-1])
        raise ValueError(
            tr("modules: {circle}; a circle cannot be graded", circle=circle)
        ) from None
    order = list(modules)
    for name, need in needed:
        if order.index(need) > order.index(name):
            raise ValueError(
                tr(
                    "modules.{module}: it needs {need}, whose table has to stand before its own",
                    module=name,
                    need=need,
                )
            )
        if not modules[need].stand_in:
            raise ValueError(
                tr(
                    "modules.{need}: missing key stand_in: {module} needs {need}, and is graded over the "
                    "module that this file holds where a student's own fails",
                    module=name,
                    need=need,
                )
            )


def _stand_in(root: Path, module: str, name: str) -> bytes:
    """The text that stands in for a module: it has what the solution has, and SCALE."""
    where = f"modules.{module}.stand_in"
    text = _file(root, name, where)
    needed = {"SCALE"}
    solution = root / "solutions" / f"{module}.py"
    with contextlib.suppress(
        OSError, SyntaxError
    ):  # they are not everywhere where a course is graded
        needed |= {
            node.name
            for node in ast.parse(solution.read_bytes()).body
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        }
    try:
        lacking = needed - defined(ast.parse(text))
    except SyntaxError as error:
        location = tr("{path}, line {line}", path=root / name, line=error.lineno)
        raise ValueError(f"{where}: {location}: {error.msg}") from None
    if lacking:
        raise ValueError(
            tr(
                "{where}: {path} defines no {names}; expected all that solutions/{module}.py defines, and "
                "SCALE, by which the grader multiplies what it returns",
                where=where,
                path=root / name,
                names=_listed(sorted(lacking)),
                module=module,
            )
        )
    return text


def _readings(root: Path, name: str) -> tuple[Reading, ...]:
    """The course's own readings of exceptions."""
    try:
        return read_readings(_file(root, name, "exceptions").decode())
    except ValueError as error:
        raise ValueError(f"exceptions: {root / name}: {error}") from None


def _file(root: Path, name: str, where: str) -> bytes:
    """The text of one of the course's own files."""
    try:
        return (root / name).read_bytes()
    except OSError as error:
        text = tr("{path} cannot be read: {reason}", path=root / name, reason=error.strerror)
        raise ValueError(f"{where}: {text}") from None


def _named(name: str, where: str) -> str:
    named: str = _converted(name, Name, where)
    return named


def _each(content: object, target: Any, where: str) -> dict[str, Any]:
    table = _converted(content, dict[str, Any], where)
    return {key: _converted(value, target, f"{where}.{key}") for key, value in table.items()}


def _converted(content: object, target: Any, where: str) -> Any:
    """A value of the file as what it has to be. Raises ValueError with the table and the key."""
    try:
        return msgspec.convert(content, target)
    except msgspec.ValidationError as error:
        found, _, path = str(error).partition(" - at `$")
        location = f"{where}{path.rstrip('`').replace('[...]', '')}".lstrip(".")
    if (key := found.partition("`")[2].rstrip("`")) and "unknown field" in found:
        found = tr("unknown key {key!r}", key=key) + _near(key, target.__struct_fields__)
    elif "required field" in found:
        found = tr("missing key {key}", key=key)
        if (target, key) == (_CourseTable, "modules"):
            found = tr("missing key {key}: `tower new module NAME` writes one", key=key)
    raise ValueError(f"{location}: {_lower(found)}" if location else _lower(found)) from None


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _near(name: str, known: Iterable[str]) -> str:
    """What may have been meant, as the end of a sentence; else what there is."""
    known = list(known)
    if near := difflib.get_close_matches(name, known, 1):
        return tr("; did you mean {name!r}?", name=near[0])
    return tr("; there are {names}", names=_listed(known))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
