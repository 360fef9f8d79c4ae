"""Sends a text by every route on which words of a submission reach a report, and looks at the exports.

gains(text, course, broker)    what it gained there, a sentence for each; none is as it should be
naive(text)                    what it does to writers that paste it as it is
"""

import base64
import io
import json
import os
import re
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jinja2
from markdown_it import MarkdownIt
from rich.console import Console
from rich.errors import MarkupError
from rich.text import Text

from autograder.broker import Broker
from autograder.course import Course
from autograder.export import console, github, gradescope, html, junit
from autograder.export import json as json_export
from autograder.export.view import lines, message
from autograder.grading import grade
from autograder.report import CheckResult, Report
from tower_student.submission import read_submission
from tower_student.text import one_line

SEED = 1
WIDTHS = (20, 47, 80, 200)
MAX_MESSAGE = 9000
MAX_LINES = 100
MAX_MARKS = 4
MARKDOWN = MarkdownIt("commonmark").enable("table")
ANNOTATION = re.compile(
    r"::error title=([\w. ]|%2C)+(,file=folder/\w+\.py,line=\d+)?::(?!.*::)[^\r\n]*"
)
COMMAND = re.compile(r"\s*::|.*##\w*\[")
OURS = re.compile(
    r"\s*([✓✗–] +[\d.–]+|Asked:|Found:|Likely cause:|Read on:|[a-z0-9_]+  \d+ of|isolation [A-D]\+?:|[╭│┃])"
)
"""How the lines of the console's report begin, besides those that go on with a sentence."""

# The routes. NAME is what the text can be where Python or torch restrict it.

HEADER = """\
import base64, os, sys, zlib
import torch
TEXT = zlib.decompress(base64.b85decode("%s")).decode("utf-8", "surrogatepass")
NAME = TEXT.replace("\\0", "")[:100_000].encode("utf-8", "replace").decode() or "empty"
"""

