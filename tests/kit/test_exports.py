"""Every export is a function of the Report, and holds what its format promises."""

import io
import json
import re
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from markupsafe import escape
from rich.console import Console

from autograder.export import console, html, junit, similar, view
from autograder.export import json as json_export
from autograder.export.view import message
from autograder.report import (
    Alike,
    Bars,
    Cause,
    CheckResult,
    Curve,
    Feedback,
    Images,
    Isolation,
    Measured,
    ModuleResult,
    Report,
    SourceLocation,
)
from tower_student import language

OLD = {
    number: Path(__file__).with_name(f"report_of_schema_{number}.json") for number in range(1, 6)
}
NASTY = "<b>&amp; ]]> [red]markup[/red] ::error:: \u2028 ${{ secrets }} é"


NASTY_TOLD = Feedback(
    NASTY,
    NASTY,
    (NASTY, NASTY),
    NASTY,
    Cause("linear.by_hand", NASTY, {"it": NASTY, "number": 1.5}),
    SourceLocation("linear.py", 3),
    NASTY,
)


@pytest.fixture
def report():
    return Report(
        course=NASTY,
        submission=NASTY,
        submission_digest="0" * 64,
        suite_digest="1" * 64,
        seed=7,
        device="cpu",
        isolation=Isolation("D", "a process of its own"),
        seconds=4.2,
        environment={"fit": "off", "torch": "2.13.0"},
        modules=(
            ModuleResult(
                "linear",
                (
                    CheckResult("linear.forward", "It works", "passed", 4.0, 4.0, "", None, 0.1),
                    CheckResult("linear.by_hand", NASTY, "failed", 0.0, 3.0, "", NASTY_TOLD, 0.2),
                ),
                NASTY,
            ),
            ModuleResult(
                "tower",
                (
                    CheckResult("tower.mnist_fit", "Fit", "not_verified", 0.0, 0.0, "off"),
                    CheckResult("tower.forward", "Logits", "not_submitted", 0.0, 2.0, "not there"),
                ),
            ),
        ),
    )


def test_json_fits_its_published_schema(report):
    content = json.loads(json_export.render(report))
    jsonschema.Draft202012Validator.check_schema(json_export.schema())
    jsonschema.validate(content, json_export.schema(), cls=jsonschema.Draft202012Validator)
    assert (content["score"], content["max_score"]) == (4, 9)
    assert [module["score"] for module in content["modules"]] == [4, 0]


def test_the_schema_refuses_what_is_not_a_report(report):
    content = json_export.as_dict(report)
    for wrong in (
        content | {"score": -1},
        content | {"extra": 1},
        {key: value for key, value in content.items() if key != "seed"},
        content | {"modules": [{"name": "linear"}]},
        content | {"figures": [{"type": "curve", "title": "t", "caption": "", "points": [[1, 2]]}]},
        content | {"figures": [{"type": "video", "title": "t", "caption": ""}]},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, json_export.schema())
        with pytest.raises(ValueError, match=r"add up|missing required|Expected|Invalid value"):
            json_export.parse(json.dumps(wrong))


FIGURES = (
    Curve("Rise", "over steps", ((0, 0.1), (10, 0.9))),
    Images("Patches", NASTY, ((0.5, -1.0, 0.0, 2.0),), comparable=True),
    Bars("Loudness", "", {NASTY: (0.0, 3.0)}),
)


def test_what_is_written_is_read_again(report):
    (first, *others), *modules = report.modules[0].checks, *report.modules[1:]
    first = replace(first, measured=Measured(NASTY, 0.5))
    modules = (replace(report.modules[0], checks=(first, *others)), *modules)
    report = replace(report, modules=modules, figures=FIGURES)
    text = json_export.render(report)
    assert json_export.parse(text) == json_export.load(text) == report
    jsonschema.validate(json.loads(text), json_export.schema())


@pytest.mark.parametrize("key", ["remark", "feedback", "measured", "visibility"])
def test_a_field_that_is_left_out_is_missed_although_it_has_a_default(report, key):
    content = json_export.as_dict(report)
    del content["modules"][0]["checks"][0][key]
    with pytest.raises(ValueError, match="not those of the schema"):
        json_export.parse(json.dumps(content))


