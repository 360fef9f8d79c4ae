"""What a module's text names that no work by hand needs is found, and what is harmless is not."""

import ast
from textwrap import dedent

import pytest

from autograder.sandbox.importer import survey
from autograder.sandbox.reading import read
from autograder.suite.session import Session

FOUND = {
    "F.linear with the records off": (
        "torch.autograd._enable_record_function(False)",
        "_enable_record_function",
    ),
    "a name put together": ("getattr(sys, 'set' + 'profile')(None)", "setprofile"),
    "a name written backwards": ("getattr(torch, 'pmoced_'[::-1])", "torch._decomp"),
    "a name of letters": ("getattr(builtins, ''.join((chr(101), 'xec')))", "exec"),
    "a name that is only computed": ("getattr(sys, input)", "getattr(sys, …)"),
    "a name in a dictionary": ("torch.__dict__['_refs'].mm(input)", "torch._refs"),
    "a name in a pickle": ("pickle.loads(b'csys\\nsettrace\\n.')", "settrace"),
    "a dotted name as text": (
        "attrgetter('autograd._enable_record_function')(torch)",
        "_enable_record_function",
    ),
    "another module's way to sys": ("torch.sys.modules", "torch.sys.modules"),
    "an alias": ("quiet(False)", "_enable_record_function"),
    "an import within": (
        "from torch._decomp import decompositions as d; d.im2col(input)",
        "torch._decomp",
    ),
    "the worker's modules as text": ("load('sandbox.recorder')", "sandbox.recorder"),
    "text that is run": ("eval('1 + 1')", "eval"),
}
HARMLESS = {
    "an unused import": "import ctypes; from torch import _refs",
    "the module itself": "getattr(sys.modules[__name__], 'helper')(input)",
    "where it runs": "print('google.colab' in sys.modules)",
    "a private name of nn": "_pair(input), nn.init._calculate_fan_in_and_fan_out(input)",
    "an operator with _": "torch._foreach_add_([input], [input])",
    "a computed attribute": "getattr(self, input), getattr(torch, input)",
    "methods of these names": "self.eval(), re.compile('x'), torch.compile(self)",
    "the layer that is compared with": "F.linear(input, self.weight), nn.Linear(2, 3)",
}
HEAD = """
import builtins, pickle, re, sys
from operator import attrgetter
import torch
import torch.nn.functional as F
from torch import nn
from torch.autograd import _enable_record_function as quiet
from torch.nn.modules.utils import _pair
"""


def names(text):
    return {name: set(found) for name, (_, found) in read(ast.parse(text)).items()}


@pytest.mark.parametrize("what", FOUND)
def test_what_hides_is_found(what):
    line, name = FOUND[what]
    assert name in names(f"{HEAD}\ndef forward(self, input):\n    {line}")["forward"]


@pytest.mark.parametrize("what", HARMLESS)
def test_what_is_harmless_is_not(what):
    found = names(f"{HEAD}\ndef forward(self, input):\n    {HARMLESS[what]}")
    assert found == {"": set(), "forward": set()}


def led_to(text, called):
    """What counts where the module's `called` was called."""
    session = Session.__new__(Session)
    session._names = survey(dedent(text).encode(), "m.py")["names"]
    return session.foreign(called)


TEXT = """
import sys

class Layer:
    def forward(self, input):
        return helper(input)

def helper(input):
    return input

def against_torch():
    assert sys.getprofile() is None

if __name__ == "__main__":
    sys.settrace(None)
"""


def test_what_is_not_reached_does_not_count():
    assert led_to(TEXT, "Layer") == []
    assert led_to(TEXT, "against_torch") == ["getprofile"]


@pytest.mark.parametrize(
    "more",
    [
        "against_torch()",
        "if __name__ != '__main__':\n    against_torch()",
        "try:\n    if __name__ == '__main__':\n        against_torch()\nfinally:\n    pass",
        "TYPE_CHECKING = True\nif TYPE_CHECKING:\n    against_torch()",
        "Layer.forward = against_torch",
        "LAYERS = {'x': against_torch}",
        "@register\ndef again():\n    against_torch()",
        "class More(Layer):\n    x = against_torch()",
    ],
)
def test_what_runs_on_import_is_reached(more):
    assert led_to(TEXT + more, "Layer") == ["getprofile"]


def test_what_is_reached_by_a_computed_name_is_reached():
    text = TEXT.replace("return helper(input)", "return globals()[input]")
    assert led_to(text, "Layer") == ["getprofile"]


@pytest.mark.parametrize(
    "text",
    [
        "x = " + " + ".join(["'a'"] * 2000),
        "import torch\nx = torch" + ".nn" * 900,
        "import torch as x\n" + "x = x.a; x = x.b\n" * 500,
        "if x: pass\n" + "elif x: pass\n" * 900,
    ],
    ids=["sum", "chain", "aliases", "branches"],
)
def test_an_odd_text_is_read_in_time(text):
    assert survey(text.encode(), "m.py").keys() & {"names", "syntax_error"}
