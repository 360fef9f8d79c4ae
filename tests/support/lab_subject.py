"""The process that the attack lab sees attacked: a naive grader, or ours.

    python lab_subject.py naive|ours --access-token SECRET [--without a,b]

It takes requests as lines of JSON on its standard input and answers on its standard output, which
student code does not find under that number. Both graders hold the same secrets: in their memory,
their environment, their command line and an open file.

The naive one is what a grader often is: it imports the submission into its own process, and takes
pytest's exit code and its JUnit file for the verdict. Ours is the kit's own.
"""

import argparse
import atexit
import dataclasses
import functools
import importlib
import io
import json
import os
import select
import sys
import types
from collections.abc import Collection
from pathlib import Path
from typing import Any

CHECKS = {"attack": ("linear.registration", "linear.forward", "linear.by_hand")}
"""By the kind of attack, the checks that are run; all of them for others. What runs on import alone meets no
more than an import, so that a few are enough."""
NAIVE_TESTS = """
from linear import CustomLinear

import numpy as np
import pytest
import torch
from torch import nn


@pytest.fixture
def case():
    reference = nn.Linear(5, 3)
    layer = CustomLinear(5, 3)
    layer.load_state_dict(reference.state_dict())
    x = torch.randn(4, 5)
    expected = reference(x)
    return layer, reference, x, expected


def test_allclose(case):
    layer, reference, x, expected = case
    assert torch.allclose(layer(x), expected)


def test_assert_close(case):
    layer, reference, x, expected = case
    torch.testing.assert_close(layer(x), expected)


def test_operators(case):
    layer, reference, x, expected = case
    assert ((layer(x) - expected).abs() < 1e-6).all()


def test_equality(case):
    layer, reference, x, expected = case
    assert (layer(x) == expected).all()


def test_equal(case):
    layer, reference, x, expected = case
    assert torch.equal(layer(x), expected)


def test_nothing_is_off(case):
    layer, reference, x, expected = case
    assert not ((layer(x) - expected).abs() > 1e-6).any()


def test_numbers(case):
    layer, reference, x, expected = case
    pairs = zip(layer(x).flatten().tolist(), expected.flatten().tolist())
    assert all(abs(got - wanted) < 1e-6 for got, wanted in pairs)


def test_approx(case):
    layer, reference, x, expected = case
    assert layer(x).flatten().tolist() == pytest.approx(expected.flatten().tolist())


def test_numpy(case):
    layer, reference, x, expected = case
    np.testing.assert_allclose(layer(x).detach().numpy(), expected.detach().numpy(), rtol=1e-5)


def test_functional(case):
    layer, reference, x, expected = case
    wanted = torch.nn.functional.linear(x, layer.weight, layer.bias)
    assert torch.allclose(layer(x), wanted)


def test_parameters(case):
    layer, reference, x, expected = case
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]


def test_gradients(case):
    layer, reference, x, expected = case
    layer(x).sum().backward()
    expected.sum().backward()
    assert torch.allclose(layer.weight.grad, reference.weight.grad)
"""


