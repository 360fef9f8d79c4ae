"""Whose fault a failure is: the grader's own test, and what becomes of a check that it cannot judge."""

import re
import shutil
from dataclasses import replace

import pytest
from command import tower
from helpers import ROOT, checks_of, failed, problems_of
from test_grading import OWN, suite_of_one

from autograder import broker as broker_module
from autograder import doctor, pool, selftest
from autograder.broker import ZYGOTE, Broker
from autograder.errors import GraderFault
from autograder.export.view import message
from autograder.grading import grade
from autograder.suite import student
from tower_student.submission import Submission

pytestmark = pytest.mark.sandbox

BROKEN = ROOT / "tests" / "support" / "broken_zygote.py"
AT_START = {
    "addresses": "memory: .*alloc",
    "library": "memory: ImportError: .*failed to map segment",
    "profiler": r"watched operators: TypeError: __init__\(\): incompatible",
    "gradients": r"gradients: grad input is \[5.5, .*expected \[11",
    "crash": "watched operators: the process ended",
}
"""What is broken, and what the self-test says of it."""


@pytest.fixture
def broken(monkeypatch, tmp_path):
    """Have workers forked where this is broken; the path of the zygote.

    What is recorded by chance is not, so that the profiler is needed where operators are watched alone.
    """
    monkeypatch.setattr(student, "WATCHED", 0.0)

    def broken(what):
        text = BROKEN.read_text().replace("@ZYGOTE@", str(ZYGOTE))
        program = tmp_path / "zygote.py"
        program.write_text(f"{text}\n\nrun({what})\n")
        monkeypatch.setattr(broker_module, "ZYGOTE", program)
        return program

    return broken


def test_here_every_part_is_answered_rightly(course, broker):
    found = list(selftest.examine(broker))
    assert {answer.kind: answer.wrong for answer in found if answer.wrong} == {}
    assert len(found) == 11
    assert selftest.demand_sound(broker) is None


def test_its_numbers_are_those_of_its_module():
    """The same questions, answered by torch itself in this process."""
    import torch

    space: dict = {}
    exec(selftest.SOURCE, space)
    layer = space["Product"](2, 3).double()
    weight = torch.tensor(selftest.WEIGHT, dtype=torch.float64).view(3, 2)
    layer.load_state_dict({"weight": weight})
    x = torch.tensor(selftest.INPUT, dtype=torch.float64).view(2, 2).requires_grad_()
    output = layer(x)
    output.backward(torch.tensor(selftest.UPSTREAM, dtype=torch.float64).view(2, 3))
    assert output.flatten().tolist() == list(selftest.OUTPUT)
    assert x.grad.flatten().tolist() == list(selftest.GRADIENTS["grad input"])
    assert layer.weight.grad.flatten().tolist() == list(selftest.GRADIENTS["grad weight"])
    optimizer = torch.optim.Adam(layer.parameters(), lr=selftest.RATE)
    loss = space["train"](layer, x.detach(), torch.zeros(2, 3, dtype=torch.float64), optimizer)
    assert loss == pytest.approx(selftest.LOSS)
    assert layer.weight.flatten().tolist() == pytest.approx(selftest.TRAINED)


@pytest.mark.parametrize("what", AT_START)
def test_a_broken_machine_is_reported_before_a_submission_is_graded(broken, what):
    broken(what)
    done = tower("grade", "solutions", "--fit", "off", "--only", "linear")
    assert done.returncode == 3, done.stderr
    assert done.stdout == ""
    text = " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in text
    assert re.search(AT_START[what], text), text
    assert "a fault of the machine or of the kit, not of a submission" in text


@pytest.mark.parametrize("what", ["library", "profiler", "crash", "meta"])
def test_no_point_is_lost_where_a_machine_breaks_later(broken, course, solutions, what):
    """The same without the test at the start: each failure is followed up."""
    broken(what)
    with Broker(course.policy, [course.root]) as broker:
        submission = Submission("x", solutions, {})
        report = grade(course, submission, broker, seed=1, fit="off", only=["linear"])
    assert report.faults
    assert failed(report) == set()
    assert report.score == report.max_score
    unjudged = {c.id for c in checks_of(report).values() if "no point" in message(c)}
    assert unjudged == {fault.partition(":")[0] for fault, _ in report.faults}
    assert all("self-test failed at" in fault for fault, _ in report.faults)
    by_hand = {"linear.by_hand"}
    expected = {"meta": {"linear.meta_device"}, "profiler": by_hand, "crash": by_hand}
    assert unjudged == expected.get(what, unjudged)


