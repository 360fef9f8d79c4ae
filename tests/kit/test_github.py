"""GitHub: annotations, summaries and outputs, the action, and the workflows from end to end."""

import base64
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from command import tower
from helpers import ROOT
from ways import by_grade, handed_in, report_of
from wheels import offline
from workflow_lab import Forge, Runner, install_engine, load_yaml, run_action, shell

from autograder.course import course_root, load_course
from autograder.export import github
from autograder.export import json as json_export
from autograder.report import CheckResult, Feedback, SourceLocation

pytestmark = pytest.mark.sandbox

TEMPLATES = ROOT / "templates"
GRADE = TEMPLATES / "github" / "grade.yml"
CHECK = ROOT / "autograder" / "templates" / "check.yml"
IMAGE = "registry/class/tower:1"


def failing(name="forward", found="it.", location=None, **more):
    feedback = Feedback("it", found, ("a, b: c",), location=location)
    return CheckResult(f"linear.{name}", "It works.", "failed", 0.0, 4.0, "", feedback, **more)


# Formats


def test_an_annotation_marks_the_students_own_line():
    check = failing(found="50 %", location=SourceLocation("linear.py", 12))
    assert github.annotations(report_of("linear", check), "work/ünit, a:b") == (
        "::error title=linear.forward,file=work/ünit%2C a%3Ab/linear.py,line=12::"
        "It works.%0AAsked: it%0AFound: 50 %25%0Astudent | a, b: c\n"
    )


def test_checks_that_fail_in_one_place_share_an_annotation_and_ten_are_the_most():
    same = [
        failing(name, location=SourceLocation("linear.py", 3)) for name in ("forward", "trains")
    ]
    (line,) = github.annotations(report_of("linear", *same), "").splitlines()
    assert line.startswith("::error title=linear.forward%2C linear.trains,file=linear.py,line=3::")
    assert line.count("Found: it.") == 1
    many = [failing(f"c{i}", location=SourceLocation("linear.py", i + 1)) for i in range(25)]
    lines = github.annotations(report_of("linear", *many), "").splitlines()
    assert len(lines) == 10
    assert "16 more locations" in lines[-1]


def test_students_are_shown_what_they_may_see_and_no_more():
    secret = failing("by_hand", "a secret.", visibility="after_published")
    passed = CheckResult("linear.forward", "It works.", "passed", 4.0, 4.0)
    report = report_of("linear", passed, secret)
    summary = (
        github.summary(report)
        + github.annotations(report, "")
        + github.outputs(report)
        + github.classroom(report)
    )
    assert "secret" not in summary
    assert "by_hand" not in summary
    assert "score=4\nmax-score=4\n" in summary
    hidden_alone = report_of("linear", secret)
    assert github.outputs(hidden_alone).startswith("score=0\nmax-score=0\n")


def test_a_summary_is_never_too_long_for_github():
    long = [failing(f"c{i}", f"{i}" + "&<>" * 2600) for i in range(55)]
    report = report_of("linear", *long)
    text = github.summary(report)
    assert 100_000 < len(text.encode()) < github.MAX_SUMMARY
    assert "[cut]" in text
    assert len(github.comment(report).encode()) < github.MAX_COMMENT


def test_classroom_gets_a_test_for_each_check_that_has_points():
    passed = CheckResult("linear.forward", "It works.", "passed", 4.0, 4.0)
    unverified = CheckResult("linear.fit", "Fit.", "not_verified", 0.0, 0.0, "off")
    report = report_of(
        "linear", passed, failing("by_hand", location=SourceLocation("linear.py", 3)), unverified
    )
    (line,) = [x for x in github.outputs(report).splitlines() if x.startswith("result=")]
    content = json.loads(base64.b64decode(line.removeprefix("result="), validate=True))
    assert (content["version"], content["status"], content["max_score"]) == (1, "fail", 8)
    assert [(test["status"], test["score"]) for test in content["tests"]] == [
        ("pass", 4),
        ("fail", 0),
    ]
    assert content["tests"][1]["filename"], content["tests"][1]["line_no"] == ("linear.py", 3)
    assert json.loads(github.classroom(report_of("linear", passed)))["status"] == "pass"


