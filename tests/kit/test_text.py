"""Text from a submission is data, by whatever route it comes and wherever it is shown."""

import io
import json
import re
import runpy
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from helpers import ROOT, checks_of
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from text_lab import (
    COMMAND,
    ROUTES,
    gains,
    looked_at,
    loose_characters,
    markup,
    naive,
    parts,
    printed,
    reports,
    strings,
)

from autograder.bank import Bank
from autograder.export import console, html, junit
from autograder.export import json as json_export
from autograder.export.view import lines, message
from autograder.report import Cause, CheckResult, Feedback, Isolation, ModuleResult, Report
from autograder.suite.failures import CheckFailed, why
from autograder.suite.student import Layer, Meta, Student
from tower_student.text import MAX_WORD, PREFIX, clean, one_line, quoted, word, words

ATTACKS = {path.stem: path for path in sorted((Bank(ROOT).folder / "attacks").glob("text_*.py"))}


def text_of(attack):
    return runpy.run_path(str(ATTACKS[attack]))["text"]()


@pytest.fixture(scope="module")
def harmless(course, broker):
    return reports("harmless", course, broker)


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_carries_a_word_into_the_report(harmless, route):
    assert "harmless" in message(checks_of(harmless[0])[ROUTES[route]])


def test_names_of_files_and_folders_are_carried_into_the_report(harmless):
    directory, archive = harmless
    assert directory.submission == archive.submission == "harmless"
    assert "There is a harmtowers.py" in archive.modules[-1].note


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_text_gains_nothing_by_any_route(course, broker, attack):
    assert gains(text_of(attack), course, broker) == []


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_text_harms_whoever_pastes_it_as_it_is(attack):
    assert naive(text_of(attack))
    assert naive("harmless") == []


def test_the_lab_sees_what_a_text_gains_where_nothing_guards_against_it(harmless):
    """The same report with the text put into one message as it is."""

    def with_message(text, theirs=False):
        module = harmless[0].modules[0]
        feedback = Feedback(
            "x", "y", tuple(text.split("\n")) if theirs else (), "" if theirs else text
        )
        check = replace(module.checks[0], status="failed", score=0.0, feedback=feedback)
        altered = replace(module, checks=(check, *module.checks[1:]))
        return replace(harmless[0], modules=(altered, *harmless[0].modules[1:]))

    like = with_message("harmless", theirs=True)
    assert looked_at(like, like) == []
    for text in ("a\nFound: nothing", "##[debug]x", "\x1b[2J", "a\u202eb", "a\n" * 101, "\u0301"):
        assert looked_at(with_message(text), with_message("harmless")), text


# Any text at all

FRAGMENTS = (
    *(
        "::",
        ":",
        "::error::",
        "##[",
        "##[debug]",
        "##vso[",
        "#",
        "[",
        "]",
        "[red]",
        "[/]",
        ":smile:",
    ),
    *("\n", "\t", "\r", "\v", "\x1b[31m", "\x9b2J", "\x00", "\x85", "\u2028", "\u202e", "\u200b"),
    *("\u0301", "\u0338", "\u0489", "\ufe0f", "\u034f", "\u3164", "\ud800", "\udfff", "\uffff"),
    *(
        "<script>",
        "</pre>",
        "<!-- x -->",
        "<i a='",
        "]]>",
        "&amp;",
        "&#0;",
        '"',
        "'",
        "{{ 7 }}",
        "{% if %}",
        "${{ x }}",
    ),
    *(PREFIX, "Found: ", "Asked: ", " ", "     ", "x" * 30, "漢字", "é", "✓ 4/4 forward"),
)
TEXTS = st.lists(
    st.sampled_from(FRAGMENTS) | st.text(st.characters(), max_size=10), max_size=30
).map("".join)
CLEAN = TEXTS.map(clean)
LINES = TEXTS.map(one_line)
FEEDBACK = st.none() | st.builds(
    Feedback,
    asked=LINES,
    found=LINES,
    quoted=TEXTS.map(quoted),
    right=LINES,
    cause=st.none() | st.builds(Cause, st.just("value.sign"), LINES),
    reading=LINES,
)
CHECKS = st.builds(
    CheckResult,
    id=LINES,
    title=LINES,
    status=st.sampled_from(["passed", "failed", "not_verified", "not_submitted"]),
    score=st.just(0.0),
    max_score=st.just(1.0),
    remark=CLEAN,
    feedback=FEEDBACK,
)
REPORTS = st.builds(
    Report,
    course=LINES,
    submission=LINES,
    submission_digest=st.just("0" * 64),
    suite_digest=st.just("1" * 64),
    seed=st.just(7),
    device=st.just("cpu"),
    isolation=st.builds(Isolation, st.sampled_from(["A", "D"]), CLEAN),
    seconds=st.just(1.0),
    environment=st.fixed_dictionaries({"fit": LINES, "torch": LINES}),
    modules=st.lists(
        st.builds(ModuleResult, LINES, st.lists(CHECKS, max_size=3).map(tuple), CLEAN), max_size=2
    ).map(tuple),
)