def test_no_number_is_written_that_json_does_not_know(report):
    curve = Curve("Rise", "over steps", ((0, float("nan")),))
    with pytest.raises(ValueError, match="JSON compliant"):
        json_export.render(replace(report, figures=(curve,)))


@pytest.fixture
def old():
    """The content of a report that the first edition has written: --fit quick, of the flawed sample."""
    return json.loads(OLD[1].read_text())


def test_a_report_of_schema_1_is_read(old):
    report = json_export.parse(json.dumps(old))
    assert (report.score, report.max_score) == (old["score"], old["max_score"]) == (51, 100)
    assert report.course == ""
    checks = {check.id: check for module in report.modules for check in module.checks}
    before = {check["id"]: check for module in old["modules"] for check in module["checks"]}
    assert checks.keys() == before.keys()
    for name, check in before.items():
        kept = {"id", "title", "status", "score", "max_score", "seconds", "visibility"}
        now = asdict(checks[name])
        assert {key: now[key] for key in kept} == {key: check[key] for key in kept}
        assert now["feedback"] is None
        assert now["remark"].startswith(check["message"])
        assert check["hint"] in now["remark"]
    assert report.measured == (Measured("accuracy", before["tower.mnist_fit"]["measured"]),)
    curve, images, bars = report.figures
    assert [list(point) for point in curve.points] == old["insight"]["curve"]
    assert [list(image) for image in images.images] == old["insight"]["filters"]
    assert {name: list(pair) for name, pair in bars.bars.items()} == old["insight"]["gradient_flow"]
    again = json_export.render(report)
    jsonschema.validate(json.loads(again), json_export.schema())
    assert json_export.parse(again) == report
    assert '<p class="kit">submission</p>' in html.render(report)


def test_a_report_of_schema_2_is_read():
    old = json.loads(OLD[2].read_text())
    report = json_export.parse(json.dumps(old))
    assert report.score == old["score"] < report.max_score
    checks = {check.id: check for module in report.modules for check in module.checks}
    for module in old["modules"]:
        for check in module["checks"]:
            assert message(checks[check["id"]]).startswith(check["message"])
    again = json_export.render(report)
    jsonschema.validate(json.loads(again), json_export.schema())
    assert json_export.parse(again) == report
    for render in (html.render, junit.render):
        assert "likely cause" in render(report).lower()


def test_a_report_of_schema_3_is_read():
    report = json_export.parse(OLD[3].read_text())
    assert report.language == "en"
    (module,) = report.modules
    feedback = {check.id: check.feedback for check in module.checks}
    assert feedback["linear.forward"].location == SourceLocation("linear.py", 26)
    assert feedback["linear.registration"] is None


def test_a_report_of_schema_4_is_read():
    report = json_export.parse(OLD[4].read_text())
    assert report.causes == "all"


def test_a_report_of_schema_5_is_read():
    report = json_export.parse(OLD[5].read_text())
    assert [figure.check for figure in report.figures] == [""]
    assert report.visible() == report
    checks = [replace(check, visibility="hidden") for check in report.modules[0].checks]
    modules = (replace(report.modules[0], checks=tuple(checks)), *report.modules[1:])
    hidden = replace(report, modules=modules).visible()
    assert hidden.figures == (), "it may be of a hidden check"