def main() -> None:
    """Hold the secrets, and answer."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["naive", "ours"])
    parser.add_argument("--access-token")
    parser.add_argument("--without", default="")
    arguments = parser.parse_args()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    setup = json.loads(sys.stdin.readline())
    if arguments.kind == "ours":
        serve_ours(setup, answers, arguments.without)
    else:
        serve_naive(setup, answers)


def hold(setup: dict[str, Any]) -> list[Any]:
    """The secrets of a grader, where a grader has them."""
    hidden = types.ModuleType("hidden_tests")
    hidden.EXPECTED = setup["hidden test"]  # type: ignore[attr-defined]
    sys.modules["hidden_tests"] = hidden
    return [setup["memory"].encode() * 4000, Path(setup["hidden"]).open()]


def say(answers: io.TextIOBase, **content: Any) -> None:
    """One answer, as a line."""
    answers.write(json.dumps(content) + "\n")
    answers.flush()


# The naive grader


def serve_naive(setup: dict[str, Any], answers: Any) -> None:
    """Fork a grader for each request: it grades, answers and ends, and we say with which code.

    What a grader needs is imported beforehand, on one thread, so that the forked ones can compute.
    """
    import numpy  # noqa: F401
    import pytest  # noqa: F401
    import torch

    torch.set_num_threads(1)
    torch.testing.assert_close(torch.zeros(1), torch.zeros(1))  # imports much at its first use
    requests = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115 - shared with the children
    say(answers, ready=os.getpid())
    while json.loads(requests.readline() or "null"):
        child = os.fork()
        if child == 0:
            os._exit(naive_grader(setup, answers, requests))
        _, status = os.waitpid(child, 0)
        say(answers, exit=os.waitstatus_to_exitcode(status))


def naive_grader(setup: dict[str, Any], answers: Any, requests: Any) -> int:
    """Grade one submission as a program of its own would, with its secrets; returns the exit code."""
    secret = hold(setup)  # noqa: F841 - an attack may find it among the locals
    folder = Path(setup["work"]) / "naive"
    for name in ("worker-0", "worker-1"):
        (folder / name).mkdir(parents=True)
    (folder / "worker-0" / "answer.txt").write_text(setup["scratch"])
    os.chdir(folder / "worker-1")
    say(answers, grader=os.getpid())
    request = json.loads(requests.readline())
    try:
        answer, code = NAIVE[request["kind"]](request)
        say(answers, **answer)
        sys.exit(code)
    except SystemExit as end:
        atexit._run_exitfuncs()
        return end.code if isinstance(end.code, int) else 0
    except BaseException as error:
        say(answers, replies=[f"{type(error).__name__}: {error}"[:8000]])
        return 1


def naive_attack(request: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Import the submission into this process."""
    Path("linear.py").write_text(request["source"])
    sys.path.insert(0, str(Path.cwd()))
    try:
        importlib.import_module("linear")
    except BaseException as error:
        text = str(error)
        sys.stderr.write(text)
        return {"replies": [f"{type(error).__name__}: {text}"[:8000]]}, 0
    return {"replies": ["it was imported"]}, 0


