"""`tower grade`: one submission."""

import os
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from autograder.cli._grading import (
    demand_no_faults,
    demand_targets,
    formats,
    graded,
    print_report,
    write,
)
from autograder.cli._options import (
    CourseOption,
    DeviceOption,
    FitOption,
    OnlyOption,
    ReaderOption,
    RequireOption,
    SeedOption,
    chosen_fit,
    chosen_modules,
    demand_linux,
    named_path,
    the_course,
)
from autograder.errors import TowerError, UsageError
from autograder.export import github as github_export
from autograder.export import gradescope as gradescope_export
from autograder.gpu import choose
from autograder.isolation import WEAK, WEAKEST_ACCEPTED
from autograder.report import Report
from tower_student.files import append
from tower_student.language import tr
from tower_student.submission import read_submission
from tower_student.terminal import demand_choice, demand_writable
from tower_student.text import one_line

SUMMARY, OUTPUTS, WORKSPACE = "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "GITHUB_WORKSPACE"


def grade(
    path: Annotated[
        Path,
        typer.Argument(
            help="A directory or a .zip with the student's modules, or one of these, as .py or notebook.",
            parser=named_path,
            metavar="PATH",
        ),
    ],
    only: OnlyOption = None,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the report in the format of the file's suffix: .html, .json, or .xml for JUnit. "
            "May be repeated.",
        ),
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write the report as JSON.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write the report as JUnit XML.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report as one web page.")] = None,
    reader: ReaderOption = "student",
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
    device: DeviceOption = "cpu",
    fit: FitOption = None,
    seed: SeedOption = None,
    student: Annotated[
        str | None,
        typer.Option(
            help="Whose submission it is, for the report; the name of PATH by default.",
            metavar="NAME",
        ),
    ] = None,
    fail_under: Annotated[
        float,
        typer.Option(min=0, max=100, help="Exit with 1 if the score is below this percentage."),
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
) -> None:
    """Grade one submission and print the report.

    Exit codes: 0 graded, whatever the score; 1 below --fail-under; 2 wrong usage; 3 the grader failed.
    """
    demand_linux()
    if allow_weak and require != WEAKEST_ACCEPTED:
        raise UsageError(
            tr("--allow-weak-isolation and --require-isolation contradict each other.")
        )
    loaded = the_course(course)
    chosen = chosen_modules(only, loaded)
    mode = chosen_fit(fit, loaded)
    chosen_device = choose(device)
    submission = read_submission(path, loaded.wanted())
    if student:
        submission = replace(submission, name=one_line(student))
    renders = formats(reader)
    exports = [
        (json, renders[".json"]),
        (junit, renders[".xml"]),
        (html, renders[".html"]),
        (gradescope, gradescope_export.render),
    ]
    for file in output or ():
        demand_choice(file.suffix, renders, "--output")
        exports.append((file, renders[file.suffix]))
    demand_targets(exports)
    if github:
        _demand_github()
    report = graded(
        loaded,
        submission,
        WEAK if allow_weak else require,
        seed=seed,
        fit=mode,
        device=chosen_device,
        only=chosen,
    )
    try:
        write(report, exports)
    except TowerError:
        print_report(report)  # it is graded, whatever became of the files
        raise
    if github:
        _tell_github(report, path)
    else:
        print_report(report)
    demand_no_faults(report)
    if report.per_cent < fail_under:
        text = tr(
            "{reached:.1f} % is below --fail-under {least:g}.",
            reached=report.per_cent,
            least=fail_under,
        )
        typer.echo(text, err=True)
        raise typer.Exit(1)


def _demand_github() -> None:
    if not os.environ.get(SUMMARY):
        raise UsageError(
            tr(
                "--github is for a step of GitHub Actions: it writes to the file that {variable} names, and "
                "this variable is not set.",
                variable=SUMMARY,
            )
        )
    for name in (SUMMARY, OUTPUTS):
        if os.environ.get(name):
            demand_writable(Path(os.environ[name]))


def _tell_github(report: Report, path: Path) -> None:
    """Give the report to a step of GitHub Actions: its summary, outputs, log and annotations."""
    append(Path(os.environ[SUMMARY]), github_export.summary(report))
    if os.environ.get(OUTPUTS):
        append(Path(os.environ[OUTPUTS]), github_export.outputs(report))
    token = secrets.token_hex(16)  # until it is said again, the runner reads no command in the log
    print(f"::stop-commands::{token}", flush=True)
    try:
        print_report(report.visible())  # students may read the log
    finally:
        print(f"\n::{token}::", flush=True)
    inside = os.path.relpath(
        os.path.realpath(path), os.path.realpath(os.environ.get(WORKSPACE, ""))
    )
    elsewhere = inside.startswith("..") or path.is_file()
    print(github_export.annotations(report, "" if elsewhere or inside == "." else inside), end="")
