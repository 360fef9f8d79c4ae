"""One submission → Report."""

import contextlib
import gc
import platform
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from autograder import __version__
from autograder.broker import Broker
from autograder.course import FILE, OFF, Course, Module, suite_digest
from autograder.errors import CourseError
from autograder.gpu import Device
from autograder.report import CheckResult, Isolation, ModuleResult, Report, Status
from autograder.sandbox.kernel import hide_memory
from autograder.suite.collection import hidden_tests, titled, titles_of
from autograder.suite.judge import Judge, Progress, Verdict, needs_gpu
from tower_student.language import tr
from tower_student.lean import make_lean
from tower_student.submission import Submission


def prepare_process() -> None:
    """Make this process one that grades: no other of its user may trace it, and it computes on one thread.

    Callers of `grade` call this first. It lasts as long as the process.
    """
    hide_memory()
    make_lean()
    gc.set_threshold(10_000)  # few of the objects that a case makes are parts of a cycle
    torch.set_num_threads(1)  # small reference computations; idle OpenMP threads would only spin


def grade(
    course: Course,
    submission: Submission,
    broker: Broker,
    *,
    seed: int,
    fit: str,
    device: Device = "cpu",
    only: Collection[str] = (),
    checks: Collection[str] = (),
    lanes: int = 1,
    progress: Progress = lambda what, fraction: None,
) -> Report:
    """Run the hidden suite over one submission, in this process and the broker's workers.

    The process is one that `prepare_process` has prepared.

    Args:
        seed: decides every random draw; the same seed repeats a run exactly.
        device: what the checks of the GPU and the fit are run on; "cuda" wants a broker that may use it.
        only: grade these modules alone; all of them where empty.
        checks: run these alone, by their full ids; those left out are not verified.
        lanes: how many modules to judge at the same time, where there are cores to spare.
        progress: called with the check at hand and the fraction of the run that is behind.

    Raises:
        CourseError: the suite and course.toml do not name the same checks.
        IsolationError: this machine keeps student code less apart than the broker demands.
        GraderFault: no worker could be had, or pytest itself failed.
    """
    started = time.monotonic()
    only = only or {check.partition(".")[0] for check in checks}
    modules = [module for name, module in course.modules.items() if not only or name in only]
    left_out = {m.name: _left_out(m, fit, device, checks) for m in modules}
    submitted = [module for module in modules if module.name in submission.sources]
    digest = suite_digest(course)
    judge = Judge(course, submission, broker, seed=seed, fit=fit, device=device, progress=progress)
    with (
        hidden_tests(course, digest, [module.name for module in submitted]) as cases,
        contextlib.closing(judge.workers),
    ):
        titles = {case.check: case.title for case in cases}
        off = {f"{module}.{check}" for module, reasons in left_out.items() for check in reasons}
        cases = [case for case in cases if case.check not in off]
        for module in submitted:
            _demand_same_checks(course, module, {case.check for case in cases}, off)
        judge.run(cases, lanes)
    for module in modules:
        if module not in submitted:
            titles |= titles_of(course, module.name)
    results = [_module_result(m, submission, judge, left_out[m.name], titles) for m in modules]
    return Report(
        course=course.title,
        submission=submission.name,
        submission_digest=submission.digest,
        suite_digest=digest,
        seed=seed,
        device=device,
        isolation=_isolation(judge),
        seconds=round(time.monotonic() - started, 3),
        environment=_environment(fit, broker.gpu),
        modules=_linked(results, judge),
        faults=tuple((v.fault, v.fault_trace) for v in judge.verdicts.values() if v.fault),
        figures=tuple(
            figure for m in modules for (name, _), figure in judge.figures.items() if name == m.name
        ),
        language=course.language,
        causes=course.causes,
    )


def _isolation(judge: Judge) -> Isolation:
    found = judge.workers.isolation
    if found is None:
        return Isolation("none", tr("no student code was run"))
    return Isolation(found.level, found.detail)


def _demand_same_checks(
    course: Course, module: Module, checks: Collection[str], left_out: Collection[str]
) -> None:
    """Raise CourseError unless course.toml gives weights to the checks of the hidden tests, and no others."""
    prefix = f"{module.name}."
    listed = {check for check in module.weights if prefix + check not in left_out}
    present = {check.removeprefix(prefix) for check in checks if check.startswith(prefix)}
    given = {
        "weights": f"{course.root / FILE}: modules.{module.name}.weights",
        "tests": f"test_{module.name}.py",
    }
    wrong = [
        tr("{weights} lacks {check}, and {tests} has test_{check}.", check=check, **given)
        if check in present
        else tr("{weights} has {check}, and {tests} lacks test_{check}.", check=check, **given)
        for check in sorted(present ^ listed)
    ]
    if wrong:
        raise CourseError(" ".join(wrong))