@given(TEXTS)
def test_clean_text_holds_no_character_that_acts_and_no_command(text):
    cleaned = clean(text)
    assert loose_characters(cleaned) == []
    assert not any(map(COMMAND.match, cleaned.split("\n")))
    assert clean(cleaned) == cleaned
    assert len(clean(text, 10)) <= 10 + len(" [cut]")


@pytest.mark.parametrize(
    "text",
    [
        "x = a[::2]  # every second, ## see above",
        "Größe, naïve, 漢字, עִבְרִית, ภาษาไทย, e\u0301, ½ ✓ → ∀ 😀",
        "a\tb\n    c = {'d': \"e\"}\n<html> & [list] {set}",
    ],
)
def test_ordinary_text_stays_as_it_is(text):
    assert clean(text) == text


@given(TEXTS)
def test_a_quotation_is_lines_of_cleaned_text(text):
    assert "\n".join(quoted(text)) == "\n".join(clean(text).splitlines())


def test_a_quotation_is_cut_in_both_directions():
    assert len("".join(quoted("x" * 50_000_000))) < 2100
    assert len(quoted("\n" * 1500)) == 41


@given(TEXTS)
def test_a_name_is_one_word_and_none_that_it_is_not(text):
    shown = word(text)
    assert re.fullmatch(r"[\w.?]{1,60}…?", shown)
    assert shown == text or "?" in shown or "…" in shown
    assert loose_characters(shown) == []


def test_names_of_types_and_parameters_stay_as_they_are():
    assert word("torch.Tensor") == "torch.Tensor"
    assert words(["weight", "conv1.bias", "0.größe"]) == "0.größe, conv1.bias, weight"
    assert words(map(str, range(1000))).endswith("992 more")
    assert word("we\u200bight") != "weight"
    assert word("x" * (MAX_WORD + 1)) != word("x" * MAX_WORD)


def test_an_odd_name_of_a_parameter_is_the_same_name_every_time(judge, solutions):
    source = solutions["linear"].replace(
        b"        self.reset_parameters()",
        b"        self.register_parameter('::odd name', torch.nn.Parameter(torch.zeros(1)))\n"
        b"        self.reset_parameters()",
    )
    checks = checks_of(judge({"linear": source}, only="linear"))
    assert "?odd?name (1,)" in message(checks["linear.registration"])
    assert checks["linear.initialisation"].status == "passed"


@pytest.mark.parametrize("shape", [["a text"], [-1], [1 << 63], [1.5], [True], [1] * 9, {}, "1"])
def test_a_shape_is_whole_numbers_or_no_answer(shape):
    class Answers:
        module = "linear"

        def ask_all(self, questions):
            yield {"meta_shape": shape}, {}

        def demand(self, reply):
            assert "error" not in reply

    layer = Layer(Student(Answers(), over=None), "CustomLinear()", 0)
    with pytest.raises(CheckFailed, match="cannot be read as an answer"):
        layer.run(Meta((1,)))


@given(TEXTS, TEXTS, TEXTS)
def test_what_a_failure_says_is_a_line_for_each_part(asked, found, cause):
    failure = CheckFailed(found, cause=why("value.sign", "{it}", it=cause), quoted=quoted(cause))
    feedback = failure.feedback(asked)
    assert not any(
        "\n" in part
        for part in (feedback.asked, feedback.found, feedback.cause.text, *feedback.quoted)
    )
    assert clean(feedback.found) == feedback.found


