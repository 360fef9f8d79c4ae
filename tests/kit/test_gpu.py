"""Grading on a GPU, as far as that can be tried on a machine without one."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from helpers import ROOT, checks_of, failed, problems_of

from autograder import broker as broker_module
from autograder import doctor, gpu
from autograder.broker import Broker
from autograder.course import GPU_CHECKS, load_course
from autograder.errors import GraderFault, UsageError
from autograder.export.view import message
from autograder.grading import grade
from autograder.sandbox.gpu import RealGPU
from autograder.suite.judge import needs_gpu
from tower_student.exception_hints import likely_cause
from tower_student.submission import Submission

pytestmark = pytest.mark.sandbox

COURSE = load_course(ROOT)
CHECKS = {f"{m.name}.{c}" for m in COURSE.modules.values() for c in m.weights}
ON_GPU = {check for check in CHECKS if f".{GPU_CHECKS}" in check}
PRETEND = ROOT / "tests" / "support" / "pretend_zygote.py"


@pytest.fixture
def pretended(monkeypatch):
    """As if this machine had a GPU."""
    monkeypatch.setattr(broker_module, "ZYGOTE", PRETEND)


def tower(*arguments):
    """The command as a user runs it."""
    command = [sys.executable, "-m", "autograder", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


# What --device means


@pytest.mark.parametrize(
    ("devices", "build", "reason"),
    [
        ([], True, "no GPU's device file"),
        (["/dev/nvidia-uvm"], False, "this build of torch is for the CPU"),
        (["/dev/dxg"], True, ""),
        (["/dev/nvidiactl", "/dev/nvidia0"], True, "nvidia-modprobe -c 0 -u"),
        (["/dev/nvidiactl", "/dev/nvidia0", "/dev/nvidia-uvm"], True, ""),
    ],
)
def test_a_gpu_needs_a_device_and_a_build_of_torch(tmp_path, monkeypatch, devices, build, reason):
    (tmp_path / "lib").mkdir()
    if build:
        (tmp_path / "lib" / "libtorch_cuda.so").touch()
    spec = type("Spec", (), {"submodule_search_locations": [str(tmp_path)]})
    monkeypatch.setattr(gpu, "gpu_devices", lambda: devices)
    monkeypatch.setattr(gpu.importlib.util, "find_spec", lambda name: spec)
    assert reason in gpu.reason_against()
    assert bool(reason) == bool(gpu.reason_against())
    assert gpu.choose("cpu") == "cpu"
    assert gpu.choose("auto") == ("cpu" if reason else "cuda")
    if reason:
        with pytest.raises(UsageError, match=f"--device cuda cannot be had: .*{reason}"):
            gpu.choose("cuda")
    else:
        assert gpu.choose("cuda") == "cuda"


@pytest.mark.skipif(not gpu.reason_against(), reason="This machine may have a GPU: tests/gpu.")
def test_without_a_gpu_cuda_is_refused_and_auto_grades_on_the_cpu(tmp_path):
    refused = tower("grade", "solutions", "--device", "cuda")
    assert refused.returncode == 2
    assert "--device cuda cannot be had" in refused.stderr
    report = tmp_path / "report.json"
    graded = tower(
        *("grade", "solutions", "--only", "linear", "--device", "auto", "--fit", "off"),
        *("--json", str(report)),
    )
    assert graded.returncode == 0, graded.stderr
    assert json.loads(report.read_text())["device"] == "cpu"
    assert "This needs a GPU" in graded.stdout


# Without one, what needs it leaves the maximum


def test_what_needs_a_gpu_is_not_verified_without_one(judge, solutions):
    found = checks_of(judge(solutions))
    assert ON_GPU
    for check in ON_GPU:
        assert (found[check].status, found[check].max_score) == ("not_verified", 0.0)
        assert "This needs a GPU" in message(found[check])
    for module in COURSE.modules.values():
        prefix = f"{module.name}."
        points = sum(c.max_score for c in found.values() if c.id.startswith(prefix))
        assert points == pytest.approx(module.points)


def test_it_is_not_verified_either_where_nothing_else_passes(judge):
    found = checks_of(judge({"linear": b"raise SystemExit\n"}))
    assert {found[check].status for check in ON_GPU if check.startswith("linear")} == {
        "not_verified"
    }
    assert {found[c].status for c in ON_GPU if c.startswith("conv2d")} == {"not_submitted"}


# The checks themselves, over the simulated GPU


@pytest.fixture(scope="module")
def simulated(course, broker):
    """Grade modules with the checks of the GPU, over the simulated one."""

    def simulated(sources, only=(), seed=1):
        submission = Submission("in-memory", sources, problems_of(sources, course))
        return grade(
            course, submission, broker, seed=seed, fit="off", device="simulated", only=only
        )

    return simulated


@pytest.mark.parametrize("seed", range(3))
def test_the_solutions_pass_every_check(simulated, solutions, seed):
    report = simulated(solutions, seed=seed)
    assert failed(report) == set()
    assert {checks_of(report)[check].status for check in ON_GPU} == {"passed"}
    assert report.score == report.max_score == 100


@pytest.mark.parametrize(
    ("kind", "message", "expected"),
    [
        ("OutOfMemoryError", "CUDA out of memory. Tried to allocate 16.00 TiB.", "graphs are kept"),
        ("AcceleratorError", "CUDA error: device-side assert triggered", "An index on the GPU"),
        ("RuntimeError", "CUDA error: an illegal memory access was encountered", "An index on"),
    ],
)
def test_what_cuda_raises_is_explained(kind, message, expected):
    hint = likely_cause(kind, message, "")
    assert hint
    assert expected in hint.text


COPIES = {
    "sent": (lambda x: x.to("meta"), 1),
    "sent twice": (lambda x: (x.to("meta"), x.double().to("meta")), 2),
    "sent as another dtype": (lambda x: x.to("meta", torch.float64), 1),
    "written there": (lambda x: torch.empty(3, device="meta").copy_(x), 1),
    "a number": (lambda x: x.sum().to("meta"), 0),
    "made there": (lambda x: torch.zeros(3, device="meta") + 1, 0),
    "another dtype": (lambda x: x.double(), 0),
    "written here": (lambda x: torch.empty(3).copy_(x), 0),
    "in the backward pass": (lambda x: (x.requires_grad_() * 2).sum().backward(), 0),
}


@pytest.mark.parametrize("kind", COPIES)
def test_copies_between_devices_are_counted(kind):
    """As on a GPU, but with the meta device in its place: what is counted is the change of device."""
    work, expected = COPIES[kind]
    with RealGPU().watched() as transfers:
        work(torch.ones(3))
    assert transfers.copies == expected


# A GPU that is pretended to be there: the way from the command line to a worker that uses it


def graded(course, broker, solutions, **options):
    submission = Submission("in-memory", solutions, problems_of(solutions, course))
    return grade(course, submission, broker, seed=1, device="cuda", **options)


def test_a_run_on_the_gpu_judges_what_needs_one_there(pretended, course, solutions):
    """The GPU's workers are as locked down as all others, and judge what needs a GPU and nothing else."""
    fits = {**course.fits, "quick": {**course.fits["quick"], "steps": 3, "threshold": 0.0}}
    short = replace(course, fits=fits)
    with Broker(course.policy, [course.root], gpu=True) as broker:
        asked = []
        genuine = broker.worker
        broker.worker = lambda *, gpu=False: asked.append(gpu) or genuine(gpu=gpu)
        report = graded(short, broker, solutions, fit="quick")
        level = broker.isolation.level
        denied = broker.isolation.denied
    assert failed(report) == set()
    assert {checks_of(report)[check].status for check in ON_GPU} == {"passed"}
    assert report.device == "cuda"
    assert report.environment["gpu"].startswith("Pretended")
    assert report.isolation.level == level
    assert denied["socket"], "the filter holds in a worker that has other threads"
    assert asked.count(True) == 1, "one worker for all of the GPU's checks, the fit among them"
    assert {check for check in CHECKS if needs_gpu(check)} == ON_GPU