def test_a_submission_that_is_wrong_as_well_still_loses_its_points(broken, course, solutions):
    broken("profiler")
    wrong = solutions["linear"].replace(b"bound = 1 /", b"bound = 2 /")
    assert wrong != solutions["linear"]
    with Broker(course.policy, [course.root]) as broker:
        submission = Submission("x", solutions | {"linear": wrong}, {})
        report = grade(course, submission, broker, seed=1, fit="off", only=["linear"])
    assert failed(report) == {"linear.initialisation"}
    assert [fault.partition(":")[0] for fault, _ in report.faults] == ["linear.by_hand"]


def test_too_little_memory_in_course_toml_is_reported(course):
    with (
        Broker(replace(course.policy, memory=100 << 20)) as broker,
        pytest.raises(GraderFault, match="self-test failed at memory"),
    ):
        selftest.demand_sound(broker)


def test_a_process_of_the_pool_passes_on_what_its_self_test_found(broken, course):
    """Not "a process was killed": that is what a pool says of a process that does not begin."""
    # Its processes are fresh interpreters, which know nothing of the patch.
    broken_policy = replace(course, policy=replace(course.policy, memory=100 << 20))
    with pytest.raises(GraderFault, match="self-test failed at memory"):
        list(pool.each(work, broken_policy, [1, 2, 3], 2))


def work(course, broker, job):
    return job


def test_the_doctor_shows_each_part(broken, course):
    broken("profiler")
    diagnosis = doctor.examine(course)
    tested = {f.title: f for f in diagnosis.findings if f.is_self_test}
    assert len(tested) == 11
    bad = tested["self-test: watched operators"]
    assert [f for f in tested.values() if f.state != "good"] == [bad]
    assert "incompatible" in bad.found
    assert not diagnosis.is_sound
    done = tower("doctor")
    assert done.returncode == 3


# A slip in a question


SLIPS = {
    "operation": ("student.ask(protocol.Forwrad(1))", "no attribute 'Forwrad'"),
    "argument": ("student.ask(protocol.State(handel=1))", "unexpected .* 'handel'"),
    "type": ("student.ask(protocol.State('one'))", "State.handle is 'one'; expected int"),
    "value": ("student.f({'a': 1})", "cannot cross: dict"),
    "device": ("student.create('F', (), {}).to('gpu')", "device 'gpu', which does not exist"),
    "seed": ("student.call('f', seed=0.5)", "Call.seed is 0.5; expected int"),
    "library": ("student.library('nn.Liner', 2, 3)", "nn.Liner, which does not exist"),
    "layout": ("student.f(Input(torch.ones(2), 'tranposed'))", "layout 'tranposed'"),
    "name": ("undefined", "NameError"),
}


@pytest.mark.parametrize("what", SLIPS)
def test_a_slip_in_a_question_is_no_fault_of_the_students(tmp_path, course, broker, what):
    line, expected = SLIPS[what]
    text = (
        "import torch\nfrom autograder.sandbox import protocol\n"
        "from autograder.suite.student import Input\n"
        f"def test_forward(student):\n    {line}\n    student.settle()\n"
    )
    report = grade(suite_of_one(course, tmp_path, text), OWN, broker, seed=1, fit="off")
    ((fault, _),) = report.faults
    assert re.search(expected, fault), fault
    (check,) = checks_of(report).values()
    assert (check.status, check.max_score) == ("not_verified", 0)


def test_a_slip_in_a_question_ends_the_command_with_3(tmp_path):
    course = tmp_path / "course"
    shutil.copytree(ROOT / "tests" / "kit" / "courses" / "attention", course)
    test = course / "tests" / "hidden" / "test_softmax.py"
    slip = "    from autograder.sandbox import protocol\n    student.ask(protocol.Forwrad(1))\n"
    test.write_text(test.read_text().replace("    candidates = [", f"{slip}    candidates = ["))
    done = tower("grade", course / "solutions", "--course", course)
    assert done.returncode == 3, done.stderr
    said = " ".join((done.stdout + done.stderr).split())
    assert "softmax.values" in said
    assert "no attribute 'Forwrad'" in said
    assert "Likely cause" not in said


# Workers that end


KILL = """
import signal

times = 0

def test_forward(student):
    global times
    times += 1
    if times <= {times}:
        signal.pidfd_send_signal(student.session.worker._pidfd, signal.SIGKILL)
    student.use_threads(1)
"""


