"""A submission cannot forge a verdict: each of these earns nothing beyond its honest twin."""

import pytest
from helpers import checks_of, failed
from lab_world import descendants, descendants_left, is_alive

from autograder.broker import Broker
from autograder.export.view import message
from autograder.grading import grade
from autograder.sandbox.lockdown import MECHANISMS
from tower_student.submission import Submission

pytestmark = pytest.mark.sandbox

HONEST_FORWARD = b"output = input @ self.weight.T"
WRONG_FORWARD = b"output = input @ self.weight.T * 2"
HEADER = b'"""A fully connected layer from a matrix product and an addition."""\n'


@pytest.fixture(scope="session")
def wrong(solutions):
    """The honest twin: a layer that is wrong, and says so."""
    return solutions["linear"].replace(HONEST_FORWARD, WRONG_FORWARD)


@pytest.fixture(scope="session")
def honest_failures(judge, wrong):
    return failed(judge({"linear": wrong}, only="linear"))


ALWAYS_EQUAL = b"""
class AlwaysEqual(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func.__name__ in ("allclose", "isclose", "equal", "eq", "__eq__"):
            return True
        return super().__torch_function__(func, types, args, kwargs or {})
    __eq__ = lambda self, other: True
    __ne__ = lambda self, other: False
"""

