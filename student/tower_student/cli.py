"""The commands of students: check, train, draw, submit, update, bench, doctor. They need no grader."""

import time
from collections.abc import Callable
from json import dumps
from pathlib import Path, PurePath
from typing import Annotated, Literal, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from tower_student import terminal
from tower_student.errors import UsageError
from tower_student.files import write_whole
from tower_student.language import plural, tr
from tower_student.terminal import DebugOption, VersionOption, demand_writable, did_you_mean

app = terminal.group(
    "Check what you have written, train it, time it, and pack it.", completion=True
)
FolderOption = Annotated[
    Path | None,
    typer.Option(
        "--in",
        help="The folder with your modules and tests/.",
        show_default="this one, the repository around it, or assignments/",
    ),
]


def main() -> NoReturn:
    """Entry point of the `tower` command in a student's repository."""
    terminal.run(app)


@app.callback()
def _root(version: VersionOption = False, debug: DebugOption = False) -> None:
    pass


@app.command()
def check(
    modules: Annotated[
        list[str] | None,
        typer.Argument(
            help="Modules to check, by name or file; all of them if none is named.",
            metavar="MODULE",
        ),
    ] = None,
    hint: Annotated[
        bool, typer.Option("--hint", help="Open one more hint for the first test that fails.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Run again after every save, until Ctrl-C.")
    ] = False,
    pdb: Annotated[
        bool, typer.Option("--pdb", help="Open the debugger where the first test fails.")
    ] = False,
    folder: FolderOption = None,
) -> None:
    """Run the public tests over what you have written, and show how far you are.

    It runs your code as it is, in this process. Exit codes: 0 all passed, 1 some failed, 2 wrong usage.
    """
    if pdb and (watch or hint):
        raise UsageError(tr("--pdb goes with neither --watch nor --hint."))
    root = _root_of(folder)
    from tower_student import hints, outcomes
    from tower_student.course import course_in, with_tests
    from tower_student.lean import make_lean, no_distributed_tensors
    from tower_student.show import first_broken, show

    make_lean()  # the optimizers would load torch's compiler, which takes as long as torch itself
    no_distributed_tensors()

    course = course_in(root)
    known = with_tests(root, course.modules)
    if not known:
        raise UsageError(
            tr(
                "There are no public tests in {folder}. Name the folder above them with --in.",
                folder=root / "tests",
            )
        )
    wanted = [
        PurePath(name).name.removesuffix(".py")
        for given in modules or ()
        for name in given.split(",")
        if name
    ]
    unknown = [module for module in wanted if module not in known]
    if unknown:
        said = tr(
            "There are no tests for {modules}. Choose from {known}.",
            modules=", ".join(unknown),
            known=", ".join(known),
        )
        raise UsageError(f"{said}{did_you_mean(unknown[0], known)}")
    chosen = [module for module in known if not wanted or module in wanted]
    if pdb:
        raise typer.Exit(1 if outcomes.debug(root, chosen) else 0)
    console = Console(highlight=False)

    def run_once(opening: bool = False) -> bool:
        found = outcomes.run_tests(root, chosen)
        broken = first_broken(found)
        if opening and broken and broken.hints:
            hints.open_next(root, broken)
        show(found, chosen, hints.opened(root), console, course)
        return not broken and not found.was_stopped

    passed = run_once(opening=hint)
    if watch:
        _watch(root, run_once, console)
    elif not passed:
        raise typer.Exit(1)


def _watch(root: Path, run_once: Callable[[], object], console: Console) -> None:
    from tower_student.watch import on_save

    def again(seen: float) -> None:
        console.clear()
        try:
            run_once()
        except UsageError as error:  # half of a file of tests was saved
            terminal.show_error(error, console)
        console.print(f"[dim]{time.strftime('%H:%M:%S')}, {time.perf_counter() - seen:.2f} s[/]")

    console.print(Text(tr("Waiting for a save; Ctrl-C ends it."), "dim"))
    try:
        on_save(root, again)
    except KeyboardInterrupt:
        console.print(Text(tr("Ended."), "dim"))


@app.command()
def train(
    folder: FolderOption = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the images.", show_default="the course's")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="A folder with all the data, downloaded elsewhere.")
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Download all the data, once, and train on them.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the weights of the last training.")
    ] = False,
    page: Annotated[
        Path | None, typer.Option(help="The page to write.", show_default="training.html there")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the first weights, and of the order.")] = 0,
) -> None:
    """Train your model by your own loop, show what it reads, and write a page about it.

    What you have not written yet is lent by the course. Ctrl-C ends the training, and keeps what was learnt.
    It runs your code as it is, without any isolation.
    """
    if data and whole:
        raise UsageError(tr("--data and --whole exclude each other."))
    root = _root_of(folder)
    page = page or root / "training.html"
    demand_writable(page)
    from tower_student import training
    from tower_student.training_show import Shown

    plan = training.plan_of(root)
    if whole:
        with terminal.progress() as progress:
            data = training.download(plan, root, progress)
    Shown(root, plan, Console(highlight=False)).train(
        data, epochs or plan.epochs, page, seed=seed, resume=resume
    )


@app.command()
def draw(
    folder: FolderOption = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the page's address, and open nothing.")
    ] = False,
) -> None:
    """Open a page on which you draw, and the model of `tower train` answers, layer by layer.

    The page is served to this computer alone, until Ctrl-C.
    """
    root = _root_of(folder)
    from tower_student import training
    from tower_student.drawing import serve

    serve(root, training.plan_of(root), Console(highlight=False), browser=not no_browser)