@pytest.mark.parametrize("without", [(), ("namespaces", "uid")])
@pytest.mark.parametrize(("times", "status"), [(1, "passed"), (2, "not_verified")])
def test_a_worker_that_is_killed_from_outside_costs_nothing(
    tmp_path, course, without, times, status
):
    suite = suite_of_one(course, tmp_path, KILL.format(times=times))
    with Broker(course.policy, without=without) as broker:
        report = grade(suite, OWN, broker, seed=1, fit="off")
    (check,) = checks_of(report).values()
    assert check.status == status
    assert bool(report.faults) == (status != "passed")
    assert all("killed from outside" in fault for fault, _ in report.faults)


def test_a_fork_server_that_is_killed_costs_nothing(tmp_path, course):
    text = KILL.replace("pidfd_send_signal(student.session.worker._pidfd", "raise_in(student")
    text = text.replace(
        "import signal",
        "import os, types\n"
        "signal = types.SimpleNamespace(SIGKILL=9, raise_in=lambda student, number: "
        "os.kill(student.session.worker._broker._zygote.pid, number))",
    )
    with Broker(course.policy) as broker:
        report = grade(
            suite_of_one(course, tmp_path, text.format(times=1)), OWN, broker, seed=1, fit="off"
        )
    assert report.faults == ()
    assert report.score == report.max_score == 20


@pytest.mark.parametrize(("mebibytes", "is_fault"), [(100, True), (1000, False)])
def test_who_had_taken_the_memory_that_was_wanting_is_to_blame(
    tmp_path, course, mebibytes, is_fault
):
    """As the kernel does it: what has taken too much is killed. Otherwise nobody's work may suffer for it."""
    own = Submission("x", {"own": f"x = bytearray({mebibytes} << 20)\n".encode()}, {})
    suite = suite_of_one(course, tmp_path, KILL.format(times=2))
    with Broker(course.policy) as broker:
        report = grade(suite, own, broker, seed=1, fit="off")
    assert bool(report.faults) == is_fault
    (check,) = checks_of(report).values()
    assert check.status == ("not_verified" if is_fault else "failed")


ENDS = {
    "leaves": "import os\nos._exit(9)",
    "kills itself": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "kills its thread": "import signal, threading\nsignal.pthread_kill(threading.get_ident(), 9)",
    "aborts": "import os\nos.abort()",
    "reads where nothing is": "import ctypes\nctypes.string_at(8)",
    "closes its channel": "import os, time\nos.close(101)\nos.close(100)\ntime.sleep(60)",
    "uses up its time": "while True: pass",
    "takes time from itself": (
        "import ctypes, resource\n"
        "limit = (ctypes.c_ulong * 2)(1, 1)\n"
        "ctypes.CDLL(None).setrlimit(resource.RLIMIT_CPU, limit)\n"
        "while True: pass"
    ),
    "asks to end with its parent": (
        "import ctypes, time\nctypes.CDLL(None).prctl(1, 9)\ntime.sleep(1)\nraise SystemExit"
    ),
    "sets a timer that kills": (
        "import ctypes, time\n"
        "event = (ctypes.c_char * 64)()\n"
        "ctypes.memmove(event, bytes(8) + (9).to_bytes(4, 'little') + bytes(4), 16)\n"
        "timer = ctypes.c_void_p()\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "assert libc.timer_create(1, event, ctypes.byref(timer)) == 0, 'no timer'\n"
        "libc.timer_settime(timer, 0, (ctypes.c_long * 4)(0, 0, 0, 1000), None)\n"
        "time.sleep(60)"
    ),
    "raises without a line": "exec(compile('raise MemoryError', 'numpy.py', 'exec'), {})",
    "raises from elsewhere": "import json\njson.loads = None\nexec('raise ImportError(1)')",
}


@pytest.fixture(scope="module", params=[(), ("namespaces", "uid")], ids=["locked", "less"])
def short_lives(request, course):
    """A broker whose workers have little time."""
    policy = replace(course.policy, cpu_seconds=3, import_seconds=5.0)
    with Broker(policy, [course.root], without=request.param) as broker:
        yield broker


@pytest.mark.parametrize("what", ENDS)
def test_a_submission_cannot_pass_its_end_off_as_a_fault(course, short_lives, what):
    """However it ends, it fails; a fault would take the check out of the maximum."""
    source = ENDS[what].encode()
    submission = Submission("x", {"linear": source}, problems_of({"linear": source}, course))
    report = grade(course, submission, short_lives, seed=1, fit="off", only=["linear"])
    assert report.faults == ()
    assert report.score == 0
    assert report.max_score == 20
