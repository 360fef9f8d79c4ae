"""The `tower` command. `--help` answers without importing torch, and only this file ends the process."""

import contextlib
import importlib.util
import os
import platform
import secrets
import sys
from collections.abc import Callable, Collection
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from autograder import __version__
from autograder.course import FILE as COURSE
from autograder.course import OFF, Course, course_root, load_course
from autograder.errors import GraderFault, UsageError
from autograder.gpu import Device, choose
from autograder.report import COUNTS, Counts
from autograder.sandbox.ladder import LEVELS, WEAK, WEAKEST_ACCEPTED
from tower_student import cli as desk
from tower_student import terminal
from tower_student.files import append, write_whole
from tower_student.submission import Submission, read_submission
from tower_student.terminal import DebugOption, demand_writable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePosixPath

    from autograder.report import Report

app = typer.Typer(
    help="Grades a course of PyTorch exercises. Student code returns values, never verdicts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

CourseOption = Annotated[
    Path | None,
    typer.Option(
        "--course",
        help="The checkout with course.toml; otherwise $TOWER_COURSE, or where the kit is installed from.",
    ),
]
gradescope_app = typer.Typer(
    help="Grade on Gradescope.", no_args_is_help=True, pretty_exceptions_enable=False
)
app.add_typer(gradescope_app, name="gradescope")
nbgrader_app = typer.Typer(
    help="Grade notebooks with nbgrader.", no_args_is_help=True, pretty_exceptions_enable=False
)
app.add_typer(nbgrader_app, name="nbgrader")
new_app = typer.Typer(
    help="Begin a course, or a module of one.", no_args_is_help=True, pretty_exceptions_enable=False
)
app.add_typer(new_app, name="new")
RequireOption = Annotated[
    str,
    typer.Option(
        "--require-isolation",
        metavar="LEVEL",
        help="Refuse to run student code below this level: A+, A, B or C. See tower doctor.",
    ),
]
FitOption = Annotated[
    str | None,
    typer.Option(
        help="How the long checks are run: off, or the name of a plan in course.toml.",
        metavar="PLAN",
        show_default="as course.toml says",
    ),
]
SeedOption = Annotated[
    int | None, typer.Option(min=0, help="Repeat a run exactly.", show_default="a new one")
]
PointsOption = Annotated[
    float | None,
    typer.Option(
        min=0,
        help="What the autograder is worth on Gradescope.",
        show_default="the points of course.toml",
    ),
]


def main() -> NoReturn:
    """Entry point of the `tower` command."""
    terminal.run(app)


def _show_version(value: bool) -> None:
    if value:
        print(f"tower {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Grades a course of PyTorch exercises. Student code returns values, never verdicts."""


def _named(text: str) -> Path:
    if not text:  # Path("") is the working directory, which nobody has named
        raise UsageError("PATH is empty. Name a directory or a .zip; the working directory is .")
    return Path(text)


@app.command()
def grade(
    path: Annotated[
        Path,
        typer.Argument(
            help="A directory or a .zip with the student's modules.", parser=_named, metavar="PATH"
        ),
    ],
    only: Annotated[
        str, typer.Option(help="Grade these modules alone, their names joined by commas.")
    ] = "",
    json: Annotated[Path | None, typer.Option(help="Write the report as JSON.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write the report as JUnit XML.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report as one web page.")] = None,
    gradescope: Annotated[
        Path | None, typer.Option(help="Write the report as Gradescope's results.json.")
    ] = None,
    github: Annotated[
        bool,
        typer.Option(
            "--github",
            help="In GitHub Actions: annotate the student's lines, write the step's summary and outputs.",
        ),
    ] = False,
    device: Annotated[
        str,
        typer.Option(
            help="Where the GPU's checks and the long ones run: cpu, cuda, or auto: a GPU where there is one."
        ),
    ] = "cpu",
    fit: FitOption = None,
    seed: SeedOption = None,
    fail_under: Annotated[
        float,
        typer.Option(min=0, max=100, help="Exit with 1 when the score is below so many per cent."),
    ] = 0.0,
    require: RequireOption = WEAKEST_ACCEPTED,
    allow_weak: Annotated[
        bool,
        typer.Option(
            "--allow-weak-isolation",
            help="Grade even where a submission could forge its result; every report then says so.",
        ),
    ] = False,
    course: CourseOption = None,
    debug: DebugOption = False,
) -> None:
    """Grade one submission and print the report.

    Exit codes: 0 graded, whatever the score; 1 below --fail-under; 2 wrong usage; 3 the grader failed.
    """
    _demand_linux()
    required = _chosen_level(require, allow_weak=allow_weak)
    loaded = load_course(course_root(course))
    chosen = _chosen_modules(only, loaded)
    mode = _chosen_fit(fit, loaded)
    place = choose(device)
    submission = read_submission(path, loaded.modules)
    if not any(module in submission.sources for module in chosen) and only:
        raise UsageError(
            f"None of the modules in --only could be read. {' '.join(submission.problems[m] for m in chosen)}"
        )
    for output in (json, junit, html, gradescope):
        if output is not None:
            demand_writable(output)
    if github:
        _demand_github()
    report = _graded(
        loaded,
        submission,
        required,
        seed=seed,
        fit=mode,
        device=place,
        only=chosen if only else (),
    )
    from autograder.export import gradescope as gradescope_export
    from autograder.export import html as html_export
    from autograder.export import json as json_export
    from autograder.export import junit as junit_export

    if github:
        _tell_github(report, path)
    else:
        _print_report(report)
    _write(
        report,
        *((json, json_export.render), (junit, junit_export.render), (html, html_export.render)),
        (gradescope, gradescope_export.render),
    )
    _demand_no_faults(report, debug=debug)
    if report.per_cent < fail_under:
        raise typer.Exit(1)


def _graded(
    course: Course,
    submission: Submission,
    required: str,
    *,
    seed: int | None,
    fit: str,
    device: Device = "cpu",
    only: Collection[str] = (),
) -> "Report":
    """Grade with a broker of its own, showing progress."""
    from autograder.broker import Broker
    from autograder.pool import warm

    with (
        Broker(
            course.policy,
            [course.root],
            require=required,
            gpu=device == "cuda",
            imports=course.imports,
        ) as broker,
        terminal.progress() as progress,
    ):
        warm(broker)
        from autograder import grading

        grading.prepare_process()
        return grading.grade(
            course,
            submission,
            broker,
            seed=secrets.randbelow(1 << 31) if seed is None else seed,
            fit=fit,
            device=device,
            only=only,
            progress=progress,
        )


def _print_report(report: "Report") -> None:
    from autograder.export import console

    with contextlib.suppress(SystemExit):  # rich's answer to a reader that goes away, as head does
        console.show(report, Console(highlight=False))


def _write(report: "Report", *exports: tuple[Path | None, Callable[["Report"], str]]) -> None:
    """Write the report in each format for which there is a path."""
    for path, render in exports:
        if path is not None:
            write_whole(path, render(report))


def _demand_no_faults(report: "Report", *, debug: bool) -> None:
    if report.faults:
        alike: dict[str, list[str]] = {}
        for fault, trace in report.faults:
            check, _, why = fault.partition(": ")
            alike.setdefault(f"{why}\n{trace}" if debug else why, []).append(check)
        told = [f"{', '.join(checks)}: {why}" for why, checks in alike.items()]
        advice = "" if debug else "\nRun again with --debug for the tracebacks."
        raise GraderFault("These checks could not be judged:\n" + "\n".join(told) + advice)


SUMMARY, OUTPUTS, WORKSPACE = "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "GITHUB_WORKSPACE"


def _demand_github() -> None:
    if not os.environ.get(SUMMARY):
        raise UsageError(
            f"--github is for a step of GitHub Actions: it writes to the file that {SUMMARY} names, and "
            "this variable is not set."
        )
    for name in (SUMMARY, OUTPUTS):
        if os.environ.get(name):
            demand_writable(Path(os.environ[name]))


def _tell_github(report: "Report", path: Path) -> None:
    """The report as a step of GitHub Actions gives it: in its log, its annotations, summary and outputs."""
    from autograder.export import github

    token = secrets.token_hex(16)  # until it is said again, the runner reads no command in the log
    print(f"::stop-commands::{token}", flush=True)
    try:
        _print_report(report)
    finally:
        print(f"\n::{token}::", flush=True)
    inside = os.path.relpath(
        os.path.realpath(path), os.path.realpath(os.environ.get(WORKSPACE, ""))
    )
    elsewhere = inside.startswith("..") or path.is_file()
    print(github.annotations(report, "" if elsewhere or inside == "." else inside), end="")
    append(Path(os.environ[SUMMARY]), github.summary(report))
    if os.environ.get(OUTPUTS):
        append(Path(os.environ[OUTPUTS]), github.outputs(report))


@app.command("class")
def grade_a_class(
    path: Annotated[
        Path,
        typer.Argument(
            help="A directory with a folder, a .zip or a set of modules for each student.",
            parser=_named,
            metavar="SUBMISSIONS",
        ),
    ],
    out: Annotated[
        Path, typer.Option(help="The folder of the gradebook and of all pages.", metavar="RESULTS")
    ],
    only: Annotated[
        str, typer.Option(help="Grade these modules alone, their names joined by commas.")
    ] = "",
    fit: FitOption = None,
    seed: SeedOption = None,
    device: Annotated[
        str,
        typer.Option(help="Where the GPU's checks and the long ones run: cpu, cuda or auto."),
    ] = "cpu",
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="Graders at a time.", show_default="one for each core"),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            help="Grade on the workers of this Dask scheduler, as in tcp://HOST:8786; needs the extra "
            "cluster.",
            metavar="ADDRESS",
        ),
    ] = None,
    regrade: Annotated[
        bool,
        typer.Option(
            "--regrade",
            help="Grade again what another suite has graded, and say whose points changed and why.",
        ),
    ] = False,
    counts: Annotated[
        str, typer.Option(help="Which attempt of a student counts: last or best.")
    ] = "last",
    times: Annotated[
        Path | None,
        typer.Option(help="A CSV file with the columns student and time; with --due, days late."),
    ] = None,
    due: Annotated[
        str | None, typer.Option(help="When it was due, as in 2026-11-27T23:59+01:00.")
    ] = None,
    require: RequireOption = WEAKEST_ACCEPTED,
    course: CourseOption = None,
    debug: DebugOption = False,
) -> None:
    """Grade a whole class, and go on where an earlier run stopped.

    What is graded is kept in RESULTS/gradebook.sqlite as it comes; a submission is graded once, and again
    when it changes. A Moodle, Canvas or GitHub Classroom export is known by its names. Writes
    RESULTS/index.html, a page for each student, and gradebook.csv and .md.

    Exit codes: 0 graded; 2 wrong usage; 3 something could not be judged; 130 stopped by Ctrl-C.
    """
    _demand_linux()
    required = _chosen_level(require, allow_weak=False)
    loaded = load_course(course_root(course))
    chosen = tuple(_chosen_modules(only, loaded)) if only else ()
    counted = _chosen_counts(counts)
    from autograder.classroom import cli as classroom
    from autograder.classroom.gradebook import Settings

    # On a cluster it is the workers that have a GPU or not.
    place: Device = "cuda" if cluster and device == "cuda" else choose(device)
    settings = Settings(_chosen_fit(fit, loaded), place, chosen)
    if cluster:
        _demand_installed(("distributed",), extra="cluster")
        from autograder.classroom.cluster import cluster_crew

        crew = cluster_crew(loaded, settings, required, cluster)
    else:
        cores = len(os.sched_getaffinity(0))
        crew = classroom.local_crew(loaded, settings, required, processes or cores)
    classroom.grade_class(
        loaded,
        path,
        out,
        settings,
        crew,
        seed=seed,
        regrade=regrade,
        counts=counted,
        times=times,
        due=due,
        console=Console(highlight=False),
    )