@app.command()
def submit(
    out: Annotated[
        Path | None, typer.Option(help="The zip to write.", show_default="submission.zip there")
    ] = None,
    folder: FolderOption = None,
) -> None:
    """Pack what the grader will read, name what is missing, and print the digest of the report.

    The same modules always make the same zip. Nothing is run.
    """
    root = _root_of(folder)
    from tower_student.course import course_in
    from tower_student.submit import pack

    modules = course_in(root).modules
    if not modules:
        raise UsageError(
            tr(
                "There are no public tests in {folder}, which tell what is to be handed in. Name the folder "
                "above them with --in.",
                folder=root / "tests",
            )
        )
    target = out or root / "submission.zip"
    demand_writable(target)
    packed = pack(root, modules)
    if not packed.submission.sources:
        reasons = " ".join(packed.submission.problems[module] for module in modules)
        raise UsageError(tr("Nothing was packed. {reasons}", reasons=reasons))
    write_whole(target, packed.content)
    console = Console(highlight=False)
    for module in modules:
        problem, remark = packed.submission.problems.get(module), packed.remarks.get(module)
        mark = "[red]✗[/]" if problem else "[yellow]![/]" if remark else "[green]✓[/]"
        console.print(
            f"{mark} {escape(problem or f'{module}.py')}{f', {remark}' if remark else ''}"
        )
    said = plural(
        "{path}: {packed} of {count} module, {bytes:,} bytes.",
        "{path}: {packed} of {count} modules, {bytes:,} bytes.",
        len(modules),
        path=target,
        packed=len(packed.submission.sources),
        bytes=len(packed.content),
    )
    digest = tr("digest {digest}", digest=packed.submission.digest)
    carried = tr("The report on this submission carries the same digest.")
    console.print(f"\n{escape(said)}\n{escape(digest)}\n{escape(carried)}")


@app.command()
def update(
    source: Annotated[
        Path, typer.Argument(help="A newer release: a folder, or a zip of one.", metavar="SOURCE")
    ],
    folder: Annotated[
        Path, typer.Option("--in", help="Your repository.", show_default="this folder")
    ] = Path(),
) -> None:
    """Bring corrected handouts and tests into your repository. What you have written stays as it is.

    Where you have changed a handout or a test yourself, the new version is put beside it as NAME.new.
    """
    from tower_student.update import BESIDE, plan

    _speak(folder)
    planned = plan(folder, source)
    planned.apply(folder)
    console = Console(highlight=False)
    if not (planned.written or planned.removed or planned.beside or planned.kept):
        console.print(tr("Nothing is new."))
    written, removed, yours = tr("written"), tr("removed"), tr("yours")
    width = max(map(len, (written, removed, yours)))
    for verb, names in ((written, planned.written), (removed, planned.removed)):
        for name in names:
            console.print(Text(f"{verb:{width}}  {name}"), soft_wrap=True)
    kept = [
        *(
            tr("{path}; the new version is {new}", path=name.removesuffix(BESIDE), new=name)
            for name in planned.beside
        ),
        *(tr("{path}; the course no longer has it", path=name) for name in planned.kept),
    ]
    for said in kept:
        console.print(Text.assemble((f"{yours:{width}}", "yellow"), "  ", said), soft_wrap=True)
    if planned.news:
        console.print(Text(f"\n{tr('What is new:')}", "bold"))
        for entry in planned.news:
            console.print(Text(f"- {entry}"))
    if any(name.startswith(("tools/", "requirements")) for name in planned.written):
        console.print(
            tr(
                "Then renew the command: {command}",
                command="python -m pip install -r requirements.txt",
            )
        )


@app.command()
def bench(
    folder: FolderOption = None,
    device: Annotated[
        Literal["cpu", "cuda", "auto"], typer.Option(help="auto: the GPU where there is one.")
    ] = "auto",
    json: Annotated[Path | None, typer.Option(help="Write the figures as JSON.")] = None,
) -> None:
    """Time your layers beside torch's own: what the stock layers buy. Works on every system.

    It runs your code as it is, without any isolation: time no code but your own.
    """
    if json is not None:
        demand_writable(json)
    root = _root_of(folder)
    from tower_student import bench as benchmark

    chosen = benchmark.choose(device)
    plan = benchmark.plan_of(root, chosen)
    loaded = benchmark.load(root, plan.modules)
    with terminal.progress() as progress:
        progress(tr("what the machine reaches"), 0.0)
        machine = benchmark.measure_machine(chosen)
        count = len(benchmark.WAYS) * len(plan.layers) + bool(plan.training)
        timings = []
        for timing in benchmark.compare(plan, loaded, machine):
            timings.append(timing)
            progress(timing.title, len(timings) / count)
    benchmark.show(machine, timings, Console(highlight=False))
    if json is not None:
        write_whole(json, dumps(benchmark.as_dict(machine, timings), indent=2) + "\n")


@app.command()
def doctor(folder: FolderOption = None) -> None:
    """Show what this computer and your repository lack for the course, and what to do.

    None of your code is run. Exit codes: 0 nothing is wrong, 1 something is.
    """
    root = _root_of(folder)
    from tower_student.doctor import examine, show

    findings = examine(root)
    show(findings, Console(highlight=False))
    if any(finding.state == "bad" for finding in findings):
        raise typer.Exit(1)


def _root_of(folder: Path | None) -> Path:
    """The folder of the modules: the one given, this one, the repository around it, or assignments/."""
    from tower_student.course import MANIFEST

    root = folder or Path()
    if folder is None and not any(root.glob("tests/test_*.py")):
        around = (Path(*[".."] * level) for level in range(1, len(Path.cwd().parts)))
        root = next(
            (place for place in around if (place / MANIFEST).is_file()), Path("assignments")
        )
    _speak(root)
    return root


def _speak(root: Path) -> None:
    from tower_student.course import speak

    speak(root)