def test_a_report_of_schema_1_without_a_fit_has_no_figures(old):
    del old["insight"]
    assert json_export.parse(json.dumps(old)).figures == ()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda old: old.update(score=100), "do not add up"),
        (lambda old: old.update(extra=1), "not those of the schema"),
        (lambda old: old.update(insight=[]), "does not fit schema 1"),
        (lambda old: old.update(modules=None), "does not fit schema 1"),
        (lambda old: old["insight"].update(curve=[[0, 2]]), r"figures\[0\]"),
        (lambda old: old["modules"][0].pop("checks"), "does not fit schema 1"),
        (lambda old: old["modules"][0]["checks"][0].pop("measured"), "does not fit schema 1"),
        (lambda old: old["modules"][0]["checks"][0].update(measured="x"), "got `str`"),
    ],
)
def test_schema_1_is_read_as_strictly(old, change, expected):
    change(old)
    with pytest.raises(ValueError, match=expected):
        json_export.parse(json.dumps(old))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "it is not JSON"),
        ("[]", "expected 1 to 6"),
        ('{"schema": 7}', "schema is 7; expected 1 to 6"),
        ('{"schema": 6}', "missing required field"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_report_is_said(text, expected):
    with pytest.raises(ValueError, match=expected):
        json_export.parse(text)


def test_a_report_is_read_without_torch():
    code = "import sys, autograder.export.json; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_report_of_a_real_run_fits_the_schema(judge, solutions):
    content = json.loads(json_export.render(judge(solutions | {"linear": b"oops("})))
    jsonschema.validate(content, json_export.schema())


def test_junit_counts_and_carries_every_check(report):
    root = ElementTree.fromstring(junit.render(report))
    assert root.attrib["tests"] == "4"
    assert root.attrib["failures"] == "2"
    assert root.attrib["skipped"] == "1"
    cases = {case.attrib["name"]: case for case in root.iter("testcase")}
    assert set(cases) == {"linear.forward", "linear.by_hand", "tower.mnist_fit", "tower.forward"}
    assert NASTY in cases["linear.by_hand"].find("failure").text
    properties = {p.attrib["name"]: p.attrib["value"] for p in root.iter("property")}
    assert properties["isolation"] == "D"
    assert properties["isolation_detail"] == "a process of its own"
    assert properties["seed"] == "7"


def test_the_console_shows_text_as_it_is_and_reads_no_markup(report):
    shown = io.StringIO()
    console.show(report, Console(file=shown, width=200, highlight=False))
    text = shown.getvalue()
    assert "[red]markup[/red]" in text
    assert "4/4" in text
    assert "44.4 %" in text


def test_the_console_and_the_page_are_titled_by_the_course(report):
    report = replace(report, course="A course", submission="ada")
    shown = io.StringIO()
    console.show(report, Console(file=shown, width=200, highlight=False))
    assert "A course · ada" in shown.getvalue()
    assert '<p class="kit">A course · submission</p>' in html.render(report)


WEAK = [Isolation("D", "not forge-proof: a process of its own with resource limits only")]
STRONG = [Isolation("A+", "all of it"), Isolation("none", "no student code was run")]


@pytest.mark.parametrize("isolation", WEAK + STRONG, ids=lambda isolation: isolation.level)
def test_weak_isolation_is_shown_as_a_warning(report, isolation):
    report = replace(report, isolation=isolation)
    shown = io.StringIO()
    coloured = Console(
        file=shown, width=200, force_terminal=True, color_system="standard", highlight=False
    )
    console.show(report, coloured)
    line = next(line for line in shown.getvalue().split("\n") if "isolation" in line)
    assert ("\x1b[1;33misolation" in line) == (isolation in WEAK)
    page = html.render(report)
    assert ('class="warning"' in page) == (isolation in WEAK)
    assert isolation.level in page
    assert isolation.detail in page


def test_the_page_shows_every_fact_and_every_check(report):
    page = html.render(report)
    for words in (
        *("4</b> of 9 points", "44.4 %", "<dd>7</dd>", "<dd>off</dd>", "<dd>cpu</dd>", "4.2 s"),
        *("0" * 64, "1" * 64, "torch 2.13.0"),
        *("It works", "linear.forward · 0.10 s", "not submitted", "not there", "not verified"),
    ):
        assert words in page
    opened = re.findall(r'<details class="(\w+)"( open)?>', page)
    assert opened == [
        ("passed", ""),
        ("failed", " open"),
        ("not_verified", ""),
        ("not_submitted", ""),
    ]


def test_the_page_has_no_script_and_asks_for_nothing_from_elsewhere(report):
    page = html.render(report)
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    assert f'<meta http-equiv="Content-Security-Policy" content="{policy}">' in page
    assert not re.search(r"<(script|link|img|iframe|object|form)|\bsrc=|url\(|@import", page)
    assert all(target.startswith("#") for target in re.findall(r'href="([^"]*)"', page))


def test_the_page_tells_a_failure_that_recurs_once_and_the_submissions_words_apart(report):
    cause = Cause("value.sign", "y")
    feedback = Feedback("x", "it.", ("a line", "another"), "z", cause, reading="w")
    check = CheckResult("linear.forward", "It works", "failed", 0.0, 4.0, "", feedback)
    again = replace(check, id="linear.trains", feedback=replace(feedback, same_as=check.id))
    other = replace(again, id="linear.meta", feedback=replace(again.feedback, found="that."))
    module = ModuleResult("linear", (check, again, other))
    page = html.render(replace(report, modules=(module,)))
    assert page.count("<pre>a line\nanother</pre>") == 1
    assert page.count("<pre>Asked: x\nFound: it.</pre>") == 1
    assert page.count("<pre>Likely cause: y</pre>") == 1
    assert page.count('<p class="hint">Read on: w</p>') == 1
    assert page.count("<pre>The same cause as linear.forward.</pre>") == 1
    assert page.count("<pre>Asked: x\nFound: that.\nThe same cause as linear.forward.</pre>") == 1


def test_what_is_right_is_told_unless_a_cause_explains_every_answer():
    whole, part = Cause("value.sign", "y"), Cause("value.sign", "Here: y", {"said": "y"})
    for cause, is_told in ((None, True), (part, True), (whole, False)):
        feedback = Feedback("x", "it.", right="z", cause=cause)
        check = CheckResult("linear.forward", "It works", "failed", 0.0, 4.0, "", feedback)
        assert ("Right so far: z" in message(check)) is is_told


def test_a_cause_that_students_do_not_see_is_shown_where_they_see_it_next(report):
    feedback = Feedback("x", "it.", cause=Cause("value.sign", "y"))
    root = CheckResult("linear.forward", "t", "failed", 0.0, 4.0, "", feedback, visibility="hidden")
    again = replace(feedback, same_as=root.id)
    check = replace(root, id="linear.trains", feedback=again, visibility="visible")
    report = replace(report, modules=(ModuleResult("linear", (root, check)),))
    ((_, shown),) = view.lines_by_module(report)
    assert list(map(str, shown[1].lines)) == ["The same cause as linear.forward."]
    ((_, shown),) = view.lines_by_module(report.visible())
    assert list(map(str, shown[0].lines)) == ["Asked: x", "Found: it.", "Likely cause: y"]


RUSSIAN = """\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"

msgid "<b>%(score)s</b> of %(most)s points"
msgstr "<b>%(score)s</b> из %(most)s (100 %%)"

msgid "Found"
msgstr "Получено"

msgid "Modules"
msgstr "\\"Модули\\" <&>"

msgid "Isolation %(level)s"
msgstr "Изоляция %(nobody)s"

msgid "%(left)s and %(right)s"
msgstr "%(right)s и %(left)s"

msgid "%(count)s pair of %(students)s submissions"
msgid_plural "%(count)s pairs of %(students)s submissions"
msgstr[0] "%(count)s пара"
msgstr[1] "%(count)s пары"
msgstr[2] "%(count)s пар, 50 %"
"""
BRACES = '%s %(score)s %% {x} {0} <b>&"'


@pytest.fixture
def russian(tmp_path):
    (tmp_path / "ru.po").write_text(RUSSIAN, encoding="utf-8")
    language.speak("ru", [tmp_path])
    yield
    language.speak("en", [])


@pytest.mark.usefixtures("russian")
def test_a_page_is_translated_and_reads_no_name_as_a_sentence(report):
    page = html.render(replace(report, submission=BRACES, language="ru"))
    assert '<html lang="ru">' in page
    assert "<b>4</b> из 9 (100 %)" in page
    assert "Получено: " in page
    assert f"<h1>{escape(BRACES)}</h1>" in page
    assert 'aria-label="&#34;Модули&#34; &lt;&amp;&gt;"' in page, "a sentence is text"
    assert "Isolation D" in page, "what a translator misspelt appears in English"
    pair = Alike("linear", BRACES, "bob", (0.5, 0.5), ("", ""), ((), ()))
    assert f"<h1>bob и {escape(BRACES)}</h1>" in similar.pair_page(pair)


@pytest.mark.usefixtures("russian")
@pytest.mark.parametrize(
    ("count", "said"),
    [(1, "1 пара"), (3, "3 пары"), (21, "21 пара"), (5, "5 pairs of 9 submissions")],
)
def test_a_number_chooses_the_form_of_a_sentence(count, said):
    page = similar.index_page("A course", [], count, 9, 0.5)
    assert f"<h1>{said}</h1>" in page
    assert '<html lang="ru">' in page
