"""The bank: every wrong submission loses points where it should, no right one loses any."""

import pytest
from helpers import ROOT, checks_of, failed

from autograder.bank import Bank
from autograder.course import GPU_CHECKS, course_root, load_course
from autograder.export.view import message

pytestmark = pytest.mark.bank

BANK = Bank(ROOT)
MODULES = list(load_course(course_root()).modules)
MUTANTS = [mutant for module in MODULES for mutant in BANK.mutants(module)]
VARIANTS = list(BANK.variants())


def grade_module(judge, solutions, module, source, fit="off", device="cpu"):
    return judge(solutions | {module: source}, only=module, seed=3, fit=fit, device=device)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.module}-{mutant.name}")
def test_a_mutant_fails_the_check_that_is_meant_for_it(judge, solutions, mutant):
    fit = "quick" if mutant.check == "tower.mnist_fit" else "off"
    device = "simulated" if GPU_CHECKS in mutant.check else "cpu"
    report = grade_module(judge, solutions, mutant.module, mutant.source, fit, device)
    assert mutant.check in failed(report), mutant.misconception
    causes = {check.cause_id for check in checks_of(report).values()}
    assert not mutant.cause or mutant.cause in causes
    assert not report.faults


@pytest.mark.parametrize(
    "variant", VARIANTS, ids=lambda variant: f"{variant.module}-{variant.name}"
)
def test_a_right_submission_that_is_written_differently_loses_nothing(judge, solutions, variant):
    source, device = variant.source, "simulated"
    report = grade_module(judge, solutions, variant.module, source, device=device)
    assert not failed(report), "\n".join(message(check) for check in checks_of(report).values())
    assert not report.faults


MACHINE = [mutant for module in MODULES for mutant in BANK.machine_mutants(module)]
SAMPLE = MACHINE[::10]


@pytest.mark.parametrize("mutant", SAMPLE, ids=lambda mutant: f"{mutant.module}-{mutant.name}")
def test_a_machine_made_mutant_fails_unless_it_makes_no_difference(judge, solutions, mutant):
    """A tenth of them; `make matrix` judges all."""
    report = grade_module(judge, solutions, mutant.module, mutant.source)
    assert bool(failed(report)) != bool(mutant.equivalent), mutant.change
    assert not report.faults


def test_every_check_is_seen_to_fail_on_a_mutant(course):
    caught = {mutant.check for mutant in MUTANTS}
    checks = {f"{m.name}.{check}" for m in course.modules.values() for check in m.weights}
    assert checks <= caught