def test_a_raised_error_a_wrong_value_and_bad_syntax_are_placed_in_the_students_text(
    judge, solutions
):
    linear = solutions["linear"].replace(b"    def forward", b"    # a line more\n    def forward")
    lines = linear.split(b"\n")
    raising = next(i for i, line in enumerate(lines, 1) if b"        output = " in line)
    broken = b"\n".join(
        [*lines[: raising - 1], b"        raise ValueError(1)", *lines[raising - 1 :]]
    )
    wrong = linear.replace(b"return output", b"return 2 * output")
    defined = next(i for i, line in enumerate(lines, 1) if line.startswith(b"class CustomLinear"))
    for source, line in ((broken, raising), (wrong, defined), (b"\n\ndef f(:\n", 3)):
        report = judge({"linear": source}, only="linear")
        locations = {
            c.feedback.location for c in report.modules[0].checks if c.id == "linear.forward"
        }
        assert locations == {SourceLocation("linear.py", line)}


@pytest.mark.parametrize("where", [["linear", 10**9], ["../x", 1], ["linear", True], ["linear", 0]])
def test_a_place_that_a_submission_makes_up_lies_within_its_text(judge, where):
    forged = (
        b"import sys\nworker = sys.modules['sandbox.worker']\n"
        b"def answer(self, meta, tensors):\n"
        b"    where = " + repr(where).encode() + b"\n"
        b"    error = {'kind': 'raised', 'type': 'E', 'message': '', 'where': where}\n"
        b"    return worker.wire.encode({'id': meta['id'], 'error': error})\n"
        b"worker.RequestHandler.answer = answer\n"
    )
    report = judge({"linear": forged}, only="linear")
    failed = [c.feedback.location for c in report.modules[0].checks if c.status == "failed"]
    assert failed
    assert set(failed) == {None}
    assert json_export.parse(json_export.render(report)) == report


# tower grade --github and tower show


def test_grade_stops_commands_around_its_report_and_then_annotates(tmp_path):
    folder = tmp_path / "repository" / "work"
    folder.mkdir(parents=True)
    (folder / "linear.py").write_text("\nclass CustomLinear: raise ValueError('::error::forged')\n")
    summary, output = tmp_path / "summary.md", tmp_path / "output"
    summary.write_text("of an earlier tool\n")
    done = tower(
        *("grade", folder, "--only", "linear", "--fit", "off", "--github"),
        GITHUB_STEP_SUMMARY=str(summary),
        GITHUB_OUTPUT=str(output),
        GITHUB_WORKSPACE=str(tmp_path / "repository"),
    )
    assert done.returncode == 0, done.stderr
    first, *lines = done.stdout.splitlines()
    token = first.removeprefix("::stop-commands::")
    assert len(token) == 32
    assert token in set(lines[lines.index(f"::{token}::")].split("::"))
    (annotation,) = lines[lines.index(f"::{token}::") + 1 :]
    assert annotation.startswith("::error title=linear.registration%2C")
    assert ",file=work/linear.py,line=2::" in annotation
    assert summary.read_text().startswith("of an earlier tool\n## 0 of 20 points")
    assert output.read_text().startswith("score=0\nmax-score=20\nper-cent=0.0\nresult=")


def test_github_outside_of_a_step_is_a_usage_error():
    done = tower("grade", "solutions", "--github", GITHUB_STEP_SUMMARY="")
    assert done.returncode == 2
    assert "GITHUB_STEP_SUMMARY" in done.stderr


@pytest.fixture(scope="module")
def flawed(tmp_path_factory):
    """A report that tower grade has written."""
    folder = tmp_path_factory.mktemp("flawed")
    return by_grade(handed_in(load_course(course_root()))["flawed"], folder)


def test_a_report_that_is_read_again_says_the_same(flawed):
    again = json_export.parse(json.dumps(flawed))
    assert json_export.as_dict(again) == flawed


FORGERIES = {
    "points for a check": lambda r: r["modules"][0]["checks"][-1].update(score=9),
    "a higher sum": lambda r: r.update(score=100),
    "a module's sum": lambda r: r["modules"][0].update(score=15),
    "another field": lambda r: r.update(token="x"),
    "a number that is none": lambda r: r.update(seconds=float("nan")),
    "a status of its own": lambda r: r["modules"][0]["checks"][0].update(status="great"),
    "a location elsewhere": lambda r: r["modules"][0]["checks"][0].update(
        location={"file": "../../x.py", "line": 1}
    ),
}


@pytest.mark.parametrize("kind", FORGERIES)
def test_a_report_that_was_changed_is_not_believed(flawed, tmp_path, kind):
    forged = json.loads(json.dumps(flawed))
    FORGERIES[kind](forged)
    (tmp_path / "report.json").write_text(json.dumps(forged))
    done = tower("show", tmp_path / "report.json")
    assert done.returncode == 2
    assert "is not a report that can be read" in " ".join(done.stderr.split())