MODULES = {
    "kaiming_init": """
def calculate_fan(tensor):
    raise ValueError(TEXT)

def leaky_relu_gain(a=0.0):
    return type(NAME, (), {"__module__": NAME})()

def kaiming_uniform_(tensor, a=0.0, generator=None):
    raise type(NAME, (Exception,), {})(TEXT)

def kaiming_normal_(tensor, a=0.0, generator=None):
    print(TEXT, file=sys.stderr)
    os.write(1, NAME.encode())
    raise NotImplementedError(TEXT)

def xavier_uniform_(tensor, gain=1.0, generator=None):
    return getattr(torch, NAME)

def bias_uniform_(bias, weight, generator=None):
    raise TypeError(TEXT) from OSError(TEXT)

raise type(NAME, (Exception,), {})(TEXT)
""",
    "linear": """
class CustomLinear(torch.nn.Module):
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(out_features, in_features, dtype=dtype))
        self.bias = torch.nn.Parameter(torch.zeros(out_features, dtype=dtype)) if bias else None
        self._parameters[TEXT[:150]] = torch.nn.Parameter(torch.zeros(1))

    def load_state_dict(self, state, strict=True):
        return super().load_state_dict(state, strict=strict and NAME in sys.modules)

    def forward(self, input):
        with torch.profiler.record_function("aten::linear_" + NAME[:1000]):
            output = input @ self.weight.T
        return output if self.bias is None else output + self.bias
""",
    "gradient_loop": """
worker = sys.modules["sandbox.worker"]
SHORT = TEXT[:50_000]
ERRORS = {
    "predict": {"kind": "missing", "name": SHORT, "names": [TEXT[:60], SHORT]},
    "squared_error": {"kind": "signature", "message": SHORT},
    "manual_gradients": {"kind": "type", "got": SHORT, "wanted": "a torch.Tensor"},
    "sgd_step": {"kind": "raised", "type": SHORT, "message": SHORT, "where": ["gradient_loop", 1]},
    "train_manual": {"kind": "type", "got": SHORT, "wanted": SHORT},
}

def answer(self, meta, tensors):
    name, id = meta["arguments"].get("name"), meta["id"]
    if name in ERRORS:
        return worker.wire.encode({"id": id, "error": ERRORS[name]})
    forged = worker.wire.RawTensor(TEXT[:200], "bool", (1,), b"!")
    return worker.wire.encode({"id": id}, [forged])

worker.RequestHandler.answer = answer
""",
}
MODULES["conv2d"] = """
worker = sys.modules["sandbox.worker"]
SHORT = TEXT[:50_000]
LAYER = {
    "parameters": [[SHORT, SHORT, [1], SHORT, True]] * 3,
    "state": [SHORT] * 3,
    "absent": [SHORT],
    "bases": [SHORT],
}

def answer(self, meta, tensors):
    op, arguments = meta["op"], meta["arguments"]
    reply, names = {}, []
    if op in ("create", "convert"):
        reply = {"layer": LAYER}
    elif op == "state":
        names = ["weight", "bias"]
    elif op == "forward" and "meta_tensor" in arguments["input"]:
        reply = {"meta_shape": [SHORT]}
    elif op == "forward":
        reply = {"output": {"tensor": "output"}}
        names = ["output", *([] if arguments["again"] else ["grad " + TEXT[:190]])]
    elif op == "call":
        reply = {"result": {"opaque": SHORT}, "grad_mode": True}
    sent = [worker.wire.RawTensor(name, "float64", (1,), bytes(8)) for name in names]
    return worker.wire.encode({"id": meta["id"], **reply}, sent)

worker.RequestHandler.answer = answer
"""
ROUTES = {
    "an exception's message": "kaiming_init.calculate_fan",
    "a class name": "kaiming_init.leaky_relu_gain",
    "an exception's type": "kaiming_init.kaiming_uniform",
    "what is printed": "kaiming_init.kaiming_normal",
    "an attribute's name": "kaiming_init.xavier_uniform",
    "a second exception": "kaiming_init.bias_uniform",
    "a parameter's name": "linear.registration",
    "a name in the state dict": "linear.trains",
    "an operator's name": "linear.by_hand",
    "a syntax error": "tower.forward",
    "a forged list of names": "gradient_loop.predict",
    "a forged signature": "gradient_loop.squared_error",
    "a forged type": "gradient_loop.manual_gradients",
    "a forged exception": "gradient_loop.sgd_step",
    "a forged tensor's name": "gradient_loop.train_autograd",
    "a forged result": "conv2d.output_size",
    "a forged description": "conv2d.registration",
    "a forged device": "conv2d.meta_device",
    "a forged gradient's name": "conv2d.gradcheck",
}
"""A check for each route, whose message carries the text if that is one word."""


def gains(text: str, course: Course, broker: Broker) -> list[str]:
    """What the text gains in the exports of reports that carry it by every route.

    They are compared with those of the same submissions with a harmless word in the text's place.
    """
    harmless = _harmless_reports(course, broker)
    return [
        gain
        for report, like in zip(reports(text, course, broker), harmless, strict=True)
        for gain in [*looked_at(report, like), *_pasted(text, report, like)]
    ]


def reports(text: str, course: Course, broker: Broker) -> list[Report]:
    """Grade two submissions made of the text: a directory and an archive, both named after it."""
    with tempfile.TemporaryDirectory() as parent:
        return [
            grade(course, read_submission(path, course.modules), broker, seed=SEED, fit="off")
            for path in (_directory(text, Path(parent)), _archive(text, Path(parent)))
        ]


def looked_at(report: Report, like: Report) -> list[str]:
    """What the exports of a report hold that those of the harmless report do not."""
    looks = [
        _verdicts(report, like),
        _page(report, like),
        _xml(report, like),
        _json(report),
        _gradescope(report, like),
        _github(report, like),
        *(_printed(report, width) for width in WIDTHS),
    ]
    found = []
    for look in looks:
        try:
            found += look
        except Exception as error:  # whatever keeps an export from being written or read
            found.append(f"{type(error).__name__}: {error}")
    return found