@given(REPORTS, st.integers(20, 200))
@settings(deadline=None)
def test_no_printed_line_gives_a_command_at_any_width(report, width):
    plain = printed(report, width)
    assert not any(map(COMMAND.match, plain)), plain
    assert loose_characters("\n".join(plain)) == []
    shown = io.StringIO()
    coloured = Console(file=shown, width=width, highlight=False, force_terminal=True)
    console.show(report, coloured)
    lines = re.sub(r"\x1b\[[\d;]*m", "", shown.getvalue()).split("\n")
    assert not any(map(COMMAND.match, lines)), lines


@given(TEXTS, st.integers(20, 200))
@settings(deadline=None)
def test_a_submissions_words_stand_behind_the_prefix_in_every_printed_line(text, width):
    feedback = Feedback("x", "it.", quoted(text))
    check = CheckResult("linear.forward", "Title", "failed", 0.0, 1.0, "", feedback)
    module = ModuleResult("linear", (check,))
    report = replace(EMPTY, modules=(module,))
    lines = [line.strip() for line in printed(report, width)]
    message = lines[lines.index("Found: it.") + 1 : lines.index("Score")]
    assert all(line.startswith(PREFIX.strip()) for line in message if line)
    # Nothing is lost: rich expands tabs, and takes white space away where it breaks a line.
    kept = "".join("".join(line.removeprefix(PREFIX.strip()) for line in message).split())
    expected = "".join(quoted(text))
    assert kept == "".join(expected.split())


EMPTY = Report(
    course="A course",
    submission="x",
    submission_digest="0" * 64,
    suite_digest="1" * 64,
    seed=7,
    device="cpu",
    isolation=Isolation("A", "all of it"),
    seconds=1.0,
    environment={"fit": "off", "torch": "2"},
    modules=(),
)


@given(REPORTS)
@settings(deadline=None)
def test_the_page_holds_any_text_as_text(report):
    page = html.render(report)
    assert loose_characters(page) == []
    known = elements(html.render(SPECIMEN)) | elements(html.render(EMPTY))
    assert elements(page) <= known
    shown = text_of_page(page)
    for module in report.modules:
        assert module.note in shown
        for check in module.checks:
            assert check.title in shown
            if check.remark != module.note:
                assert all(line.text in shown for line in lines(check))


def elements(page):
    """Elements by name and names of attributes, and whatever is no element. Names of modules are ours."""
    return {
        (first, *(item if first in KINDS else item[0] for item in rest))
        for first, *rest in markup(page)
    }


KINDS = ("end of", "comment", "declaration", "instruction")


def text_of_page(page):
    parts = []
    parser = HTMLParser()
    parser.handle_data = parts.append
    parser.feed(page)
    parser.close()
    return "".join(parts)


SPECIMEN = replace(
    EMPTY,
    isolation=Isolation("D", "none"),
    modules=(
        ModuleResult(
            "linear",
            tuple(
                CheckResult(f"linear.{status}", "t", status, 0.0, 1.0, "x", feedback)
                for feedback in (None, Feedback("a", "b", ("c",), "d", None, None, "e"))
                for status in ("passed", "failed", "not_verified", "not_submitted")
            ),
            "note",
        ),
    ),
)


@given(REPORTS)
@settings(deadline=None)
def test_the_xml_says_what_the_json_says_of_any_text(report):
    text = json_export.render(report)
    content = json.loads(text)
    assert text.isascii()
    assert content == json_export.as_dict(report)
    assert loose_characters("".join(strings(content))) == []
    root = ElementTree.fromstring(junit.render(report))
    assert {element.tag for element in root.iter()} <= {
        *("testsuites", "testsuite", "properties", "property", "testcase", "failure", "skipped")
    }
    assert root.get("name") == content["submission"]
    for suite, module in zip(root, content["modules"], strict=True):
        assert suite.get("name") == module["name"]
        details = {p.get("name"): p.get("value") for p in suite.iter("property")}
        assert details["isolation_detail"] == content["isolation"]["detail"]
        for case, check in zip(suite.iter("testcase"), module["checks"], strict=True):
            if check["status"] in ("failed", "not_submitted"):
                shown = case.find("failure").text or ""  # of no text there is no node
                assert all(part.strip() in shown for part in parts(check))
            if check["status"] == "not_verified":
                assert case.find("skipped").get("message") == check["remark"]