@app.command()
def similar(
    results: Annotated[
        Path, typer.Argument(help="The folder that tower class wrote to.", metavar="RESULTS")
    ],
    threshold: Annotated[
        float,
        typer.Option(min=0, max=100, help="Show pairs of which so many per cent are alike."),
    ] = 60.0,
    course: CourseOption = None,
    debug: DebugOption = False,
) -> None:
    """Compare the submissions of a class with each other, what the skeletons hold left out.

    Writes RESULTS/similar/index.html, and a page with both texts side by side for each pair that is alike. It
    is a place to look, never a verdict. Needs the extra similar.
    """
    loaded = load_course(course_root(course))
    _demand_installed(("copydetect",), extra="similar")
    from autograder.classroom.similar import compare_class

    with terminal.progress() as progress:
        compare_class(loaded, results, threshold / 100, progress, Console(highlight=False))


@app.command()
def show(
    path: Annotated[
        Path,
        typer.Argument(
            help="A report that tower grade --json wrote, or the name of a student of a class.",
            metavar="REPORT|NAME",
        ),
    ],
    results: Annotated[
        Path | None,
        typer.Option(
            "--in",
            help="The folder that tower class wrote to.",
            show_default="this folder, or results/ in it",
        ),
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Write it as JUnit XML.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write it as one web page.")] = None,
    markdown: Annotated[
        Path | None,
        typer.Option(help="Write what the student may see as Markdown, for a comment on GitHub."),
    ] = None,
    debug: DebugOption = False,
) -> None:
    """Show a report again, checked against its schema, or that of a student; write it in other formats."""
    for output in (junit, html, markdown):
        if output is not None:
            demand_writable(output)
    from autograder.export import github as github_export
    from autograder.export import html as html_export
    from autograder.export import json as json_export
    from autograder.export import junit as junit_export

    if results or not path.is_file():
        report = _of_student(str(path), results)
    else:
        try:
            report = json_export.parse(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or error
            raise UsageError(f"{path} is not a report that can be read: {reason}.") from None
    _print_report(report)
    _write(
        report,
        *((junit, junit_export.render), (html, html_export.render)),
        (markdown, github_export.comment),
    )


def _of_student(name: str, results: Path | None) -> "Report":
    """The report of a student of a class, shown with what else the gradebook knows."""
    from autograder.classroom import cli as classroom
    from autograder.classroom.gradebook import FILE, Gradebook

    folders = [results] if results else [Path(), Path("results")]
    found = next((folder for folder in folders if (folder / FILE).is_file()), None)
    if found is None:
        where = f"no {FILE} in {results}" if results else f"no file {name}, and no {FILE} here"
        raise UsageError(
            f"There is {where}. Name a report of tower grade --json, or a student, with --in RESULTS for the "
            "folder that tower class wrote to."
        )
    with Gradebook(found, make=False) as gradebook:
        return classroom.show_student(gradebook, name, Console(highlight=False))


@gradescope_app.command("build")
def build_for_gradescope(
    out: Annotated[Path, typer.Option(help="The zip to write.")] = Path("gradescope.zip"),
    fit: FitOption = None,
    points: PointsOption = None,
    require: RequireOption = WEAKEST_ACCEPTED,
    course: CourseOption = None,
    debug: DebugOption = False,
) -> None:
    """Write the zip to upload to Gradescope, under Configure Autograder."""
    loaded = load_course(course_root(course))
    mode, required = _chosen_fit(fit, loaded), _chosen_level(require, allow_weak=False)
    demand_writable(out)
    from autograder.gradescope import build

    options = [f"--fit={mode}", f"--require-isolation={required}"]
    options += [] if points is None else [f"--points={points:g}"]
    content = build(loaded, options)
    write_whole(out, content)
    Console(highlight=False).print(
        f"{escape(str(out))}: {len(content) / 2**20:.1f} MiB. Upload it under Configure Autograder, with "
        "Ubuntu as its base image and a container of at least 2 CPUs and 3 GB."
    )


@gradescope_app.command("run")
def run_on_gradescope(
    home: Annotated[Path, typer.Option(help="Where Gradescope puts everything.")] = Path(
        "/autograder"
    ),
    fit: FitOption = None,
    seed: SeedOption = None,
    points: PointsOption = None,
    require: RequireOption = WEAKEST_ACCEPTED,
    course: CourseOption = None,
    debug: DebugOption = False,
) -> None:
    """Grade submission/ and write results/results.json; run_autograder in the zip calls this.

    There is a result whatever happens. Exit codes are those of tower grade.
    """
    from autograder.export import gradescope as export

    results = home / "results" / "results.json"
    try:
        _demand_linux()
        required = _chosen_level(require, allow_weak=False)
        loaded = load_course(course_root(course))
        mode = _chosen_fit(fit, loaded)
        submission = read_submission(home / "submission", loaded.modules)
        report = _graded(loaded, submission, required, seed=seed, fit=mode)
    except UsageError as error:
        write_whole(results, export.refused(terminal.printable(str(error))))
        raise
    except Exception:
        write_whole(results, export.refused(export.FAILED))
        raise
    worth = loaded.points if points is None else points
    write_whole(results, export.render(report, worth))
    _print_report(report)
    _demand_no_faults(report, debug=debug)


for command in (desk.check, desk.bench, desk.submit, desk.update):
    app.command()(command)


@app.command()
def doctor(
    require: RequireOption = WEAKEST_ACCEPTED,
    course: CourseOption = None,
    debug: DebugOption = False,
) -> None:
    """Show what this machine gives to keep student code apart, the grader's self-test, and what to do.

    Exit codes: 0 this machine can grade; 1 it keeps student code less apart than --require-isolation; 3 the
    grader does not pass its self-test here.
    """
    _demand_linux()
    required = _chosen_level(require, allow_weak=False)
    loaded = load_course(course_root(course))
    from autograder.doctor import examine, show

    with Console(stderr=True).status("Starting a worker and trying to break out of it"):
        diagnosis = examine(loaded)
    show(diagnosis, Console(highlight=False))
    if not diagnosis.is_sound:
        raise typer.Exit(GraderFault.exit_code)
    if LEVELS.index(diagnosis.level) > LEVELS.index(required):
        raise typer.Exit(1)


@app.command()
def calibrate(
    fit: Annotated[
        str | None,
        typer.Option(help="Measure this plan alone.", show_default="all of them"),
    ] = None,
    seeds: Annotated[int, typer.Option(min=3, help="Fits of the reference.")] = 20,
    broken_seeds: Annotated[int, typer.Option(min=0, help="Fits of each broken submission.")] = 3,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Fits at a time.", show_default="one for each core")
    ] = None,
    course: CourseOption = None,
    debug: DebugOption = False,
) -> None:
    """Measure a long check: what the solutions reach over many seeds, and what broken submissions do.

    Writes calibration.json and calibration.svg beside course.toml, and says which thresholds follow.
    It may take hours. Needs the extra calibrate.
    """
    _demand_linux()
    loaded = load_course(course_root(course))
    measured = [mode for mode in loaded.fits if fit in (None, mode)]
    if not measured:
        raise UsageError(f"--fit does not know {fit}. Choose from {', '.join(loaded.fits)}.")
    _demand_installed(("matplotlib", "scipy"), extra="calibrate")
    from autograder import calibration

    path = loaded.root / calibration.FILE
    for output in (path, path.with_suffix(".svg")):
        demand_writable(output)
    console = Console(highlight=False)
    known = list(calibration.read(path))
    for mode in measured:
        with terminal.progress() as progress:
            found = calibration.measure(
                loaded,
                mode,
                seeds=seeds,
                broken_seeds=broken_seeds,
                processes=processes or os.cpu_count() or 1,
                progress=progress,
            )
        known.append(found)
        calibration.write(known, path)
        calibration.draw(list(calibration.read(path)), loaded, path.with_suffix(".svg"))
        calibration.show(found, loaded, console)
    console.print(
        f"{path.name} and {path.with_suffix('.svg').name} were written to {escape(str(path.parent))}."
    )


@app.command()
def release(
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write a whole student repository here: assignments, the tower command, a workflow.",
            show_default="the assignments alone, to assignments/ of the course",
        ),
    ] = None,
    course: CourseOption = None,
    debug: DebugOption = False,
) -> None:
    """Generate skeletons from solutions/, and fill in what handouts say of course.toml.

    Nothing is written unless everything can be generated, and over no module that someone has worked on.
    """
    from autograder.release import refreshed, student_repository, unreleased, write

    loaded = load_course(course_root(course))
    if out is None:
        target, files = loaded.root / "assignments", refreshed(loaded)
    elif out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; name a folder for the student repository.")
    else:
        target, files = out, student_repository(loaded)
        _demand_untouched(out, files)
    written = write(files, target)
    console = Console(highlight=False)
    console.print(f"{len(written)} files written to {escape(str(target))}.")
    for path in unreleased(loaded):
        console.print(f"{path} is for no module of course.toml; students do not get it.")


