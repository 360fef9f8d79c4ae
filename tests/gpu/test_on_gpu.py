"""What only a real GPU can show: `make gpu-test`. Without one every test here is reported as not verified."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.bank import Bank
from autograder.broker import Broker
from autograder.course import GPU_CHECKS, course_root, load_course
from autograder.export.view import message
from autograder.gpu import reason_against
from autograder.grading import grade, prepare_process
from autograder.sandbox import protocol
from autograder.sandbox.wire import RawTensor
from tower_student.submission import Submission

COURSE = load_course(course_root())
BANK = Bank(COURSE.root)
SOLUTIONS = BANK.solutions(COURSE.modules)
ON_GPU = {f"{m.name}.{c}" for m in COURSE.modules.values() for c in m.weights if GPU_CHECKS in c}
MUTANTS = [
    m
    for name in COURSE.modules
    for m in BANK.mutants(name)
    if m.check.partition(".")[2].startswith(("simulated_gpu", GPU_CHECKS))
]
"""Those aimed at simulated_gpu and those aimed at a check of a real GPU."""
PRODUCT = b"        output = input @ self.weight.T\n"

pytestmark = pytest.mark.skipif(bool(reason_against()), reason=f"NOT VERIFIED: {reason_against()}.")


@pytest.fixture(scope="module")
def broker():
    with Broker(COURSE.policy, [COURSE.root], require="A", gpu=True) as broker:
        broker.start()
        prepare_process()
        yield broker


@pytest.fixture
def graded(broker):
    """Grade the solutions with some modules replaced; check results by id."""

    def graded(only=(), **sources):
        submission = Submission("in-memory", SOLUTIONS | sources, {})
        report = grade(COURSE, submission, broker, seed=1, fit="off", device="cuda", only=only)
        assert not report.faults
        return {check.id: check for module in report.modules for check in module.checks}

    return graded


def failed(checks):
    return {name for name, check in checks.items() if check.status == "failed"}


@pytest.mark.parametrize("fit", ["full", "recipe"])
def test_the_solutions_get_all_points_at_level_a(tmp_path, fit):
    """As a user runs it; the fit on the GPU reaches its threshold."""
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "autograder", "grade", str(COURSE.root / "solutions")]
    options = ["--device", "cuda", "--fit", fit, "--require-isolation", "A", "--json", str(report)]
    done = subprocess.run(command + options, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(report.read_text())
    assert (found["score"], found["max_score"], found["device"]) == (100, 100, "cuda")
    assert all(c["status"] == "passed" for m in found["modules"] for c in m["checks"])
    assert found["environment"]["gpu"]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.module}-{mutant.name}")
def test_a_mutant_of_the_gpu_path_is_caught_on_the_gpu(graded, mutant):
    found = failed(graded([mutant.module], **{mutant.module: mutant.source}))
    real = mutant.check.replace("simulated_gpu", "gpu_parity")
    assert real in found, mutant.misconception


OWN_STREAM = b"""        own = torch.cuda.Stream() if input.is_cuda else None
        with torch.cuda.stream(own):
            output = input @ self.weight.T
"""


def test_a_layer_that_computes_on_a_stream_of_its_own_is_caught(graded):
    """Nothing makes that stream wait for the input: what it reads lay there before."""
    source = SOLUTIONS["linear"].replace(PRODUCT, OWN_STREAM)
    assert source != SOLUTIONS["linear"]
    assert "linear.gpu_streams" in failed(graded(["linear"], linear=source))


def test_float32_is_computed_exactly(broker):
    """With TF32 the error of these products would be some 1e-3."""
    with broker.worker(gpu=True) as worker:
        text = b"""
import torch
def error():
    x = torch.randn(8, 64, 16, 16, dtype=torch.float64, device="cuda")
    w = torch.randn(64, 64, 3, 3, dtype=torch.float64, device="cuda")
    near, right = torch.conv2d(x.float(), w.float()), torch.conv2d(x, w)
    return float((near - right).abs().max() / right.abs().max())
"""
        raw = RawTensor("precision", "uint8", (len(text),), text)
        worker.allow(60)
        worker.ask(protocol.Import("precision", {}), [raw])
        call = protocol.Call("error", {"list": []}, grad=False, on_gpu=True)
        reply, _ = worker.ask(call)
    assert 0 < reply["result"] < 1e-5


@pytest.mark.parametrize("variant", list(BANK.variants()), ids=lambda v: f"{v.module}-{v.name}")
def test_a_right_submission_loses_nothing_on_the_gpu(graded, variant):
    found = graded([variant.module], **{variant.module: variant.source})
    assert not failed(found), [message(found[name]) for name in failed(found)]


def test_a_worker_with_a_gpu_is_denied_what_every_worker_is(broker):
    with broker.worker() as plain, broker.worker(gpu=True) as worker:
        assert worker.isolation.denied == plain.isolation.denied
        assert worker.isolation.level == plain.isolation.level


def test_the_zygote_never_touches_the_gpu(broker, graded):
    if os.geteuid():
        pytest.skip(
            "NOT VERIFIED: only root may read what a process that hides its memory has opened."
        )
    graded(["linear"])
    zygote = Path(f"/proc/{broker._zygote.pid}")
    children = (zygote / "task" / zygote.name / "children").read_text().split()
    for pid in (
        zygote.name,
        *children[:1],
    ):  # in namespaces the one that waits, and the zygote itself
        opened = [str(file.readlink()) for file in Path(f"/proc/{pid}/fd").iterdir()]
        assert not [name for name in opened if "nvidia" in name or "dxg" in name]


BREAKING = {
    "exhausts the memory": b"torch.empty(1 << 44, device='cuda')",
    "makes the context unusable": b"torch.zeros(1, device='cuda')[torch.tensor([7], device='cuda')].cpu()",
    "takes its leave": b"__import__('os')._exit(0)",
}


@pytest.mark.parametrize("what", BREAKING)
def test_a_worker_that_breaks_its_gpu_costs_one_check(graded, what):
    """It happens in float32 alone, which gpu_parity asks for: what follows finds a sound context."""
    condition = b"        if input.is_cuda and input.dtype == torch.float32:\n            "
    source = SOLUTIONS["linear"].replace(PRODUCT, condition + BREAKING[what] + b"\n" + PRODUCT)
    found = graded(["linear"], linear=source)
    assert failed(found) == {"linear.gpu_parity"}
    assert {found[check].status for check in ON_GPU if "linear" in check} == {"passed", "failed"}
