"""The reader of mutants: what stands under @mutant comes into the solution, which changes nowhere else."""

import pytest

from autograder.errors import CourseError
from autograder.mutants import mutant, read

SOLUTION = '''"""A solution."""

import math

SIZE = 2  # stays


def half(x: float) -> float:
    """Half of it."""
    ### BEGIN SOLUTION Halve.
    return x / 2
    ### END SOLUTION


@final
class Layer(Module):
    """A layer."""

    scale = 1

    def __init__(self) -> None:
        super().__init__()

    # what is between stays too
    def forward(self, input):
        ### BEGIN SOLUTION Halve.
        return half(input)
        ### END SOLUTION
'''
HEAD = '"""Wrong."""\n\nfrom autograder.bank import mutant\n\n'
SAYS = '"wrong", "A belief.", check="values"'


def one(text):
    (wrong,) = read("module", HEAD + text, SOLUTION)
    return wrong


def changed(*pairs):
    text = SOLUTION
    for old, new in pairs:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


HALF = SOLUTION[SOLUTION.index("def half") : SOLUTION.index("\n\n@final")]
FORWARD = SOLUTION[SOLUTION.index("    def forward") :]


def test_a_function_takes_the_place_of_the_solutions():
    body = "@cached\ndef half(x):\n    # no\n    return x / 3\n    # end\n"
    assert one(f"@mutant({SAYS})\n{body}").source == changed((HALF, body))


def test_of_a_class_only_what_it_holds_does():
    forward = "    def forward(self, input):\n        return input\n"
    wrong = one(f"@mutant({SAYS})\nclass Layer:\n    scale = 2\n\n{forward}")
    assert wrong.source == changed(("scale = 1", "scale = 2"), (FORWARD, forward))


def test_a_head_with_bases_takes_the_place_of_the_solutions():
    wrong = one(f"@mutant({SAYS})\nclass Layer(Linear):\n    scale = 2\n")
    expected = "class Layer(Linear)"
    assert wrong.source == changed(
        ("@final\nclass Layer(Module)", expected), ("scale = 1", "scale = 2")
    )


def test_what_the_solution_has_not_is_added_at_the_end():
    method, helper = "    def extra(self):\n        pass\n", "def helper():\n    pass\n"
    wrong = one(f'@mutant({SAYS})\nclass Layer:\n{method}\n\n@mutant("wrong")\n{helper}')
    assert wrong.source == f"{SOLUTION}\n{method}\n\n{helper}"


def test_what_a_definition_needs_stands_above_it():
    wrong = one(f'@mutant({SAYS}, above="import os\\nN = 3")\nclass Layer:\n    scale = N\n')
    expected = changed(("@final", "import os\nN = 3\n\n\n@final"), ("scale = 1", "scale = N"))
    assert wrong.source == expected


def test_definitions_in_a_row_under_one_name_are_one_mutant():
    body = "def half(x):\n    return x\n"
    wrong = one(f'@mutant({SAYS})\n{body}\n\n@mutant("wrong")\nclass Layer:\n    scale = 2\n')
    assert wrong.source == changed((HALF, body), ("scale = 1", "scale = 2"))


def test_what_is_said_of_it_is_what_mutant_takes():
    wrong = one(f'@mutant({SAYS}, cause="c", calibrates=True)\ndef half(x):\n    return x\n')
    said = {"check": "values", "cause": "c", "calibrates": True, "above": ""}
    assert wrong.says == {"name": "wrong", "misconception": "A belief."} | said


def test_mutant_gives_back_what_it_marks():
    assert mutant("wrong")(one) is one


BODY = "\ndef half(x):\n    return x\n"
ODD = {
    "(": r"mutants/module\.py:5: this is no Python",
    "SIZE = 3": "5: this does not stand under @mutant",
    "def half(x):\n    return x": "5: this does not stand under @mutant",
    f"@other({SAYS}){BODY}": "does not stand under @mutant",
    f"@mutant({SAYS}, chek=1){BODY}": "unexpected keyword argument 'chek'",
    f"@mutant(name, 'A belief.', check='values'){BODY}": "cannot be read",
    f"@mutant(){BODY}": "cannot be read: missing a required argument: 'name'",
    f"@mutant('wrong', 'A belief.'){BODY}": "6: the mutant 'wrong' has no check",
    f"@mutant('wrong'){BODY}": "the mutant 'wrong' has no misconception, check",
    f"@mutant({SAYS}){BODY}@mutant({SAYS}){BODY}": "9: there is a mutant 'wrong' already",
    f"@mutant({SAYS}){BODY}@mutant('a', 'b', check='c'){BODY}@mutant({SAYS}){BODY}": "12: there is",
    f"@mutant({SAYS})\ndef hafl(x):\n    return x\n": r"solutions/module\.py has no hafl",
}


@pytest.mark.parametrize(("text", "says"), ODD.items(), ids=range(len(ODD)))
def test_what_cannot_be_read_is_reported_with_its_line(text, says):
    with pytest.raises(CourseError, match=says):
        list(read("module", HEAD + text, SOLUTION))