@nbgrader_app.command("build")
def build_for_nbgrader(
    out: Annotated[Path, typer.Argument(help="The folder of the course.", metavar="COURSE")],
    fit: FitOption = None,
    require: RequireOption = WEAKEST_ACCEPTED,
    course: CourseOption = None,
    debug: DebugOption = False,
) -> None:
    """Write a course for nbgrader: a notebook for each module, and the configuration that grades it here.

    In that folder nbgrader's own commands then hand out, grade and report. Needs the extra nbgrader.
    """
    loaded = load_course(course_root(course))
    mode, level = _chosen_fit(fit, loaded), _chosen_level(require, allow_weak=False)
    _demand_installed(("nbgrader", "jupytext"), extra="nbgrader")
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; name a folder for the course.")
    from autograder.nbgrader import build
    from autograder.release import write

    written = write(build(loaded, fit=mode, level=level), out)
    Console(highlight=False).print(
        f"{len(written)} files written to {escape(str(out))}. There, as in every course of nbgrader:\n"
        f"  nbgrader generate_assignment {loaded.slug}\n"
        f"  nbgrader autograde {loaded.slug}        what lies in submitted/STUDENT/{loaded.slug}/\n"
        f"  nbgrader generate_feedback {loaded.slug}\n"
        "  nbgrader export --to grades.csv",
        soft_wrap=True,
    )