def test_the_filter_binds_the_threads_that_cuda_has_started(pretended, course):
    """Their state in /proc says so: seccomp in mode 2, no new privileges."""
    with Broker(course.policy, gpu=True) as broker, broker.worker(gpu=True) as worker:
        pid = _process_of(worker)
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        assert len(threads) > 1
        for thread in threads:
            status = (thread / "status").read_text()
            assert re.search(r"^Seccomp:\s+2$", status, re.MULTILINE)
            assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)
        names = {(thread / "comm").read_text().strip() for thread in threads}
        assert "cuda00001400006" in names, "a thread may name itself, as the driver's do"


def test_one_worker_with_a_started_gpu_is_always_in_reserve(pretended, course):
    with Broker(course.policy, gpu=True) as broker:
        with broker.worker():
            spare = broker._spare
            with broker.worker(gpu=True) as first:
                assert first is spare
                assert broker._spare is not spare
                assert broker._spare is not None
        with broker.worker() as plain:
            assert plain is not broker._spare, "what needs no GPU does not take it"


def test_no_spare_is_kept_where_the_gpu_lets_in_one_process(pretended, course, monkeypatch):
    monkeypatch.setenv("CUDA_PRETEND", "exclusive")
    with Broker(course.policy, gpu=True) as broker:
        broker.worker(gpu=True).close()
        assert broker._spare is None


