"""The whole of it: solutions earn everything, skeletons nothing, and a seed repeats a run."""

import signal
from dataclasses import replace

import pytest
from helpers import checks_of, failed, without_stand_ins

from autograder.course import Course, Module, Plan
from autograder.errors import CourseError
from autograder.export.view import message
from autograder.grading import grade
from autograder.release import skeleton
from tower_student.submission import Submission


@pytest.mark.parametrize("seed", range(20))
def test_the_solutions_earn_every_point_for_any_seed(judge, solutions, seed):
    report = judge(solutions, seed=seed)
    assert failed(report) == set()
    assert (report.score, report.max_score) == (100, 100)


@pytest.mark.fit
@pytest.mark.parametrize("seed", range(3))
def test_the_solutions_pass_the_fit_for_any_seed(judge, solutions, seed):
    """Two more seeds: test_a_seed_repeats_the_fit, test_a_grading_with_the_fit_leaves_no_file."""
    modules = {name: solutions[name] for name in ("linear", "conv2d", "tower")}
    report = judge(modules, only="tower", seed=seed, fit="quick")
    assert failed(report) == set()
    assert (report.score, report.max_score) == (20, 20)


@pytest.mark.parametrize("seed", range(5))
def test_the_skeletons_earn_nothing(judge, broker, solutions, seed):
    """And cost little: what is not written is not asked again in a worker of its own."""
    skeletons = {n: skeleton(source.decode(), n).encode() for n, source in solutions.items()}
    before = next(broker._numbers)
    report = judge(skeletons, seed=seed)
    assert next(broker._numbers) - before < len(checks_of(report)) / 4
    assert (report.score, report.max_score) == (0, 100)
    for check in checks_of(report).values():
        assert check.status == "failed" or check.max_score == 0


def without_seconds(report):
    modules = [
        replace(module, checks=tuple(replace(check, seconds=0.0) for check in module.checks))
        for module in report.modules
    ]
    return replace(report, seconds=0.0, modules=tuple(modules))


def test_a_seed_repeats_a_run_exactly(judge, solutions):
    wrong = solutions | {"linear": solutions["linear"].replace(b"input @", b"0.5 * input @")}
    first, second = (without_seconds(judge(wrong, seed=11)) for _ in range(2))
    assert first == second
    assert without_seconds(judge(wrong, seed=12)) != first


@pytest.mark.fit
def test_a_seed_repeats_the_fit(judge, solutions):
    modules = {name: solutions[name] for name in ("linear", "conv2d", "tower")}
    runs = [judge(modules, only="tower", seed=5, fit="quick") for _ in range(2)]
    first, second = (message(checks_of(run)["tower.mnist_fit"]) for run in runs)
    assert first == second
    assert "% of 10,000 held-out images" in first
    assert (runs[0].score, runs[0].max_score) == (20, 20)


def test_without_the_fit_its_points_go_to_the_towers_other_checks(judge, solutions):
    checks = checks_of(judge(solutions, only="tower"))
    assert checks["tower.mnist_fit"].status == "not_verified"
    assert checks["tower.mnist_fit"].max_score == 0
    assert sum(check.max_score for check in checks.values()) == 20


def test_only_grades_what_was_asked_for(judge, solutions):
    report = judge(solutions, only="linear,kaiming_init")
    assert [module.name for module in report.modules] == ["linear", "kaiming_init"]
    assert report.max_score == 35


UNTRAINED = b"""
def train_epoch(model, batches, criterion, optimizer):
    return 0.0
"""

MEMORISED = b"""
first = []

def train_epoch(model, batches, criterion, optimizer):
    # Weights from elsewhere: here, those of a tower trained on the first batch alone.
    batches = list(batches)
    first[:] = first or batches[:1]
    return honest_train_epoch(model, first * len(batches), criterion, optimizer)
"""