def test_show_writes_the_formats_anew(flawed, tmp_path):
    (tmp_path / "report.json").write_text(json.dumps(flawed))
    outputs = {name: tmp_path / name for name in ("junit", "html", "markdown")}
    options = [part for name, path in outputs.items() for part in (f"--{name}", path)]
    done = tower("show", tmp_path / "report.json", *options)
    assert done.returncode == 0, done.stderr
    assert "flawed" in done.stdout or "submission" in done.stdout
    for path, begins in zip(outputs.values(), ("<?xml", "<!doctype html", "## "), strict=True):
        assert path.read_text().lower().startswith(begins)


# The YAML


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        *((path, "vendor.github-workflows") for path in (GRADE, CHECK)),
        (ROOT / "action.yml", "vendor.github-actions"),
        (TEMPLATES / "gitlab" / "grade.yml", "vendor.gitlab-ci"),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else "",
)
def test_the_yaml_fits_its_published_schema(path, schema):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", [GRADE, TEMPLATES / "gitlab" / "grade.yml"], ids=str)
def test_templates_name_the_modules_of_the_course(path, course):
    described = load_yaml(path)
    environment = described.get("env") or described["variables"]
    assert environment["MODULES"].split() == list(course.modules)


def test_nothing_of_a_students_is_near_a_token():
    """The public tests have read rights alone; the job that grades sees no secret in its container."""
    check, grade = load_yaml(CHECK), load_yaml(GRADE)
    assert check["permissions"] == {"contents": "read"}
    assert "secrets" not in CHECK.read_text()
    assert grade["permissions"] == {}
    for job in grade["jobs"].values():
        assert set(job.get("permissions", {}).values()) <= {"read"}
    for workflow in (check, grade):
        assert not {"pull_request_target", "workflow_run"} & set(workflow["on"])
        for job in workflow["jobs"].values():
            for step in job["steps"]:
                if str(step.get("uses", "")).startswith("actions/checkout"):
                    assert step["with"]["persist-credentials"] is False
    graded = grade["jobs"]["grade"]
    (step,) = [step for step in graded["steps"] if step.get("uses") == "./"]
    assert "secrets" not in json.dumps([step, graded.get("env", {}), grade["env"]])
    for job in [*check["jobs"].values(), *grade["jobs"].values()]:
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), "an expression in a script can be code"
    (step,) = load_yaml(ROOT / "action.yml")["runs"]["steps"]
    assert "${{" not in step["run"]


# The pull request, from end to end


@pytest.fixture(scope="module")
def light_python(tmp_path_factory):
    """A python with pip and nothing else, as on GitHub's machines; variables that spare pip the network."""
    folder = tmp_path_factory.mktemp("light")
    venv.create(folder, with_pip=True)
    return folder / "bin", offline(folder, "jinja2", "msgspec", "rich", "typer")


class PullRequest:
    """One pull request whose grading runs here, job by job."""

    def __init__(self, folder, forge, light_python, first):
        self._folder, self._forge, self._first = folder, forge, first
        self._light, self._offline = light_python
        self._attempts = 0

    def run(self, number="1", repository="class/alice", tamper=None, **inputs):
        """The jobs as GitHub would run them; what each left behind."""
        self._attempts += 1
        context = {
            "inputs": {"repository": repository, "pull_request": number},
            "secrets": {"TOWER_TOKEN": self._forge.token},
            "vars": {"TOWER_IMAGE": IMAGE, "TOWER_FIT": "off"},
        }
        given = {"GITHUB_API_URL": self._forge.url, "GITHUB_REPOSITORY_OWNER": "class"}
        given |= self._offline | inputs
        folder = self._folder / f"attempt-{self._attempts}"
        runner = Runner(GRADE, folder, context, self._first, given)
        done = {"fetch": runner.run("fetch")}
        head = done["fetch"].outputs.get("head")
        context["needs"] = {"fetch": {"outputs": {"head": head or ""}}}
        if done["fetch"].code == 0:
            done["grade"] = runner.run("grade")
        if tamper:
            tamper(folder / "artifacts" / "report" / "report.json")
        if head:
            runner.first = f"{self._light}:{self._first}"
            done["report"] = runner.run("report")
        return done


@pytest.fixture
def pull_request(tmp_path, light_python):
    def make(forge):
        return PullRequest(tmp_path, forge, light_python, install_engine(tmp_path / "bin"))

    return make


