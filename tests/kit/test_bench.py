"""`tower bench`: a student's layers beside torch's. What is asserted is the report, never a time."""

import io
import json
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from command import tower
from helpers import ROOT
from rich.console import Console

from autograder.errors import UsageError
from tower_student import bench

pytestmark = pytest.mark.sandbox

SMALL = [
    bench.Layer("linear", "CustomLinear", torch.nn.Linear, (6, 3), (4, 6)),
    bench.Layer(
        "conv2d",
        "CustomConv2d",
        torch.nn.Conv2d,
        (1, 2, 3),
        (2, 1, 8, 8),
        {"padding": 1},
        "forward_im2col",
    ),
]
COURSES_OWN = bench.plan_of(ROOT / "assignments", "cpu")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The timings of modules with these changes to the solutions, over small layers and few samples."""
    monkeypatch.setattr(bench, "ROUNDS", 2)
    monkeypatch.setattr(bench, "SAMPLE_SECONDS", 1e-4)
    monkeypatch.setattr(sys, "path", sys.path[:])

    def run(**changes):
        for name in ("linear", "conv2d", "tower"):
            source = (ROOT / "solutions" / f"{name}.py").read_text()
            old, new = changes.get(name, ("", ""))
            assert old in source
            if new is not None:
                (tmp_path / f"{name}.py").write_text(source.replace(old, new) if old else source)
        for name in ("linear", "conv2d", "tower"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        machine = bench.Machine("cpu", "a test", 1e9, 1e9)
        plan = bench.Plan(SMALL, COURSES_OWN.training)
        return list(bench.compare(plan, bench.load(tmp_path, plan.modules), machine))

    yield run
    for name in ("linear", "conv2d", "tower"):
        sys.modules.pop(name, None)


def test_every_layer_is_timed_both_ways_and_the_tower_in_training(run):
    timings = run()
    assert [(t.title, t.what) for t in timings] == [
        ("CustomLinear(6, 3)", "forward"),
        ("CustomLinear(6, 3)", "forward and backward"),
        ("CustomConv2d(1, 2, 3, padding=1).forward_im2col", "forward"),
        ("CustomConv2d(1, 2, 3, padding=1).forward_im2col", "forward and backward"),
        ("TowerOfInsight", "a step of training with Adam"),
    ]
    assert [t.problem for t in timings] == [""] * 5
    assert all(t.seconds > 0 and t.torch_seconds > 0 and t.ratio > 0 for t in timings)


def test_the_share_is_of_what_bounds_the_layer(run):
    linear = run()[0]
    best = max(2 * 4 * 3 * 6 / 1e9, 4 * (4 * 6 + 4 * 3 + 3 * 6) / 1e9)
    assert linear.share == pytest.approx(best / linear.seconds)
    assert linear.torch_share == pytest.approx(best / linear.torch_seconds)


PROBLEMS = {
    "not written yet": ("output = input @ self.weight.T", "raise NotImplementedError"),
    "its output is not torch's: see tower check": ("self.weight.T", "self.weight.T * 2"),
    "ZeroDivisionError: division by zero": ("output = input", "1 / 0; output = input"),
    "SyntaxError": ("import math", "import math; def"),
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_what_cannot_be_timed_says_why_and_the_others_are_timed(run, problem):
    timings = run(linear=PROBLEMS[problem])
    assert timings[0].problem.startswith(problem)
    assert timings[0].seconds == 0
    assert [t.problem for t in timings[2:4]] == ["", ""]


def test_the_table_fits_a_terminal_and_holds_every_figure(run):
    machine = bench.Machine("cpu", "2 threads", 77e9, 8e9)
    timings = [*run(), replace(run()[0], problem="::error::[bold]\nx")]
    console = Console(record=True, width=80, file=io.StringIO())
    bench.show(machine, timings, console)
    text = console.export_text()
    assert "77 GFLOP/s" in text
    assert f"{timings[0].ratio:8.2f}" in text
    assert "[bold]" in text
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())


def test_a_gpu_that_is_not_there_is_a_sentence(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert bench.choose("auto") == bench.choose("cpu") == "cpu"
    with pytest.raises(UsageError, match="--device cuda cannot be had"):
        bench.choose("cuda")


def test_on_the_cpu_what_is_for_gpus_is_left_out():
    on_gpu = bench.plan_of(ROOT / "assignments", "cuda")
    assert {layer.title for layer in on_gpu.layers} > {layer.title for layer in COURSES_OWN.layers}
    assert COURSES_OWN.modules == ["linear", "conv2d", "tower"]


PLANS = {
    "LAYERS = [{'modul': 'linear'}]": "does not say what to time: .*modul",
    "LAYERS = 3": "does not say what to time",
    "1 / 0": "does not say what to time: division by zero",
}


@pytest.mark.parametrize("text", PLANS)
def test_a_plan_that_is_wrong_is_a_usage_error(tmp_path, text):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "timings.py").write_text(text)
    with pytest.raises(UsageError, match=PLANS[text]):
        bench.plan_of(tmp_path, "cpu")


def test_a_course_may_have_nothing_timed(tmp_path):
    with pytest.raises(UsageError, match=r"There is no .*timings\.py"):
        bench.plan_of(tmp_path, "cpu")


def test_a_folder_without_modules_is_a_usage_error(tmp_path):
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "assignments" / "tests" / "timings.py", tmp_path / "tests")
    done = tower("bench", "--in", tmp_path)
    assert done.returncode == 2
    assert "holds none of linear.py" in " ".join(done.stderr.split())


def test_the_command_writes_its_figures(tmp_path):
    shutil.copy(ROOT / "assignments" / "linear.py", tmp_path)
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "assignments" / "tests" / "timings.py", tmp_path / "tests")
    figures = tmp_path / "figures.json"
    options = ["--in", str(tmp_path), "--device", "cpu", "--json", str(figures)]
    done = subprocess.run(  # it imports the modules, and others of their names are imported here
        [sys.executable, "-m", "autograder", "bench", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "not written yet" in done.stdout
    content = json.loads(figures.read_text())
    assert content["machine"]["device"] == "cpu"
    assert content["machine"]["flops"] > 0
    assert {timing["problem"] for timing in content["timings"]} == {
        "not written yet",
        "FileNotFoundError: there is no conv2d.py",
        "FileNotFoundError: there is no tower.py",
    }