def _left_out(module: Module, fit: str, device: Device, checks: Collection[str]) -> dict[str, str]:
    """The module's checks that are not part of this run, and why."""
    reasons = {}
    for check in module.weights:
        if checks and f"{module.name}.{check}" not in checks:
            reasons[check] = tr("Other checks were asked for.")
        if check in module.long and fit == OFF:
            reasons[check] = tr("This check takes long, and was switched off (--fit off).")
        if needs_gpu(f"{module.name}.{check}") and device == "cpu":
            reasons[check] = tr("This needs a GPU; the run was on the CPU (--device cpu).")
    return reasons


def _module_result(
    module: Module,
    submission: Submission,
    judge: Judge,
    left_out: Mapping[str, str],
    titles: Mapping[str, str],
) -> ModuleResult:
    shares = module.shares(left_out)
    problem = submission.problems.get(module.name, "")
    checks = []
    for check, points in shares.items():
        full = f"{module.name}.{check}"
        reason = left_out.get(check, "")
        title = tr(titles.get(full) or titled(full))
        found = _check_result(full, title, points, problem, reason, judge.verdicts.get(full))
        checks.append(replace(found, visibility=module.visibility[check]))
    remark, failed = submission.remarks.get(module.name), judge.passed_over(module.name)
    notes = (problem,) if problem else (remark, failed, _stand_in_note(module, judge))
    return ModuleResult(module.name, tuple(checks), " ".join(filter(None, notes)), module.bonus)


def _check_result(
    id: str, title: str, points: float, problem: str, left_out: str, verdict: Verdict | None
) -> CheckResult:
    if problem:
        return CheckResult(id, title, "not_submitted", 0.0, points, problem)
    if verdict is None:
        return CheckResult(id, title, "not_verified", 0.0, 0.0, left_out)
    if verdict.fault:
        text = tr(
            "The grader itself failed in this check, so it costs no point. Tell your instructor."
        )
        return CheckResult(id, title, "not_verified", 0.0, 0.0, text)
    passed = verdict.judged and not verdict.failure
    status: Status = "passed" if passed else "failed"
    remark = verdict.remark if passed else ""
    if passed and verdict.stand_ins:
        bricks = _listed(verdict.stand_ins)
        over = tr("Passed over the course's {bricks}, not over yours.", bricks=bricks)
        remark = f"{remark} {over}".strip()
    if passed and verdict.excused:
        but_for = tr("Right but for what costs {check} its points.", check=verdict.excused)
        remark = f"{remark} {but_for}".strip()
    if verdict.failure and verdict.earned:
        remark = _earned(verdict.groups)
    return CheckResult(
        id,
        title,
        status,
        points if passed else round(points * verdict.earned, 2),
        points,
        remark,
        verdict.failure,
        round(verdict.seconds, 3),
        verdict.measured,
    )


def _earned(groups: Mapping[str, bool]) -> str:
    """For which questions a share of the points is earned, and for which it is not."""
    right, wrong = (
        ", ".join(tr(words) for words, passed in groups.items() if passed == wanted)
        for wanted in (True, False)
    )
    return tr("Right: {right}. Still wrong: {wrong}.", right=right, wrong=wrong)


def _linked(modules: Sequence[ModuleResult], judge: Judge) -> tuple[ModuleResult, ...]:
    """The same results; a failure for which an earlier one has the same cause says which."""
    roots: dict[object, str] = {}

    def linked(check: CheckResult) -> CheckResult:
        if check.feedback is None:
            return check
        first = roots.setdefault(judge.verdicts[check.id].root, check.id)
        same_as = "" if first == check.id else first
        return replace(check, feedback=replace(check.feedback, same_as=same_as))

    return tuple(replace(m, checks=tuple(map(linked, m.checks))) for m in modules)


def _stand_in_note(module: Module, judge: Judge) -> str:
    visible = [f"{module.name}.{c}" for c, when in module.visibility.items() if when == "visible"]
    verdicts = [judge.verdicts[check] for check in visible if check in judge.verdicts]
    over = [v.stand_ins for v in verdicts if v.stand_ins and not v.failure and not v.fault]
    if not over:
        return ""
    bricks = _listed(
        [need for need in module.needs if any(need in stand_ins for stand_ins in over)]
    )
    return tr(
        "{passed} of {count} checks passed only over the course's {bricks}, not over yours.",
        passed=len(over),
        count=len(verdicts),
        bricks=bricks,
    )


def _listed(names: Sequence[str]) -> str:
    *before, last = names
    return tr("{names} and {last}", names=", ".join(before), last=last) if before else last


def _environment(fit: str, gpu: Mapping[str, Any]) -> dict[str, str]:
    """What a result depends on beside its seed."""
    found = {"gpu": f"{gpu['name']}, CUDA {gpu['cuda']}, cuDNN {gpu['cudnn']}"} if gpu else {}
    return {
        **found,
        "kit": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "platform": f"{platform.system()} {platform.machine()}",
        "fit": fit,
    }
