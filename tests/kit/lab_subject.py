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
import importlib
import inspect
import io
import json
import os
import resource
import shutil
import sys
import types
import zipfile
from pathlib import Path
from typing import Any

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
    """Unpack or copy what was handed in, and read it."""
    path = build(request)
    unpacked = Path("unpacked")
    if path.is_dir():
        shutil.copytree(path, unpacked)
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                target = unpacked / entry.filename  # as much code does that unpacks by hand
                if entry.is_dir():
                    target.mkdir(parents=True, exist_ok=True)
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                if entry.external_attr >> 28 == 0o12:
                    target.symlink_to(archive.read(entry).decode())
                else:
                    target.write_bytes(archive.read(entry))
    else:
        shutil.unpack_archive(path, unpacked)
    texts = [
        file.read_bytes()[: 1 << 20].decode(errors="replace")
        for file in unpacked.rglob("*.py")
        if not file.is_dir()
    ]
    return {"replies": texts}, 0


def naive_text(request: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Write the text into a log, a JUnit file and a page, as it is."""
    text = load(request).text()
    log = f"RuntimeError: {text}\n"
    junit = f"<testsuite><testcase><failure>{text}</failure></testcase></testsuite>"
    return {"log": log, "junit": junit, "html": f"<p>{text}</p>", "csv": f"linear,{text},0\n"}, 0


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


def build(request: dict[str, Any]) -> Path:
    """Let the attack write its submission; returns where."""
    return Path(load(request).build(Path(request["inbox"])))


# Ours


def serve_ours(setup: dict[str, Any], answers: Any, without: str) -> None:
    """Grade as the kit does, with one broker for every request."""
    secret = hold(setup)  # noqa: F841 - an attack may find it among the locals
    from autograder.broker import Broker
    from autograder.course import course_root, load_course
    from autograder.errors import TowerError
    from autograder.grading import grade
    from autograder.submission import Submission, read_submission

    class Witness(Broker):
        """A broker that keeps the workers it hands out, and all that they answer."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.workers: list[Any] = []
            self.replies: list[str] = []

        def worker(self, *args: Any, **kwargs: Any) -> Any:
            worker = super().worker(*args, **kwargs)
            self.workers.append(worker)
            ask = worker.ask

            def witnessed(*args: Any, **kwargs: Any) -> Any:
                meta, raw = ask(*args, **kwargs)
                match meta.get("error"):
                    case {"type": kind, "message": message}:
                        self.replies.append(f"{kind}: {message}")
                    case _:
                        self.replies.append(json.dumps(meta)[:4000])
                return meta, raw

            worker.ask = witnessed
            return worker

    course = load_course(course_root())
    course = dataclasses.replace(course, policy=policy_of(course, setup["policy"]))
    chosen: dict[str, Any] = {}
    if "hidden" in inspect.signature(Broker).parameters:
        chosen["hidden"] = [course.root]
    if without:
        chosen |= {"without": frozenset(without.split(",")), "require": "D"}
    broker = Witness(course.policy, **chosen)
    broker.start()

    def judged(submission: Any) -> dict[str, Any]:
        del broker.workers[:], broker.replies[:]
        report = grade(course, submission, broker, seed=1, fit="off", only=["linear"])
        return {
            "passed": [c.id for m in report.modules for c in m.checks if c.status == "passed"],
            "max_score": report.max_score,
            "level": report.isolation.level,
            "detail": report.isolation.detail,
            "faults": [fault for fault, _ in report.faults],
            "replies": list(dict.fromkeys(broker.replies))[:50],
            "messages": [c.message for m in report.modules for c in m.checks if c.message],
            "logs": [w.log.decode(errors="replace") for w in broker.workers if w.log][:4],
            "kept": max(len(w.log) for w in broker.workers) if broker.workers else 0,
            "exports": exports(report),
        }

    twin = judged(Submission("twin", {"linear": setup["twin"].encode()}, {}))
    for folder in Path(setup["work"]).glob("tower-*"):
        (folder / "worker-other").mkdir()
        (folder / "worker-other" / "answer.txt").write_text(setup["scratch"])
    say(answers, ready=os.getpid(), twin=twin)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["kind"] == "build":
                submission = read_submission(build(request), course.modules)
            else:
                source = request["source"]
                if request["kind"] == "text":
                    source = speak(load(request).text())
                submission = Submission(request["name"], {"linear": source.encode()}, {})
            answer = judged(submission)
            if request["kind"] == "build":
                answer["replies"] += [
                    s.decode(errors="replace") for s in submission.sources.values()
                ]
        except TowerError as error:
            answer = {"refused": str(error), "code": error.exit_code}
        except Exception as error:
            answer = {"faults": [f"{type(error).__name__}: {error}"]}
        say(answers, **answer)
    broker.close()


def policy_of(course: Any, wanted: dict[str, Any]) -> Any:
    """The course's policy with the lab's smaller limits, as far as it has them."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])  # with torch, as in a worker
    wanted = wanted | {"memory": wanted["memory"] + pages * resource.getpagesize()}
    names = {field.name for field in dataclasses.fields(course.policy)}
    chosen = {name: value for name, value in wanted.items() if name in names}
    return dataclasses.replace(course.policy, **chosen)


def speak(text: str) -> str:
    """A submission that says this text in every way it can."""
    return (
        f"text = {text!r}\nprint(text)\n"
        "raise type(text.replace(chr(0), ''), (RuntimeError,), {})(text)\n"
    )


def exports(report: Any) -> dict[str, str]:
    """The report as every export shows it."""
    from rich.console import Console

    from autograder.export import console, junit
    from autograder.export import json as json_export

    page = io.StringIO()
    console.show(report, Console(file=page, width=100))
    return {
        "console": page.getvalue(),
        "json": json_export.render(report),
        "junit": junit.render(report),
    }


if __name__ == "__main__":
    main()