_HARMLESS: dict[Broker, list[Report]] = {}


def _harmless_reports(course: Course, broker: Broker) -> list[Report]:
    if broker not in _HARMLESS:
        _HARMLESS[broker] = reports("harmless", course, broker)
    return _HARMLESS[broker]


# The submissions


def _directory(text: str, parent: Path) -> Path:
    header = HEADER % base64.b85encode(zlib.compress(_encoded(text), 9)).decode()
    folder = Path(os.fsdecode(os.path.join(os.fsencode(parent), _file_name(text))))  # noqa: PTH118
    folder.mkdir()
    for module, source in MODULES.items():
        (folder / f"{module}.py").write_text(header + source, encoding="utf-8")
    shown = text[:20_000].replace("\0", "")  # a module that holds a null is not taken at all
    broken = b"def broken(: # " + shown.encode("utf-8", "replace")
    (folder / "tower.py").write_bytes(broken)
    return folder


def _archive(text: str, parent: Path) -> Path:
    """No module of it can be read, so that no code runs."""
    path = Path(os.fsdecode(os.path.join(os.fsencode(parent), _file_name(text) + b".zip")))  # noqa: PTH118
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("linear.py", b"\xff")
        for module in ("conv2d", "kaiming_init", "tower"):
            archive.writestr(_odd(text).decode("utf-8", "replace") + f"{module}s.py", "")
    return path


def _file_name(text: str) -> bytes:
    return _encoded(text[:300].replace("/", "|").replace("\0", ""))[:200]


def _odd(text: str) -> bytes:
    """Some characters of the text, few enough for the name to be taken for a module's misspelt."""
    odd = [c for c in text[:1000] if not c.isalnum() and c not in "/\0"][:4] or [*text[:4]]
    return _encoded("".join(odd))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


# The exports


def _verdicts(report: Report, like: Report) -> Iterator[str]:
    if report.score != like.score or report.max_score != like.max_score:
        yield f"the score is {report.score:g} of {report.max_score:g}"
    if report.faults:
        yield f"the grader failed: {report.faults[0][0]}"
    for check in (check for module in report.modules for check in module.checks):
        broken = [line.text for line in lines(check) if "\n" in line.text]
        if broken:
            yield f"{check.id} says on more than one line: {broken}"


def _pasted(text: str, report: Report, like: Report) -> Iterator[str]:
    """Where a sentence of ours holds more of the text than a name: sixteen characters, not all a name's."""
    pieces = _pieces(one_line(text)) - _pieces(json_export.render(like))
    for module in report.modules:
        said = [line.text for check in module.checks for line in lines(check) if not line.quoted]
        for line in (module.note, *said):
            if pasted := pieces & _pieces(line):
                yield f"a sentence of ours holds {min(pasted)!r}: {line[:200]}"


def _pieces(text: str) -> set[str]:
    pieces = {text[i : i + 16] for i in range(len(text) - 15)}
    return {piece for piece in pieces if not re.fullmatch(r"[\w.]+", piece)}


def _page(report: Report, like: Report) -> Iterator[str]:
    page = html.render(report)
    yield from (f"the page holds {loose}" for loose in loose_characters(page))
    yield from (f"the page holds {thing!r}" for thing in markup(page) - markup(html.render(like)))


def _xml(report: Report, like: Report) -> Iterator[str]:
    text = junit.render(report)
    yield from (f"the XML holds {loose}" for loose in loose_characters(text))
    root, expected = ElementTree.fromstring(text), ElementTree.fromstring(junit.render(like))
    if [(e.tag, list(e.attrib)) for e in root.iter()] != [
        (e.tag, list(e.attrib)) for e in expected.iter()
    ]:
        yield "the XML holds other elements"
    content = json_export.as_dict(report)
    if root.get("name") != content["submission"]:
        yield "the XML has another name than the JSON"
    for suite, module in zip(root, content["modules"], strict=True):
        for case, check in zip(suite.iter("testcase"), module["checks"], strict=True):
            failure = case.find("failure")
            if failure is not None and any(part not in failure.text for part in parts(check)):
                yield f"the XML does not tell of {check['id']} what the JSON does"