@new_app.command("course")
def begin_course(
    folder: Annotated[Path, typer.Argument(help="An empty folder, or a new one.", metavar="DIR")],
    title: Annotated[str, typer.Option(help="As its pages are to be titled.")] = "A new course",
    debug: DebugOption = False,
) -> None:
    """Write the beginning of a course: course.toml and its folders."""
    from autograder.authoring import new_course

    _list_written(new_course(folder, title))
    Console(highlight=False).print(f"Next, in {escape(str(folder))}: tower new module NAME")


@new_app.command("module")
def begin_module(
    name: Annotated[str, typer.Argument(help="As its file is to be called, without .py.")],
    points: Annotated[int, typer.Option(min=1, help="What the module is worth.")] = 10,
    needs: Annotated[
        str, typer.Option(help="Modules it builds on, their names joined by commas.")
    ] = "",
    course: Annotated[
        Path | None,
        typer.Option("--course", help="The folder of the course.", show_default="this one"),
    ] = None,
    debug: DebugOption = False,
) -> None:
    """Write the beginning of a module, and its table in course.toml. It can be graded at once."""
    root = (course or Path()).resolve()
    if not (root / COURSE).is_file():
        raise UsageError(
            f"There is no {COURSE} in {root}. Go to the folder of your course, or name it with --course."
        )
    from autograder.authoring import new_module

    needed = [need.strip() for need in needs.split(",") if need.strip()]
    _list_written(new_module(root, name, points, needed))
    where = escape(str(root))
    Console(highlight=False).print(
        f"Next: tower grade {where}/solutions --course {where} --only {name}", soft_wrap=True
    )