def test_a_pull_request_is_graded_and_answered_and_answered_anew(course, pull_request):
    files = dict(handed_in(course)["flawed"])
    hostile = {"conftest.py": b"raise SystemExit", ".github/workflows/x.yml": b"on: push"}
    with Forge({**files, **hostile}) as forge:
        request = pull_request(forge)
        done = request.run()
        assert {job: d.code for job, d in done.items()} == dict.fromkeys(done, 0), done
        assert "kaiming_init.py is not in the pull request." in done["fetch"].log
        (status,) = forge.statuses
        (comment,) = forge.comments
        fit = done["grade"].summary.splitlines()[0]
        assert status["state"] == "success"
        assert status["context"] == "tower-of-insight"
        assert status["description"].split()[0] in fit
        assert comment["body"].startswith("<!-- tower-of-insight -->\n## ")
        assert fit in comment["body"]
        assert "::error title=" in done["grade"].log

        forge.files = handed_in(course)["solutions"]
        forge.head = "f" * 40
        request.run()
        assert forge.statuses[1]["description"] == "100 of 100 points"
        assert len(forge.comments) == 1
        assert "100 of 100 points" in forge.comments[0]["body"]


def test_a_report_that_was_changed_on_its_way_is_not_posted(course, pull_request):
    def forge_points(path):
        report = json.loads(path.read_text())
        report["score"] = 100
        path.write_text(json.dumps(report))

    with Forge({"gradient_loop.py": b"x = 1\n"}) as forge:
        done = pull_request(forge).run(tamper=forge_points)
        assert done["report"].code == 1
        assert forge.comments == []
        assert [status["state"] for status in forge.statuses] == ["error"]


def test_what_is_no_module_or_no_ordinary_file_is_left_out(pull_request):
    files = {
        "linear.py/inside.py": b"",
        "conv2d.py": b"#" * (2 << 20),
        "gradient_loop.py": b"raise ValueError\n",
        "notes.py": b"",
    }
    with Forge(files) as forge:
        done = pull_request(forge).run()
        assert "linear.py is no ordinary file" in done["fetch"].log
        assert "conv2d.py is no ordinary file" in done["fetch"].log
        assert forge.statuses[0]["description"] == "0 of 100 points"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"repository": "class/alice; touch x"}, "Name a repository"),
        ({"repository": "class/alice/../../users"}, "Name a repository"),
        ({"number": "1/files"}, "Name a repository"),
        ({"number": "2"}, "404"),
        ({}, "none of the modules"),
        ({"FOLDER": "elsewhere/"}, "none of the modules"),
    ],
    ids=str,
)
def test_what_cannot_be_fetched_is_said_and_not_graded(pull_request, given, told):
    with Forge({"README.md": b""}) as forge:
        done = pull_request(forge).run(**given)
        assert done["fetch"].code != 0
        assert told in done["fetch"].log
        assert "grade" not in done


def test_modules_in_a_folder_are_found_and_annotated_there(tmp_path):
    install_engine(tmp_path / "bin")
    (tmp_path / "submission").mkdir()
    (tmp_path / "submission" / "linear.py").write_text("class CustomLinear: raise ValueError\n")
    environment = {
        **os.environ,
        "PATH": f"{install_engine(tmp_path / 'bin')}:{os.environ['PATH']}",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }
    wanted = {"image": IMAGE, "only": "linear", "fit": "off", "folder": "assignments/week 1"}
    code, log = run_action(wanted, tmp_path, environment)
    assert code == 0, log
    assert ",file=assignments/week 1/linear.py,line=1::" in log
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == [
        *("outputs", "report.html", "report.json", "report.xml", "summary.md"),
    ]


@pytest.mark.parametrize(("source", "code"), [("solutions", 0), ("assignments", 1)])
def test_the_workflow_of_the_public_tests(tmp_path, source, code):
    ignored = shutil.ignore_patterns("__pycache__")
    for folder in ("assignments", source):
        shutil.copytree(ROOT / folder, tmp_path / "check", ignore=ignored, dirs_exist_ok=True)
    job = load_yaml(CHECK)["jobs"]["check"]
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "TORCH_INDEX": "http://127.0.0.1:9/nowhere",  # torch is there, so that nothing is asked of it
    }
    for step in job["steps"]:
        if "run" in step:
            ended, log = shell(step["run"], tmp_path / "check", environment)
    assert ended == code, log
    assert (" passed" in log) or (" failed" in log)
