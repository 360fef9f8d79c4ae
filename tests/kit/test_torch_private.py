"""What the kit takes from torch's internals is there, and does what it is taken for.

A test that fails here says which part a new version of torch has changed. `make versions` runs them with
every version of docs/versions.md.
"""

import ast
import subprocess
import sys
import threading

import pytest
import torch
from helpers import ROOT
from torch import nn

from autograder.sandbox import torch_private

LEAN = ROOT / "student" / "tower_student" / "lean.py"
SOURCES = sorted([*(ROOT / "autograder").rglob("*.py"), *LEAN.parent.rglob("*.py")])


def private(path):
    """Names below torch that begin with one underscore, as a file uses or imports them; no operators."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Attribute):
            names = ast.unparse(node).split(".")
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [*node.module.split("."), *(alias.name for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [part for alias in node.names for part in alias.name.split(".")]
        if (
            names[:2] != ["torch", "ops"]
            and names
            and names[0] in ("torch", "torchvision", "nn", "layer", "model")
        ):
            yield from (n for n in names if n.startswith("_") and not n.startswith("__"))


def test_internals_are_touched_in_one_module():
    found = {str(p.relative_to(ROOT)): sorted(set(private(p))) for p in SOURCES}
    found = {path: names for path, names in found.items() if names}
    assert found.keys() == {
        "autograder/sandbox/torch_private.py",
        "student/tower_student/lean.py",
    }, found
    assert {"_C", "_dynamo", "_parameters", "_sleep"} <= set().union(*found.values())


def test_the_profiler_sees_operators_of_every_thread():
    """profile_all_threads came with 2.7; 2.6 raises TypeError."""
    x = torch.ones(2, 2)
    with torch_private.profiled() as names:
        thread = threading.Thread(target=lambda: torch.special.airy_ai(x))
        thread.start()
        thread.join()
        torch.nn.functional.linear(x, x)
    assert {"aten::special_airy_ai", "aten::linear"} <= names.keys()


def test_the_profiler_names_autograds_engine():
    x = torch.ones(2, requires_grad=True)
    with torch_private.profiled() as names:
        (x * 2).sum().backward()
    assert any(name.startswith("autograd::engine") for name in names)


@pytest.mark.parametrize(
    ("args", "kwargs", "expected"),
    [
        (("cuda",), {}, ("cuda", None)),
        ((torch.float64,), {}, (None, torch.float64)),
        (("cpu", torch.float16), {"non_blocking": True}, ("cpu", torch.float16)),
        ((), {"device": "meta", "dtype": torch.int64}, ("meta", torch.int64)),
    ],
)
def test_arguments_of_to_are_taken_apart(args, kwargs, expected):
    device, dtype = torch_private.parse_to(*args, **kwargs)
    assert (device.type if device else None, dtype) == expected


def test_a_tensor_under_a_transform_is_known():
    seen = []
    torch.func.vmap(lambda x: seen.append(torch_private.is_transformed(x)) or x)(torch.ones(2))
    assert seen == [True]
    assert not torch_private.is_transformed(torch.ones(2))


def test_a_subclass_has_no_say():
    class Loud(torch.Tensor):
        @classmethod
        def __torch_function__(cls, *args, **kwargs):
            raise AssertionError

    loud = torch.ones(2).as_subclass(Loud)
    with torch_private.without_subclass():
        assert torch.Tensor.sum(loud).dim() == 0


def test_parameters_that_are_none_are_known():
    assert torch_private.registered_as_none(nn.Linear(2, 2, bias=False)) == ["bias"]
    assert torch_private.registered_as_none(nn.Linear(2, 2)) == []


def test_a_gpu_can_be_kept_busy():
    assert callable(torch.cuda._sleep)


def test_a_dispatch_mode_sees_operators():
    seen = []

    class Mode(torch_private.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            seen.append(func.overloadpacket)
            return func(*args, **(kwargs or {}))

    with Mode():
        torch.ones(2) + 1
    assert torch.ops.aten.add in seen


EAGER = {
    "SGD": "torch.optim.SGD(p, 0.1, momentum=0.9).step()",
    "Adam": "torch.optim.Adam(p).step()",
    "zero_grad": "torch.optim.AdamW(p).zero_grad()",
    "scheduler": "torch.optim.lr_scheduler.StepLR(torch.optim.SGD(p, 0.1), 1)",
    "func.grad": "torch.func.grad(lambda x: (x * x).sum())(torch.ones(2))",
    "func.vmap": "torch.func.vmap(torch.sin)(torch.ones(2))",
    "functional_call": "torch.func.functional_call(layer, {'weight': torch.ones(2, 2)}, torch.ones(2))",
}
START = (
    "import sys, torch; from tower_student import lean\n"
    "lean.make_lean()\n"
    "layer = torch.nn.Linear(2, 2); layer(torch.ones(2)).sum().backward(); p = list(layer.parameters())\n"
)


def python(text):
    """What a fresh interpreter prints."""
    command = [sys.executable, "-c", text]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_eager_code_does_without_the_compiler():
    loaded = "'config' in vars(sys.modules['torch._dynamo'])"
    lines = [f"{line}\nif {loaded}: sys.exit('{name} loads it')" for name, line in EAGER.items()]
    python(START + "\n".join(lines))


def test_the_compiler_is_there_for_who_asks():
    text = START + "import torch._dynamo.config\nprint(torch._dynamo.config.verbose)"
    assert python(text) == "False\n"


def test_comparing_asks_nothing_about_several_machines():
    """_HAS_DTENSOR is there from 2.12 on; before, nothing is asked."""
    text = (
        "import sys; from tower_student import lean\n"
        "lean.no_distributed_tensors(); import torch\n"
        "torch.testing.assert_close(torch.ones(1), torch.ones(1))\n"
        "print('torch.distributed.tensor' in sys.modules)"
    )
    assert python(text) == "False\n"


def seen_and_dispatched(work):
    with torch_private.profiled() as seen, torch_private.Dispatched() as dispatched:
        work()
    return seen, dispatched.names


def test_the_profiler_sees_twice_what_the_mode_sees():
    x = torch.ones(2, 3, requires_grad=True)
    seen, dispatched = seen_and_dispatched(lambda: (x @ torch.ones(3, 2)).data.sum().item())
    assert dispatched["aten::mm"] == 1
    assert all(seen[name] >= 2 * count for name, count in dispatched.items())


def test_the_profiler_sees_less_where_records_are_switched_off():
    def quiet():
        torch.autograd._enable_record_function(False)
        try:
            torch.nn.functional.linear(torch.ones(2, 3), torch.ones(2, 3))
        finally:
            torch.autograd._enable_record_function(True)

    seen, dispatched = seen_and_dispatched(quiet)
    assert dispatched["aten::mm"] == 1
    assert seen["aten::mm"] == 0


@pytest.mark.parametrize("transform", [False, True], ids=["backward", "torch.func"])
def test_a_skewed_backward_pass_gives_another_derivative_and_the_same_value(transform):
    def f(x):
        return (x * x).sum()

    x = torch.tensor([3.0], requires_grad=True)
    with torch_private.Skewed():
        value = f(x.detach())
        if transform:
            gradient = torch.func.grad(f)(x.detach())
        else:
            f(x).backward()
            gradient = x.grad
    assert value == 9
    assert gradient != 6