def _list_written(paths: list[Path]) -> None:
    for path in paths:
        print(f"wrote {terminal.printable(str(path))}")


def _demand_installed(names: Collection[str], *, extra: str) -> None:
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            f"{' and '.join(missing)} must be installed for this: pip install 'tower-of-insight[{extra}]', "
            f"or '.[{extra}]' in a checkout."
        )


def _demand_untouched(folder: Path, files: "Mapping[PurePosixPath, str]") -> None:
    for path, text in files.items():
        if len(path.parts) == 1 and path.suffix == ".py":
            with contextlib.suppress(FileNotFoundError):
                if (folder / path).read_bytes() != text.encode():
                    raise UsageError(
                        f"{folder / path} is there already and is not the skeleton: someone has worked on "
                        "it. Name an empty folder."
                    )


@app.command()
def schema() -> None:
    """Print the JSON Schema of the report."""
    from autograder.export.json import schema as report_schema

    print(dumps(report_schema(), indent=2))


def _chosen_modules(only: str, course: Course) -> list[str]:
    names = [name.strip() for name in only.split(",") if name.strip()]
    unknown = [name for name in names if name not in course.modules]
    if unknown:
        raise UsageError(
            f"--only does not know {', '.join(unknown)}. Choose from {', '.join(course.modules)}."
        )
    return names or list(course.modules)


def _demand_linux() -> None:
    if not sys.platform.startswith("linux"):
        raise UsageError(
            "Grading keeps student code apart by means of the Linux kernel, and this is "
            f"{platform.system()}. Grade on Linux or in the kit's container. `tower check` and the public "
            "tests work here."
        )


def _chosen_level(require: str, *, allow_weak: bool) -> str:
    accepted = LEVELS[: LEVELS.index(WEAK)]
    if require not in accepted:
        raise UsageError(
            f"--require-isolation does not know {require}. Choose from {', '.join(accepted)}."
        )
    if allow_weak and require != WEAKEST_ACCEPTED:
        raise UsageError("--allow-weak-isolation and --require-isolation contradict each other.")
    return WEAK if allow_weak else require


def _chosen_counts(counts: str) -> Counts:
    for known in COUNTS:
        if known == counts:
            return known
    raise UsageError(f"--counts does not know {counts}. Choose from {', '.join(COUNTS)}.")


def _chosen_fit(fit: str | None, course: Course) -> str:
    if fit is None:
        return course.fit
    if fit not in (OFF, *course.fits):
        raise UsageError(
            f"--fit does not know {fit}. Choose from {', '.join((OFF, *course.fits))}."
        )
    return fit
