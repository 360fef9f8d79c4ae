"""The bank: every wrong submission loses points where it should, no right one loses any."""

import pytest
from helpers import ROOT, checks_of, failed, without_stand_ins

from autograder.bank import Bank
from autograder.course import GPU_CHECKS, course_root, load_course
from autograder.export.view import message
from autograder.grading import grade
from tower_student.submission import Submission

pytestmark = pytest.mark.bank

BANK = Bank(ROOT)
MODULES = list(load_course(course_root()).modules)
MUTANTS = [mutant for module in MODULES for mutant in BANK.mutants(module)]
VARIANTS = list(BANK.variants())


@pytest.fixture(scope="module")
def graded(course, broker, solutions):
    """Grade a module of the bank beside the solutions of the others; with `checks`, these alone."""
    course = without_stand_ins(course)

    def graded(entry, **options):
        submission = Submission(entry.name, solutions | {entry.module: entry.source}, {})
        given = {"seed": 3, "fit": "off", "only": [entry.module], **options}
        return grade(course, submission, broker, **given)

    return graded


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.module}-{mutant.name}")
def test_a_mutant_fails_the_check_that_is_meant_for_it(graded, mutant):
    """That check alone is run; `make matrix` runs all."""
    fit = "quick" if mutant.check == "tower.mnist_fit" else "off"
    device = "simulated" if GPU_CHECKS in mutant.check else "cpu"
    report = graded(mutant, fit=fit, device=device, checks=[mutant.check])
    assert mutant.check in failed(report), mutant.misconception
    assert not report.faults
    if mutant.cause and mutant.cause not in causes(report):
        whole = graded(mutant)  # another check of the module names it
        assert mutant.cause in causes(whole)
        assert not whole.faults


RANGES = [mutant for module in MODULES for mutant in BANK.range_mutants(module)]


@pytest.mark.parametrize("mutant", RANGES, ids=lambda mutant: f"{mutant.module}-{mutant.name}")
def test_a_mutant_that_is_right_within_a_range_fails(graded, mutant):
    """Under this seed; tests/support/range_lab.py looks at many."""
    report = graded(mutant, checks=[mutant.check])
    assert mutant.check in failed(report), mutant.misconception
    assert not report.faults


def causes(report):
    return {check.cause_id for check in checks_of(report).values()}


@pytest.mark.parametrize(
    "variant", VARIANTS, ids=lambda variant: f"{variant.module}-{variant.name}"
)
def test_a_right_submission_that_is_written_differently_loses_nothing(graded, variant):
    report = graded(variant, device="simulated")
    assert not failed(report), "\n".join(message(check) for check in checks_of(report).values())
    assert not report.faults


MACHINE = [mutant for module in MODULES for mutant in BANK.machine_mutants(module)]
SAMPLE = MACHINE[::10]


@pytest.mark.parametrize("mutant", SAMPLE, ids=lambda mutant: f"{mutant.module}-{mutant.name}")
def test_a_machine_made_mutant_fails_unless_it_makes_no_difference(graded, mutant):
    """A tenth of them; `make matrix` judges all."""
    report = graded(mutant)
    assert bool(failed(report)) != bool(mutant.equivalent), mutant.change
    assert not report.faults


def test_every_check_is_seen_to_fail_on_a_mutant(course):
    caught = {mutant.check for mutant in MUTANTS}
    checks = {f"{m.name}.{check}" for m in course.modules.values() for check in m.weights}
    assert checks <= caught