def parts(check: dict[str, Any]) -> Iterator[str]:
    """What the JSON tells of a check in words, and every export has to show."""
    yield from (check["title"], check["remark"])
    if feedback := check["feedback"]:
        yield from (feedback[name] for name in ("asked", "found", "reading"))
        yield from feedback["quoted"]
        if feedback["cause"]:
            yield feedback["cause"]["text"]
        else:
            yield feedback["right"]


def _json(report: Report) -> Iterator[str]:
    text = json_export.render(report)
    content = json.loads(text)
    if json_export.parse(text) != replace(report, faults=()):
        yield "the JSON is read as another report"
    if content != json_export.as_dict(report) or not text.isascii():
        yield "the JSON does not hold the report"
    yield from (f"the JSON holds {loose}" for loose in loose_characters("".join(strings(content))))
    for string in strings(content):
        if len(string) > MAX_MESSAGE or string.count("\n") > MAX_LINES:
            yield f"the JSON holds a text of {len(string):,} characters"


def _gradescope(report: Report, like: Report) -> Iterator[str]:
    content = json.loads(gradescope.render(report))
    if _shape(content) != _shape(json.loads(gradescope.render(like))):
        yield "the results have other fields"
    text = "".join(strings(content))
    yield from (f"the results hold {loose}" for loose in loose_characters(text))
    checks = [check for module in report.modules for check in module.checks]
    for test, check in zip(content["tests"], checks, strict=True):
        if test["score"] != check.score or message(check) not in test["output"]:
            yield f"the results tell of {check.id} what the report does not"


def _shape(content: object) -> object:
    """Which fields of which types there are, and how many."""
    match content:
        case dict():
            return {name: _shape(part) for name, part in content.items()}
        case list():
            return [_shape(part) for part in content]
    return type(content)


def _github(report: Report, like: Report) -> Iterator[str]:
    page, expected = (MARKDOWN.render(github.summary(r)) for r in (report, like))
    yield from (f"the summary holds {thing!r}" for thing in markup(page) - markup(expected))
    yield from (f"the summary holds {loose}" for loose in loose_characters(page))
    lines = github.annotations(report, "folder").splitlines()
    wrong = [line for line in lines if not ANNOTATION.fullmatch(line)]
    yield from (f"an annotation reads {line[:100]!r}" for line in wrong)
    if len(lines) > github.MAX_ANNOTATIONS:
        yield f"there are {len(lines)} annotations"
    names = [line.partition("=")[0] for line in github.outputs(report).splitlines()]
    if names != ["score", "max-score", "per-cent", "result"]:
        yield f"a step puts out {names}"


def _printed(report: Report, width: int) -> Iterator[str]:
    lines = printed(report, width)
    yield from (f"the console shows {loose}" for loose in loose_characters("\n".join(lines)))
    yield from (f"the console gives a command: {line!r}" for line in lines if COMMAND.match(line))
    ours = sum(bool(OURS.match(line)) for line in lines)
    expected = sum(bool(OURS.match(line)) for line in printed(_reworded(report), width))
    if ours != expected:
        yield f"the console shows {ours} lines of the report's form in place of {expected}"


def _reworded(report: Report) -> Report:
    """The same report with one short word in place of each line that the submission wrote."""

    def reworded(check: CheckResult) -> CheckResult:
        if check.feedback is None:
            return check
        words = (str(zlib.crc32(_encoded(str(check.feedback)))),) * len(check.feedback.quoted)
        return replace(check, feedback=replace(check.feedback, quoted=words))

    modules = [
        replace(
            module,
            checks=tuple(map(reworded, module.checks)),
        )
        for module in report.modules
    ]
    return replace(report, modules=tuple(modules))