def naive_forge(request: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Run an ordinary pytest file over the submission, in this process."""
    import pytest

    sys.path.insert(0, str(Path.cwd()))
    Path("linear.py").write_text(request["source"])
    Path("test_naive.py").write_text(NAIVE_TESTS)
    quiet = ["-q", "--no-header", "--tb=line", "-p", "no:cacheprovider"]
    code = pytest.main(["test_naive.py", f"--junitxml={request['junit']}", *quiet])
    return {"replies": [f"pytest ended with {int(code)}"]}, int(code)


def naive_build(request: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Copy or unpack what was handed in, and read it."""
    import archive_lab

    return {"gains": archive_lab.naive(load(request).build, Path(request["inbox"]))}, 0


def naive_text(request: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Paste the text as it is into a log, a page and the like."""
    import text_lab

    return {"gains": text_lab.naive(load(request).text())}, 0


NAIVE = {
    "attack": naive_attack,
    "forge": naive_forge,
    "build": naive_build,
    "text": naive_text,
}


def load(request: dict[str, Any]) -> Any:
    """The attack's own module, for the kinds whose code runs on the grader's side."""
    module = types.ModuleType("attack")
    exec(compile(request["source"], request["name"], "exec"), vars(module))
    return module


# Ours


def serve_ours(setup: dict[str, Any], answers: Any, without: str) -> None:
    """Grade as the kit does, with one broker for every request."""
    secret = hold(setup)  # noqa: F841 - an attack may find it among the locals
    from autograder.broker import Broker
    from autograder.course import course_root, load_course
    from autograder.export import json as json_export
    from autograder.export.view import message
    from autograder.grading import grade, prepare_process
    from autograder.report import Report
    from tower_student.submission import Submission

    class Witness(Broker):
        """A broker that keeps the workers it hands out, and all that they answer."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.workers: list[Any] = []
            self.replies: list[str] = []
            self.twins: list[int] | None = []
            """Descriptors of the twin's workers, until it is graded."""

        def worker(self, *args: Any, **kwargs: Any) -> Any:
            worker = super().worker(*args, **kwargs)
            self.workers.append(worker)
            if self.twins is not None:
                self.twins.append(os.dup(worker._pidfd))
            ask_all = worker.ask_all

            def witnessed(*args: Any, **kwargs: Any) -> Any:
                for meta, raw in ask_all(*args, **kwargs):
                    for passed_over in meta.get("passed_over", ()):
                        self.replies.append("{type}: {message}".format(**passed_over["raised"]))
                    match meta.get("error"):
                        case {"type": kind, "message": said}:
                            self.replies.append(f"{kind}: {said}")
                        case _:
                            self.replies.append(json.dumps(meta)[:4000])
                    yield meta, raw

            worker.ask_all = witnessed
            return worker

        def see_them_end(self) -> None:
            """Wait for the twin's workers, which would pass for a part of the grader while they end."""
            for pidfd in self.twins or ():
                if not select.select([pidfd], [], [], 60)[0]:
                    raise RuntimeError("A worker of the twin's does not end.")
                os.close(pidfd)
            self.twins = None

    prepare_process()
    course = load_course(course_root())
    course = dataclasses.replace(course, policy=policy_of(course, setup["policy"]))
    chosen: dict[str, Any] = {"hidden": [course.root]}
    if without:
        chosen |= {"without": frozenset(without.split(",")), "require": "D"}
    broker = Witness(course.policy, **chosen)
    broker.start()

    def graded(name: str, source: str, checks: Collection[str] = ()) -> Report:
        del broker.workers[:], broker.replies[:]
        submission = Submission(name, {"linear": source.encode()}, {})
        given = {"only": ["linear"], "checks": checks}
        return grade(course, submission, broker, seed=1, fit="off", **given)

    @functools.cache
    def harmless() -> Report:
        return graded("x", speak("harmless"))

    def described(report: Report) -> dict[str, Any]:
        checks = [check for module in report.modules for check in module.checks]
        return {
            "passed": [check.id for check in checks if check.status == "passed"],
            "max_score": report.max_score,
            "level": report.isolation.level,
            "detail": report.isolation.detail,
            "faults": [fault for fault, _ in report.faults],
            "replies": list(dict.fromkeys(broker.replies))[:50],
            "messages": [message(check) for check in checks if message(check)],
            "logs": [w.log.decode(errors="replace") for w in broker.workers if w.log][:4],
            "kept": max((len(worker.log) for worker in broker.workers), default=0),
            "size": len(json_export.render(report)),
        }

    def judged(request: dict[str, Any]) -> dict[str, Any]:
        if request["kind"] == "build":
            return ours_build(request, list(course.modules))
        if request["kind"] == "text":
            import text_lab

            report = graded("x", speak(load(request).text()))
            return described(report) | {"gains": text_lab.looked_at(report, harmless())}
        checks = CHECKS.get(request["kind"], ())
        return described(graded(request["name"], request["source"], checks))

    twin = described(graded("twin", setup["twin"]))
    broker.see_them_end()
    for folder in Path(setup["work"]).glob("tower-*"):
        (folder / "worker-other").mkdir()
        (folder / "worker-other" / "answer.txt").write_text(setup["scratch"])
    say(answers, ready=os.getpid(), twin=twin)
    for line in sys.stdin:
        try:
            answer = judged(json.loads(line))
        except Exception as error:
            answer = {"faults": [f"{type(error).__name__}: {error}"]}
        say(answers, **answer)
    broker.close()


def ours_build(request: dict[str, Any], modules: list[str]) -> dict[str, Any]:
    """Read what was handed in as the kit does."""
    import archive_lab

    from autograder.errors import UsageError
    from tower_student.submission import read_submission

    made = []

    def build(folder: Path) -> Path:
        made.append(load(request).build(folder))
        return made[0]

    gains = archive_lab.gains(build, Path(request["inbox"]), modules)
    told = "it was not read again"
    if not gains:
        try:
            problems = read_submission(made[0], modules).problems
            told = problems.get("linear", "linear.py was read as text, and nothing else")
        except UsageError as error:
            told = str(error)
    return {"gains": gains, "messages": [told]}


def policy_of(course: Any, wanted: dict[str, Any]) -> Any:
    """The course's policy with the lab's smaller limits."""
    return dataclasses.replace(course.policy, **wanted)


def speak(text: str) -> str:
    """A submission that says this text in every way it can."""
    return (
        f"text = {text!r}\n"
        "name = text.replace(chr(0), '').encode('utf-8', 'replace').decode() or 'empty'\n"
        "print(name)\n"
        "raise type(name, (RuntimeError,), {})(text)\n"
    )


if __name__ == "__main__":
    main()
