"""Ways to feign work by hand lose its points, and their honest twins keep all.

Each is a file tests/bank/attacks/by_hand/MODULE__NAME.py in the form of the bank's mutants: an "evasion",
and beside it what is "honest" although it looks alike.
"""

import pytest
from helpers import ROOT, checks_of, failed, without_stand_ins

from autograder.grading import grade
from autograder.mutants import read
from tower_student.submission import Submission

FILES = sorted((ROOT / "tests" / "bank" / "attacks" / "by_hand").glob("*.py"))
BY_HAND = ("by_hand", "im2col_by_hand", "manual_by_hand", "asks_autograd", "own_bricks")
each = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


@pytest.fixture(scope="module")
def feigned(course, broker, solutions):
    """Grade one of the two submissions of a file; says which check it is for."""

    def feigned(file, which):
        module = file.stem.partition("__")[0]
        made = read(module, file.read_text(encoding="utf-8"), solutions[module].decode())
        says, source = next(wrong for wrong in made if wrong.says["name"] == which)
        submission = Submission(file.stem, solutions | {module: source.encode()}, {})
        given = {"seed": 3, "fit": "off", "only": [module]}
        return says, grade(without_stand_ins(course), submission, broker, **given)

    return feigned


@pytest.mark.bank
@each
def test_an_evasion_loses_the_points_of_work_by_hand(feigned, file):
    says, report = feigned(file, "evasion")
    check = f"{file.stem.partition('__')[0]}.{says['check']}"
    assert check in failed(report)
    assert not says["cause"] or checks_of(report)[check].cause_id == says["cause"]
    assert not report.faults


@pytest.mark.bank
@each
def test_its_honest_twin_loses_nothing(feigned, file):
    _, report = feigned(file, "honest")
    assert failed(report) == set()
    assert not report.faults