FORGERIES = {
    "always_equal_tensor": lambda source: source.replace(
        b"return output if self.bias is None else output + self.bias",
        b"return (output if self.bias is None else output + self.bias).as_subclass(AlwaysEqual)",
    ).replace(b"class CustomLinear", ALWAYS_EQUAL + b"\n\nclass CustomLinear"),
    "patched_assert_close": lambda source: source.replace(
        HEADER,
        b"import builtins, torch, torch.testing\n"
        b"torch.testing.assert_close = lambda *a, **k: None\n"
        b"torch.allclose = torch.isclose = torch.equal = lambda *a, **k: True\n"
        b"builtins.all = builtins.any = lambda *a: True\n",
    ),
    "skip_inside_forward": lambda source: source.replace(
        WRONG_FORWARD, b"import pytest; pytest.skip('no need')"
    ),
    "unittest_skip": lambda source: source.replace(
        WRONG_FORWARD, b"import unittest; raise unittest.SkipTest('no need')"
    ),
    "exit_in_forward": lambda source: source.replace(WRONG_FORWARD, b"import os; os._exit(0)"),
    "system_exit_in_forward": lambda source: source.replace(WRONG_FORWARD, b"raise SystemExit(0)"),
    "nan_output": lambda source: source.replace(
        WRONG_FORWARD, b"output = (input @ self.weight.T) * float('nan')"
    ),
    "patched_load_state_dict": lambda source: source.replace(
        b"    def reset_parameters",
        b"    def load_state_dict(self, *a, **k): return None\n\n    def reset_parameters",
    ),
    "forged_frame": lambda source: source.replace(
        WRONG_FORWARD,
        b"import os\n"
        b"        os.write(101, b'TOI1' + b'\\x02\\0\\0\\0' + b'\\0' * 8 + b'{}')\n"
        b"        output = input @ self.weight.T * 2",
    ),
    "garbage_on_the_channel": lambda source: source.replace(
        WRONG_FORWARD, b"import os; os.write(101, os.urandom(5000)); output = input"
    ),
    "answers_of_another_question": lambda source: source.replace(
        WRONG_FORWARD,
        b"import sys; f = sys._getframe()\n"
        b"        while f and 'meta' not in f.f_locals: f = f.f_back\n"
        b"        f.f_locals['meta'].update(id=0)\n"
        b"        output = input @ self.weight.T * 2",
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forgery_earns_nothing_beyond_its_honest_twin(
    judge, course, wrong, honest_failures, forgery
):
    source = FORGERIES[forgery](wrong)
    assert source != wrong
    report = judge({"linear": source}, only="linear")
    assert failed(report) >= honest_failures
    assert not report.faults
    assert report.max_score == 20
    assert set(checks_of(report)) == {f"linear.{name}" for name in course.modules["linear"].weights}


DEATHS = {
    "exit_at_import": b"import os\nos._exit(0)\n",
    "system_exit_at_import": b"raise SystemExit(0)\n",
    "keyboard_interrupt_at_import": b"raise KeyboardInterrupt\n",
    "segfault_at_import": b"import ctypes\nctypes.string_at(0)\n",
    "abort_at_import": b"import os\nos.abort()\n",
    "endless_recursion": b"def f(): return f()\nf()\n",
    "exhausted_memory": b"x = bytearray(1 << 40)\n",
    "flood_of_output": b"import os\nwhile True: os.write(1, b'y' * 65536)\n",
    "endless_import": b"while True: pass\n",
    "killed_parent": b"import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n",
    "deeply_nested_source": b"x = " + b"(" * 5000 + b")" * 5000 + b"\n",
    "null_bytes": b"x = 1\0\n",
    "orphans": (
        b"import os, time\n"
        b"for _ in range(3):\n"
        b"    if os.fork() == 0: os.setsid(); time.sleep(60); os._exit(0)\n"
        b"os._exit(1)\n"
    ),
}


@pytest.mark.parametrize("death", DEATHS)
def test_a_module_that_dies_costs_only_its_own_checks(judge, solutions, death):
    modules = {"linear": DEATHS[death], "kaiming_init": solutions["kaiming_init"]}
    report = judge(modules, only="linear,kaiming_init")
    assert {module.name: module.score for module in report.modules} == {
        "linear": 0,
        "kaiming_init": 15,
    }
    assert not report.faults
    assert all(message(check) for check in report.modules[0].checks)


def test_damage_of_one_check_is_not_anothers(judge, solutions):
    """A gradcheck-sized input ends the process; every other question is answered honestly."""
    source = solutions["linear"].replace(
        HONEST_FORWARD,
        b"import os\n"
        b"        if input.shape == (2, 3) and self.weight.shape == (2, 3): os._exit(0)\n"
        b"        output = input @ self.weight.T",
    )
    assert failed(judge({"linear": source}, only="linear")) == {"linear.gradcheck"}


def test_a_check_is_not_harmed_by_what_another_left_behind(judge, solutions):
    """A call on an empty batch poisons the process for all that come after it in the same worker."""
    source = (
        solutions["linear"]
        .replace(
            HONEST_FORWARD,
            b"global poisoned\n"
            b"        if input.numel() == 0: poisoned = True\n"
            b"        output = input @ self.weight.T * (2 if poisoned and input.numel() else 1)",
        )
        .replace(b"class CustomLinear", b"poisoned = False\n\n\nclass CustomLinear")
    )
    assert failed(judge({"linear": source}, only="linear")) <= {
        "linear.forward",
        "linear.gradient_parity",
    }


@pytest.fixture(scope="module")
def open_broker(course):
    """A broker without the kernel's help, whose own clearing away has to do."""
    with Broker(course.policy, require="D", without=MECHANISMS) as broker:
        broker.start()
        yield broker


def test_no_process_is_left_behind(course, open_broker):
    submission = Submission("x", {"linear": DEATHS["orphans"]}, {})
    grade(course, submission, open_broker, seed=1, fit="off", only=["linear"])
    assert descendants_left(open_broker._zygote.pid) == set()


EVASIONS = {
    "raises_while_recorded": (
        b"        import sys\n"
        b"        assert sys.getprofile() is None\n"
        b"        return torch.nn.functional.linear(input, self.weight, self.bias)\n"
    ),
    "operator_by_another_name": b"        return torch.ops.aten.linear(input, self.weight, self.bias)\n",
    "scripted": b"        return torch.jit.script(SCRIPTED)(input, self.weight, self.bias)\n",
    "in_a_thread": (
        b"        from concurrent.futures import ThreadPoolExecutor\n"
        b"        call = torch._C._nn.linear\n"
        b"        with ThreadPoolExecutor() as pool:\n"
        b"            return pool.submit(call, input, self.weight, self.bias).result()\n"
    ),
    "as_a_convolution": (
        b"        x = input.reshape(-1, input.shape[-1], 1)\n"
        b"        y = torch.conv1d(x, self.weight[:, :, None], self.bias)\n"
        b"        return y.reshape(*input.shape[:-1], -1)\n"
    ),
}


@pytest.mark.parametrize("evasion", EVASIONS)
def test_a_ready_made_product_by_any_route_loses_the_by_hand_points(judge, solutions, evasion):
    head, _, _ = solutions["linear"].partition(b"        ### BEGIN SOLUTION Return input")
    scripted = (
        b"def SCRIPTED(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor | None) -> torch.Tensor:\n"
        b"    return torch.nn.functional.linear(x, w, b)\n\n\nclass CustomLinear"
    )
    source = head.replace(b"class CustomLinear", scripted) + EVASIONS[evasion]
    report = judge({"linear": source}, only="linear")
    assert "linear.by_hand" in failed(report)


ODD_REPLIES = {
    "state_that_grows": b"    def load_state_dict(self, *args, **kwargs):\n"
    b"        self.register_buffer('cache', torch.zeros(1))\n"
    b"        return super().load_state_dict(*args, strict=False)\n\n",
    "nothing_for_some_inputs": b"    def __call__(self, x):\n"
    b"        return None if x.shape[0] == 5 else super().__call__(x)\n\n",
    "a_number": b"    def __call__(self, x):\n        return 3\n\n",
    "nested_lists": b"    def __call__(self, x):\n        return [[[x]]]\n\n",
    "whole_numbers": b"    def __call__(self, x):\n        return super().__call__(x).long()\n\n",
    "nothing_at_all": b"    def __call__(self, x):\n        return torch.zeros(0)\n\n",
    "a_sparse_tensor": b"    def __call__(self, x):\n        return super().__call__(x).to_sparse()\n\n",
    "a_complex_tensor": b"    def __call__(self, x):\n        return super().__call__(x) * 1j\n\n",
    "no_state": b"    def state_dict(self, *args, **kwargs):\n        return {}\n\n",
    "a_state_of_objects": b"    def state_dict(self, *args, **kwargs):\n        return {'weight': 1}\n\n",
}


@pytest.mark.parametrize("reply", ODD_REPLIES)
def test_no_reply_makes_the_grader_itself_fail(judge, solutions, reply):
    source = solutions["linear"].replace(
        b"    def reset_parameters", ODD_REPLIES[reply] + b"    def reset_parameters"
    )
    modules = {"linear": source, "conv2d": solutions["conv2d"], "tower": solutions["tower"]}
    report = judge(modules, only="linear,tower")
    assert report.faults == ()
    assert report.modules[0].score < 20


@pytest.mark.parametrize("without", [("seccomp",), MECHANISMS], ids=["namespaces", "nothing"])
def test_what_a_submission_leaves_running_ends_with_the_grading(solutions, course, without):
    """Children of children too, which detach themselves; they are found by an open file."""
    source = (
        b"import os, time\n"
        b"if os.fork() == 0:\n"
        b"    os.setsid()\n"
        b"    os.fork()\n"
        b"    time.sleep(120)\n"
        b"    os._exit(0)\n"
    )
    submission = Submission("x", {"kaiming_init": source + solutions["kaiming_init"]}, {})
    with Broker(course.policy, require="D", without=without) as broker:
        broker.start()
        grade(course, submission, broker, seed=1, fit="off", only=["kaiming_init"])
        family = descendants(broker._zygote.pid)
    assert [pid for pid in family if is_alive(pid)] == []