def printed(report: Report, width: int) -> list[str]:
    """The lines of the report on a console so wide."""
    shown = io.StringIO()
    console.show(report, Console(file=shown, width=width, highlight=False))
    return shown.getvalue().split("\n")


class _Markup(HTMLParser):
    """Collects all that is not text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[tuple[object, ...]] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add((tag, *attrs))

    def handle_endtag(self, tag: str) -> None:
        self.found.add(("end of", tag))

    def handle_comment(self, data: str) -> None:
        self.found.add(("comment", data))

    def handle_decl(self, decl: str) -> None:
        self.found.add(("declaration", decl))

    def unknown_decl(self, data: str) -> None:
        self.found.add(("declaration", data))

    def handle_pi(self, data: str) -> None:
        self.found.add(("instruction", data))


def markup(page: str) -> set[tuple[object, ...]]:
    """Elements with their attributes, comments, declarations and processing instructions."""
    return _Markup(page).found


def strings(value: object) -> Iterator[str]:
    """Every string in a JSON value, names of members among them."""
    match value:
        case str():
            yield value
        case dict():
            yield from value
            for item in value.values():
                yield from strings(item)
        case list():
            for item in value:
                yield from strings(item)


def loose_characters(text: str) -> list[str]:
    """What no export may hold: characters that act, break, cannot be seen, or pile up."""
    found = {
        f"U+{ord(character):04X}"
        for character in set(text) - {"\n", "\t"}
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
        or re.match(
            "[\u034f\u115f\u1160\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]", character
        )
    }
    marks, last = 0, ""
    for character in text if not text.isascii() else "":
        if unicodedata.category(character).startswith("M"):
            marks += 1
            if marks > MAX_MARKS or (marks == 1 and not last.isalpha()):
                found.add("loose combining marks")
        else:
            marks = 0
        last = character
    return sorted(found)


# The naive counterparts


def naive(text: str) -> list[str]:
    """What the text does to writers that paste it as it is: a sentence for each that is harmed."""
    begin = text[:100_000]
    harms: dict[str, Callable[[str], bool]] = {
        "a page gets other elements or text": _harms_a_page,
        "XML cannot be read or holds other elements": _harms_xml,
        "JSON cannot be read or holds other members": _harms_json,
        "a terminal or a log is given characters that act": lambda t: bool(loose_characters(t)),
        "a CI service is given a command": lambda t: any(map(COMMAND.match, t.splitlines())),
        "lines look like the report's own": lambda t: any(map(OURS.match, _wrapped(t))),
        "markup for the console is obeyed": _harms_markup,
        "a template is evaluated": _harms_a_template,
    }
    found = [harm for harm, harmed in harms.items() if harmed(begin)]
    if len(text) > MAX_MESSAGE or text.count("\n") > MAX_LINES:
        found.append("everything else drowns in it")
    return found


def _harms_a_page(text: str) -> bool:
    return markup(f"<p>{text}</p>") != markup("<p></p>")


def _harms_xml(text: str) -> bool:
    try:
        root = ElementTree.fromstring(f"<failure>{text}</failure>".encode("utf-8", "surrogatepass"))
    except ElementTree.ParseError:
        return True
    return len(root) > 0


def _harms_json(text: str) -> bool:
    try:
        return json.loads(f'{{"message": "{text}"}}') != {"message": text}
    except ValueError:
        return True


def _wrapped(text: str) -> list[str]:
    """As a console 80 wide breaks the lines."""
    return [line[i : i + 80] for line in text.splitlines() for i in range(0, len(line), 80)]


def _harms_markup(text: str) -> bool:
    try:
        return Text.from_markup(text).plain != Text(text).plain
    except MarkupError:
        return True


def _harms_a_template(text: str) -> bool:
    try:
        template = jinja2.Environment(keep_trailing_newline=True).from_string(text)
        return template.render() != text.replace("\r\n", "\n").replace("\r", "\n")
    except jinja2.TemplateError:
        return True