def test_a_dtype_that_the_gpu_lacks_is_left_out(pretended, course, solutions, monkeypatch):
    monkeypatch.setenv("CUDA_PRETEND_DTYPES", "float64 float32 float16")
    with Broker(course.policy, [course.root], gpu=True) as broker:
        report = graded(course, broker, solutions, fit="off", only=["linear"])
    half = checks_of(report)["linear.gpu_half"]
    assert half.status == "passed"
    assert "bfloat16 was left out" in message(half)


def test_the_fork_server_of_a_gpu_poisons_no_fork():
    """CUDA counts as started where something asked for the GPUs; forks could not use it then."""
    program = (
        "import os, sys; sys.path.insert(0, 'autograder')\n"
        "from pathlib import Path\nfrom sandbox import zygote\n"
        "zygote.load('sandbox.lean', Path('student/tower_student/lean.py'))\n"
        "zygote.warm_up(gpu=True)\nlist(zygote.warm_up_rest(()))\n"
        "import torch\npid = os.fork()\n"
        "if pid == 0: os._exit(torch.cuda._is_in_bad_fork() or torch.cuda.is_initialized())\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def test_a_spare_that_has_died_is_replaced(pretended, course):
    with Broker(course.policy, gpu=True) as broker, broker.worker():
        broker._spare.kill()
        with broker.worker(gpu=True) as worker:
            assert worker.isolation.level == broker.isolation.level


def test_a_gpu_that_does_not_start_is_a_fault_with_a_way_out(
    pretended, course, solutions, monkeypatch
):
    monkeypatch.setenv("CUDA_PRETEND", "no memory")
    with Broker(course.policy, gpu=True) as broker:
        with pytest.raises(GraderFault, match=r"CUDA error: out of memory.*--device cpu"):
            broker.worker(gpu=True)
        report = graded(course, broker, solutions, fit="off", only=["linear"])
    assert {checks_of(report)[check].status for check in ON_GPU if check.startswith("linear")} == {
        "not_verified"
    }
    assert all("CUDA did not start" in fault for fault, _ in report.faults)
    assert len(report.faults) == len([check for check in ON_GPU if check.startswith("linear")])
    assert checks_of(report)["linear.forward"].status == "passed"


def test_without_landlock_no_worker_gets_the_gpu(pretended, course):
    """There no file can be opened once student code runs, a GPU's neither."""
    with (
        Broker(course.policy, gpu=True, without=("landlock",)) as broker,
        pytest.raises(GraderFault, match="without Landlock"),
    ):
        broker.worker(gpu=True)


def test_without_the_wish_no_worker_sees_a_gpu(course, monkeypatch):
    """CUDA is shown no device, in the zygote and in the workers: autograd would start it otherwise."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with Broker(course.policy) as broker, broker.worker():
        environment = Path(f"/proc/{broker._zygote.pid}/environ").read_bytes().split(b"\0")
    assert b"CUDA_VISIBLE_DEVICES=" in environment


# The suite that needs one


@pytest.mark.skipif(not gpu.reason_against(), reason="This machine may have a GPU: make gpu-test.")
def test_without_a_gpu_its_suite_says_of_every_test_that_nothing_was_verified():
    command = [sys.executable, "-m", "pytest", "tests/gpu", "-rs", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    *_, summary = done.stdout.strip().splitlines()
    assert re.search(r"=+ (\d+) skipped in ", summary), done.stdout
    unverified = re.findall(r"^SKIPPED \[(\d+)\] .*: NOT VERIFIED: ", done.stdout, re.MULTILINE)
    assert sum(map(int, unverified)) == int(re.search(r"(\d+) skipped", summary)[1]) > 70


def test_the_doctor_says_why_there_is_no_gpu(monkeypatch):
    monkeypatch.setattr(doctor, "reason_against", lambda: "it is made of paper")
    (found,) = doctor._gpu(COURSE)
    assert (found.state, found.found) == ("missing", "it is made of paper")
    assert "--gpus all" in found.advice


def test_the_doctor_starts_the_gpu_in_a_worker(pretended, monkeypatch):
    monkeypatch.setattr(doctor, "reason_against", lambda: "")
    found, *tested = doctor._gpu(COURSE)
    assert found.state == "good"
    assert found.found.startswith("Pretended, 4 GiB")
    assert {part.state for part in tested} == {"good"}
    assert "self-test: a training step on the GPU" in {part.title for part in tested}
    monkeypatch.setenv("CUDA_PRETEND", "exclusive")
    found, *_ = doctor._gpu(COURSE)
    assert (found.state, "--processes 1" in found.advice) == ("missing", True)
    monkeypatch.setenv("CUDA_PRETEND", "no memory")
    (found,) = doctor._gpu(COURSE)
    assert found.state == "bad"
    assert "out of memory" in found.found


def _process_of(worker):
    """The worker's process number, as this process sees it."""
    line = Path(f"/proc/self/fdinfo/{worker._pidfd}").read_text()
    return int(re.search(r"^Pid:\s+(\d+)", line, re.MULTILINE)[1])
