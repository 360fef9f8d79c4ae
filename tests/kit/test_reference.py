"""docs/reference.md is what the docstrings say, and leaves nothing out."""

import ast
import dataclasses
import inspect
import tomllib

import authors_reference
import msgspec
import pytest
from authors_reference import HIDDEN, LEFT_OUT, PAGE, cut, paragraph_with, public, signature
from test_docs import blocks

from autograder import course
from autograder.bank import mutant
from autograder.sandbox.policy import Policy
from autograder.suite import (
    candidates,
    cases,
    failures,
    long_run,
    outputs,
    parity,
    properties,
    registry,
    replies,
    sampler,
    statistics,
    student,
    tolerances,
)

MODULES = [
    *(
        student,
        replies,
        sampler,
        long_run,
        cases,
        parity,
        failures,
        tolerances,
        properties,
        statistics,
        registry,
    ),
    *(candidates, outputs),
]
TABLES = [course._CourseTable, course._ModuleTable, course._WorkerTable]


def test_the_page_is_what_the_docstrings_make():
    assert PAGE.read_text() == authors_reference.page(), "run `make reference`"


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_public_name_of_a_module_is_on_the_page(module):
    text = PAGE.read_text()
    fixtures = {
        student.Student: "student.call(",
        student.Layer: "layer(",
        sampler.Sampler: "sampler.seed(",
    }
    for thing in public(module):
        assert f"`{fixtures.get(thing) or signature(thing)}" in text, thing


@pytest.mark.parametrize("kind", [student.Student, student.Layer, sampler.Sampler])
def test_every_public_method_of_a_fixture_is_on_the_page(kind):
    text, name = PAGE.read_text(), kind.__name__.lower()
    for key, method in vars(kind).items():
        if not key.startswith("_") and method not in LEFT_OUT:
            assert f"`{name}.{key}" in text


def test_every_tolerance_is_on_the_page_with_its_value():
    text = PAGE.read_text()
    for name, value in vars(tolerances).items():
        if name.isupper():
            assert f"`{name} = " in text
            assert str(value)[:3] in text.partition(f"`{name} = ")[2] or isinstance(value, dict)


def test_every_key_of_course_toml_and_of_a_mutant_is_on_the_page():
    text = PAGE.read_text()
    keys = {field.name for table in TABLES for field in msgspec.structs.fields(table)}
    keys |= {field.name for field in dataclasses.fields(Policy)}
    keys |= inspect.signature(mutant).parameters.keys()
    for key in keys:
        assert f"`{key}" in text, key


def test_every_section_has_an_example_and_all_of_them_parse():
    sections = PAGE.read_text().split("\n## ")[1:]
    assert len(sections) == 12
    for section in sections:
        found = list(blocks(section))
        assert found, section[:40]
        for language, code in found:
            {"python": ast.parse, "toml": tomllib.loads}[language](code)


def test_an_example_that_is_gone_is_an_error():
    with pytest.raises(LookupError, match="no function test_gone"):
        cut(f"{HIDDEN}/test_linear.py", "test_gone", "", 1)
    with pytest.raises(LookupError, match="no statement of test_forward"):
        cut(f"{HIDDEN}/test_linear.py", "test_forward", "gone =", 1)
    with pytest.raises(LookupError, match="no paragraph"):
        paragraph_with("course.toml", "[modules.gone]")