@pytest.mark.fit
@pytest.mark.parametrize(
    ("cheat", "words"),
    [
        (UNTRAINED, "has not moved as the first 2 batches"),
        (MEMORISED, "held-out images are read right"),
    ],
    ids=["untrained", "memorised"],
)
def test_a_tower_that_does_not_learn_fails_the_fit(course, broker, solutions, cheat, words):
    tower = solutions["tower"].replace(b"def train_epoch", b"def honest_train_epoch") + cheat
    submission = Submission("cheat", solutions | {"tower": tower}, {})
    course, checks = without_stand_ins(course), ["tower.mnist_fit"]
    report = grade(course, submission, broker, seed=1, fit="quick", checks=checks)
    assert failed(report) == {"tower.mnist_fit"}
    assert words in message(checks_of(report)["tower.mnist_fit"])


@pytest.mark.fit
def test_slow_bricks_do_not_cost_the_fit(course, broker, solutions):
    """A right layer too slow for the whole fit leaves it to stand-ins, and the tower passes."""
    slow = solutions["linear"].replace(
        b"output = input @ self.weight.T",
        b"import time; time.sleep(0.5 if self.training and len(input) == 64 else 0)\n"
        b"        output = input @ self.weight.T",
    )
    submission = Submission("slow", solutions | {"linear": slow}, {})
    course = replace(course, policy=replace(course.policy, fit_seconds=120.0))
    report = grade(course, submission, broker, seed=1, fit="quick", checks=["tower.mnist_fit"])
    assert failed(report) == set(), message(checks_of(report)["tower.mnist_fit"])
    assert "not over yours" in message(checks_of(report)["tower.mnist_fit"])


def test_a_slow_brick_costs_the_tower_nothing(judge, solutions):
    """A right convolution that exceeds a check's time with the Tower leaves it to stand-ins."""
    slow = solutions["conv2d"].replace(
        b"        if input.is_cuda:",
        b"        import time\n"
        b"        if self.weight.shape[0] == 64 and len(input) == 5: time.sleep(6)\n"
        b"        if input.is_cuda:",
    )
    modules = {"linear": solutions["linear"], "conv2d": slow, "tower": solutions["tower"]}
    report = judge(modules, only="linear,conv2d,tower")
    assert failed(report) == set()
    assert "not over yours" in report.modules[-1].note


def test_an_endless_loop_costs_only_the_checks_that_meet_it(course, broker, solutions):
    endless = solutions["kaiming_init"].replace(
        b"    bound = gain * math.sqrt(6", b"    while True: pass\n    bound = gain * math.sqrt(6"
    )
    submission = Submission("endless", {"kaiming_init": endless}, {})
    course = replace(course, policy=replace(course.policy, check_seconds=1.0))
    report = grade(course, submission, broker, seed=1, fit="off", only=["kaiming_init"])
    assert "kaiming_init.kaiming_uniform" not in failed(report)
    assert "kaiming_init.xavier_uniform" in failed(report)
    assert "did not finish in time" in message(checks_of(report)["kaiming_init.xavier_uniform"])


RIGHT = {
    "function_called_Linear": (
        "linear",
        b"output = input @ self.weight.T",
        b"output = Linear.apply(input) @ self.weight.T",
        b"class Linear(torch.autograd.Function):\n"
        b"    @staticmethod\n"
        b"    def forward(ctx, x):\n        return x.clone()\n\n"
        b"    @staticmethod\n"
        b"    def backward(ctx, gradient):\n        return gradient\n\n\n",
    ),
    "bricks_called_by_keyword": ("tower", b"self.conv1(input)", b"self.conv1(input=input)", b""),
    "what_the_skeleton_gives": (
        "tower",
        b"from conv2d import CustomConv2d",
        b"from conv2d import CustomConv2d, im2col, output_size, pair",
        b"",
    ),
    "another_default_dtype": (
        "kaiming_init",
        b"import math\n",
        b"import math\nimport torch\ntorch.set_default_dtype(torch.float64)\n",
        b"",
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_but_unusual_loses_nothing(judge, solutions, name):
    module, old, new, before = RIGHT[name]
    assert solutions[module].count(old) == 1
    source = (
        solutions[module].replace(old, new).replace(b"class Custom", before + b"class Custom", 1)
    )
    report = judge(solutions | {module: source}, only=module)
    assert failed(report) == set(), [message(check) for check in checks_of(report).values()]


def test_a_tower_over_a_missing_brick_gets_its_own_mistake(judge, solutions):
    wrong = solutions["tower"].replace(b"        optimizer.zero_grad()\n", b"")
    report = judge({"conv2d": solutions["conv2d"], "tower": wrong}, only="linear,conv2d,tower")
    text = message(checks_of(report)["tower.train_epoch"])
    assert "after" in text
    assert "ModuleNotFoundError" not in text


def suite_of_one(course, folder, text, **limits):
    """A course whose hidden suite is this text: the test of one check, `forward`."""
    hidden = folder / "tests" / "hidden"
    hidden.mkdir(parents=True)
    (hidden / "test_own.py").write_text(text)
    (folder / "course.toml").write_text("")
    modules = {"own": Module("own", 20, {"forward": 1}, {"forward": "visible"})}
    policy = replace(course.policy, **limits)
    return Course(folder, "A suite of one", modules, policy)


OWN = Submission("x", {"own": b"x = 1\n"}, {})


def test_a_hidden_test_that_hangs_is_a_fault_of_the_grader(tmp_path, course, broker):
    text = "import time\ndef test_forward(student):\n    time.sleep(600)\n"
    small = suite_of_one(course, tmp_path, text, import_seconds=0.3, check_seconds=0.3)
    report = grade(small, OWN, broker, seed=1, fit="off")
    assert "Timeout" in report.faults[0][0], report.faults[0][1]
    assert report.score == 0


HANGS = {
    "by its own mark": (
        "import pytest, time\n@pytest.mark.timeout(0.3)\ndef test_forward(student):\n    time.sleep(600)\n",
        {},
    ),
    "in a fixture": (
        "import pytest, time\n@pytest.fixture\ndef slow():\n    time.sleep(600)\n"
        "def test_forward(student, slow):\n    pass\n",
        {"import_seconds": 0.3, "check_seconds": 0.3},
    ),
    "where errors are swallowed": (
        "import time\ndef test_forward(student):\n    try:\n        time.sleep(600)\n"
        "    except Exception:\n        pass\n",
        {"import_seconds": 0.3, "check_seconds": 0.3},
    ),
}


@pytest.mark.parametrize("what", HANGS)
def test_a_hidden_test_is_stopped(tmp_path, course, broker, what):
    """The alarm of whoever runs this process, here that of pytest-timeout, goes on."""
    text, limits = HANGS[what]
    before, _ = signal.getitimer(signal.ITIMER_REAL)
    report = grade(suite_of_one(course, tmp_path, text, **limits), OWN, broker, seed=1, fit="off")
    assert "Timeout" in report.faults[0][0], report.faults[0][1]
    assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] < before


IMPORTED = """
from pathlib import Path
with (Path(__file__).parent / "imports").open("a") as file:
    file.write("x")

def test_forward(student):
    pass
"""


def test_hidden_tests_are_imported_once_and_again_when_they_change(tmp_path, course, broker):
    small = suite_of_one(course, tmp_path, IMPORTED)
    hidden = small.hidden_tests
    assert [grade(small, OWN, broker, seed=i, fit="off").score for i in range(3)] == [20] * 3
    assert (hidden / "imports").read_text() == "x"
    (hidden / "test_own.py").write_text(IMPORTED.replace("pass", "import answers; answers.right()"))
    (hidden / "answers.py").write_text("def right(): raise ValueError('no')\n")
    assert "ValueError: no" in grade(small, OWN, broker, seed=1, fit="off").faults[0][0]
    assert (hidden / "imports").read_text() == "xx"
    (hidden / "answers.py").write_text("def right(): pass\n")
    assert grade(small, OWN, broker, seed=1, fit="off").score == 20


def test_a_number_that_a_plan_lacks_is_the_courses_error(tmp_path, course, broker):
    text = "def test_forward(student, long_run):\n    long_run.plan['steps']\n"
    small = suite_of_one(course, tmp_path, text)
    module = replace(small.modules["own"], long=("forward",))
    plan = Plan(threshold=0.5)
    plan.where = "course.toml: fits.quick"
    long = replace(small, modules={"own": module}, fits={"quick": plan})
    with pytest.raises(CourseError, match="missing key steps"):
        grade(long, OWN, broker, seed=1, fit="quick")


UNREPORTABLE = {
    "student.measure('x', 2.0)": "<= 1.0",
    "student.measure('x', float('nan'))": "not JSON compliant",
    "student.show(Curve('c', 'x', ((0, 1.5),)))": "<= 1.0",
    "student.show(Images('i', 'x', ((float('inf'),),)))": "not JSON compliant",
}


@pytest.mark.parametrize("line", UNREPORTABLE)
def test_what_no_report_can_hold_is_a_fault_of_the_hidden_test(tmp_path, course, broker, line):
    text = f"from autograder.report import Curve, Images\ndef test_forward(student):\n    {line}\n"
    report = grade(suite_of_one(course, tmp_path, text), OWN, broker, seed=1, fit="off")
    assert UNREPORTABLE[line] in report.faults[0][0]
    assert report.score == 0


MORE_OF_PYTEST = """
import pytest
from autograder.suite.failures import expect

seen = []

@pytest.fixture(autouse=True)
def before():
    seen.append("before")

@pytest.fixture
def answer(n):
    return 2 * n

@pytest.mark.parametrize("n", [20, 21])
def test_forward(student, sampler, answer, n):
    expect(answer == 2 * n and seen[-1] == "before" and 0 <= sampler.number(0, 1) < 1, "It is 42.")
    expect(n != WRONG, "It is not.")
"""


@pytest.mark.parametrize(("wrong", "score"), [("0", 20), ("21", 0)])
def test_a_hidden_test_may_use_fixtures_of_its_own(tmp_path, course, broker, wrong, score):
    small = suite_of_one(course, tmp_path, MORE_OF_PYTEST.replace("WRONG", wrong))
    report = grade(small, OWN, broker, seed=1, fit="off")
    assert report.faults == ()
    assert report.score == score


BOTH_WAYS = """
import pytest
from autograder.suite.failures import expect

@pytest.fixture
def answer():
    return 42

def test_plain(student):
    expect(WRONG != "plain", "It is not.")

def test_forward(student, answer, sampler):
    expect(answer == 42 and WRONG != "forward", "It is not.")

@pytest.mark.parametrize("n", [1, 2])
def test_last(student, n, long_run=None):
    expect(WRONG != "last" or n == 1, "It is not.")
"""


PROGRESS = """
def test_forward(student):
    pass

def test_long(student, long_run):
    long_run.progress(0.5)
"""


def test_progress_goes_from_nothing_to_the_last_check(tmp_path, course, broker):
    small = suite_of_one(course, tmp_path, PROGRESS)
    checks = {"forward": 1, "long": 1}
    module = replace(
        small.modules["own"],
        weights=checks,
        visibility=dict.fromkeys(checks, "visible"),
        long=("long",),
    )
    long = replace(small, modules={"own": module}, fits={"quick": Plan()})
    calls = []
    grade(
        long,
        OWN,
        broker,
        seed=1,
        fit="quick",
        progress=lambda check, fraction: calls.append((check, fraction)),
    )
    assert calls == [("own.forward", 0.0), ("own.long", 0.5), ("own.long", 0.75)]


@pytest.mark.parametrize("wrong", ["plain", "forward", "last", ""])
def test_pytests_way_and_the_plain_one_go_together(tmp_path, course, broker, wrong):
    small = suite_of_one(course, tmp_path, BOTH_WAYS.replace("WRONG", repr(wrong)))
    checks = ("plain", "forward", "last")
    module = Module("own", 30, dict.fromkeys(checks, 1), dict.fromkeys(checks, "visible"))
    course = replace(small, modules={"own": module})
    report = grade(course, OWN, broker, seed=1, fit="off")
    assert report.faults == ()
    assert failed(report) == {f"own.{wrong}"} - {"own."}
    alone = grade(course, OWN, broker, seed=1, fit="off", checks=["own.forward"])
    assert {c.id for c in checks_of(alone).values() if c.status != "not_verified"} == {
        "own.forward"
    }


@pytest.mark.parametrize(("mark", "score", "fault"), [("skip", 0, True), ("xfail", 20, False)])
def test_marks_of_a_hidden_test_are_pytests_to_read(tmp_path, course, broker, mark, score, fault):
    text = f"import pytest\n@pytest.mark.{mark}\ndef test_forward(student):\n    pass\n"
    report = grade(suite_of_one(course, tmp_path, text), OWN, broker, seed=1, fit="off")
    assert (report.score, bool(report.faults)) == (score, fault)


def same_as(report):
    return {c.id: c.feedback.same_as for c in checks_of(report).values() if c.feedback}


def test_failures_with_one_cause_are_linked_within_a_file_and_not_beyond(judge, solutions):
    """Each module's own mistake is described in full, though both are put down to the same cause."""
    detached = {
        "linear": solutions["linear"].replace(
            b"return output if self.bias is None else output + self.bias",
            b"return (output if self.bias is None else output + self.bias).detach()",
        ),
        "conv2d": solutions["conv2d"].replace(
            b"return output.reshape(len(input), len(self.weight), oh, ow)",
            b"return output.detach().reshape(len(input), len(self.weight), oh, ow)",
        ),
    }
    for name in detached:
        assert detached[name] != solutions[name]
    links = same_as(judge(detached, only="linear,conv2d"))
    assert links["linear.gradient_parity"] == ""
    assert any(check.startswith("conv2d.") for check in links)
    assert all(
        root.partition(".")[0] in ("", check.partition(".")[0]) for check, root in links.items()
    )


def test_a_line_that_raises_is_described_once_whatever_its_numbers(judge, solutions):
    wrong = solutions["linear"].replace(b"self.weight.T", b"self.weight")
    assert wrong != solutions["linear"]
    report = judge({"linear": wrong}, only="linear")
    raised = {c.id: c for c in checks_of(report).values() if c.feedback and c.feedback.quoted}
    assert len(raised) > 3
    assert [c.id for c in raised.values() if not c.feedback.same_as] == ["linear.forward"]


def test_two_calls_that_fail_for_other_reasons_are_each_described(judge, solutions):
    """The constructor takes no dtype, and forward() no input: two errors that lead to no line of a body."""
    source = solutions["linear"]
    for right, wrong in (
        (b"def forward(self, input: Tensor)", b"def forward(self)"),
        (b"        dtype: torch.dtype | None = None,\n", b""),
        (b", dtype=dtype)", b")"),
    ):
        assert right in source
        source = source.replace(right, wrong)
    feedbacks = [
        c.feedback
        for c in checks_of(judge({"linear": source}, only="linear")).values()
        if c.feedback
    ]
    assert len({feedback.quoted for feedback in feedbacks if not feedback.same_as}) > 1


def test_a_missing_return_is_described_for_each_function(judge, solutions):
    source = solutions["gradient_loop"]
    for call in (b"return w * x + b", b"return ((y_predicted - y) ** 2).mean()"):
        assert call in source, source
        source = source.replace(call, call.removeprefix(b"return "))
    links = same_as(judge({"gradient_loop": source}, only="gradient_loop"))
    assert links["gradient_loop.predict"] == links["gradient_loop.squared_error"] == ""


def test_a_remark_on_a_module_stands_in_its_note(tmp_path, course, broker):
    """Beside what else is said of it; where it could not be read, that is what is said."""
    text = "def test_forward(student):\n    pass\n"
    small = suite_of_one(course, tmp_path, text)
    read = replace(OWN, remarks={"own": "Read from Own.py."})
    assert grade(small, read, broker, seed=1, fit="off").modules[0].note == "Read from Own.py."
    unread = Submission("x", {}, {"own": "own.py was not submitted."}, {"own": "What else?"})
    report = grade(small, unread, broker, seed=1, fit="off")
    assert report.modules[0].note == "own.py was not submitted."
