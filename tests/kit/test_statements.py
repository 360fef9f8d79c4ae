"""What a module defines counts: a statement that fails is passed over, and what lacks it says so."""

import json
import re
from dataclasses import replace
from textwrap import dedent

import pytest
from helpers import checks_of, messages

from autograder.grading import grade
from tower_student.notebooks import module_text
from tower_student.submission import Submission

pytestmark = pytest.mark.sandbox

LAYER = dedent(
    """\
    import math
    import torch
    from torch import nn


    class CustomLinear(nn.Module):
        def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
            super().__init__()
            made = {"device": device, "dtype": dtype}
            self.weight = nn.Parameter(torch.empty(out_features, in_features, **made))
            self.register_parameter("bias", nn.Parameter(torch.empty(out_features, **made)) if bias else None)
            self.reset_parameters()

        def reset_parameters(self):
            bound = 1 / math.sqrt(self.weight.shape[1])
            for parameter in self.parameters():
                nn.init.uniform_(parameter, -bound, bound)

        def forward(self, input):
            product = input @ self.weight.T
            return product if self.bias is None else product + self.bias
    """
)
IMPORTS, CLASS = LAYER.split("\n\n\n")
FORWARD = "def forward(self, input):\n"


@pytest.fixture
def graded(course, broker):
    """Grade modules by a few of linear's checks, in fresh workers."""

    def graded(**sources):
        texts = {name: text.encode() for name, text in sources.items()}
        submission = Submission("s", texts, {})
        checks = ["linear.registration", "linear.forward"]
        return grade(course, submission, broker, seed=1, fit="off", checks=checks)

    return graded


#: What stands before the layer, what after it, and what the report says of it.
PASSED_OVER = {
    "a failed self-test": ("", "assert CustomLinear(2, 3).weight.shape == (2, 3)", "line 23"),
    "exit()": ("", "exit()", "line 23, failed and was passed over: SystemExit. A program may"),
    "sys.exit()": ("import sys\nsys.exit(1)", "", "line 2, failed and was passed over: SystemExit"),
    "unittest.main()": (
        "",
        "import unittest\n\nclass T(unittest.TestCase):\n    def test(self):\n"
        "        self.fail()\n\nunittest.main()",
        "SystemExit",
    ),
    "input()": ("n = int(input('How many? '))", "", "EOFError. Nobody answers input() here"),
    "a breakpoint": ("", "breakpoint()", "BdbQuit. A breakpoint was left in"),
    "an argument that is asked for": (
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('n')\nn = p.parse_args()",
        "",
        "line 4, failed and was passed over: SystemExit",
    ),
    "a file that is not here": ("rows = open('data.csv').read()", "", "FileNotFoundError. Files,"),
    "a download": (
        "import urllib.request\nurllib.request.urlopen('http://localhost:1/x')",
        "",
        "URLError. Files, processes and the network are out of reach",
    ),
    "a package that is not on the list": ("import pandas as pd", "", "ModuleNotFoundError. Only"),
    "a package that the grader itself needs": ("import rich", "", "ModuleNotFoundError. Only"),
    "one that comes with it, by its name": (
        "import importlib\nassert importlib.util.find_spec('rich') is None\n"
        "importlib.import_module('pytest')",
        "",
        "line 3, failed and was passed over: ModuleNotFoundError. Only",
    ),
    "one of several": ("import pandas, math as m, json\nassert m and json", "", "line 1, failed"),
    "a name of a package": ("from scipy.stats import norm, t", "", "ModuleNotFoundError. Only"),
    "a class of its own that fails": ("class Other:\n    a = b", "", "line 1, failed"),
    "a later class that fails": (
        "",
        "class CustomLinear(nn.Module):\n    a = b",
        "line 23, failed",
    ),
    "return at the top": ("", "return CustomLinear", "SyntaxError"),
    "many": ("", "1 / 0\n" * 9, "6 more statements failed and were passed over"),
}


@pytest.mark.parametrize("kind", PASSED_OVER)
def test_a_statement_that_fails_costs_nothing_and_is_named(graded, kind):
    before, after, said = PASSED_OVER[kind]
    report = graded(linear=f"{before}\n\n{LAYER}\n{after}\n" if before else f"{LAYER}\n{after}\n")
    assert report.per_cent == 100, messages(report)
    assert report.modules[0].note.startswith("linear.py, line ")
    assert said in report.modules[0].note


#: What fails nowhere, though it could not do what it does elsewhere.
SILENT = {
    "nothing": "",
    "the guard": "if __name__ == '__main__':\n    1 / 0",
    "the guard, whatever the name": "__name__ = '__main__'\nif __name__ == '__main__':\n    1 / 0",
    "argparse with defaults": "import argparse\np = argparse.ArgumentParser()\n"
    "p.add_argument('--n', default=3)\nassert p.parse_args().n == 3",
    "its own name": "import sys\nassert sys.argv == [__file__] == ['linear.py']",
    "nothing of ours": "import sys, __main__\nassert not hasattr(__main__, '__file__')\n"
    "assert 'zygote' not in ' '.join(sys.orig_argv)",
    "plots": "import matplotlib\nmatplotlib.use('TkAgg')\nimport matplotlib.pyplot as plt\n"
    "figure, axes = plt.subplots(1, 2, figsize=(3, 4))\naxes[0].plot([1, 2])\n"
    "for ax in axes.flat:\n    ax.set_title('a')\ncounts, edges, bars = plt.hist([1, 2])\n"
    "with plt.style.context('x'):\n    plt.savefig('a.png')\nplt.show()",
    "a bar of progress": "from tqdm.auto import tqdm, trange\nimport tqdm as t\n"
    "assert list(tqdm(range(3), desc='x')) == [0, 1, 2] == list(trange(3)) == list(t.tqdm([0, 1, 2]))\n"
    "bar = tqdm(total=3)\nbar.update(1)\nbar.close()\ntqdm.write('x')\nassert len(tqdm([1])) == 1",
    "Colab": "from google.colab import drive, files\ndrive.mount('/content/drive')\n"
    "for name in files.upload().keys():\n    print(name)\nimport google.colab",
    "Jupyter": "from IPython.display import HTML, display\nimport IPython\ndisplay(HTML('x'))\n"
    "get_ipython().run_line_magic('matplotlib', 'inline')\nIPython.get_ipython().system('ls')",
    "torchvision": "import torchvision\nfrom torchvision import datasets, transforms\n"
    "t = transforms.Compose([transforms.ToTensor()])\n"
    "data = datasets.MNIST('.', train=True, download=True, transform=t)\nprint(f'{len(data):>5}')",
    "what is installed here, and need not be elsewhere": "import matplotlib, torchvision, tqdm, IPython\n"
    "for module in (matplotlib, torchvision, tqdm, IPython):\n"
    "    assert 'site-packages' not in str(module.__spec__)",
    "pytorch's own": "import torch.nn.functional as F, torch.utils.data, numpy as np, sympy",
    "what torch's compiler takes part in": "import torch\ntorch.use_deterministic_algorithms(True)",
    "a package by another name": "import homework.linear as own\nfrom homework import linear as l",
    "a later import from the future": "from __future__ import annotations",
    "a relative import of itself": "from . import linear as own\nfrom .linear import math as m",
    "a name like that of the module": "linear = 1\nfrom linear import linear as l\nassert l == 1\n"
    "from .linear import linear as l\nassert l == 1",
}


@pytest.mark.parametrize("kind", SILENT)
def test_what_only_shows_something_does_nothing(graded, kind):
    report = graded(linear=f"{LAYER}\n{SILENT[kind]}\n")
    assert report.modules[0].note == ""
    assert report.per_cent == 100, messages(report)


@pytest.mark.parametrize(
    "top",
    [
        "while True:\n    pass",
        "import time\ntime.sleep(1e9)",
        "while True:\n    print('a' * 10_000)",
    ],
    ids=["computes", "sleeps", "prints"],
)
def test_work_at_the_top_is_cut_off_once(course, broker, top):
    """Every check ends its worker, and the later workers know what takes too long."""
    text = LAYER.replace(FORWARD, f"{FORWARD}        import os; os._exit(0)\n") + f"\n{top}\n"
    hurried = replace(course, policy=replace(course.policy, import_seconds=4.0))
    submission, before = Submission("s", {"linear": text.encode()}, {}), broker.times.used
    report = grade(hurried, submission, broker, seed=1, fit="off")
    linear = next(module for module in report.modules if module.name == "linear")
    assert "TimeoutError. Training and other work does not belong" in linear.note
    assert len([check for check in linear.checks if check.status == "failed"]) > 6
    used = broker.times.used - before
    assert used < 6, "of two workers for each of these, one took a second longer"


#: What the layer lacks for want of something that failed, and what is said of it.
LACKING = {
    "a package": (
        "import pandas as pd",
        f"{FORWARD}        pd.isna(input)\n",
        "pd is missing, since linear.py, line 1, failed and was passed over.",
        "student | ModuleNotFoundError: No module named 'pandas'",
    ),
    "what a value was computed from": (
        "scale = open('scale.txt').read()\nhalf = scale / 2",
        f"{FORWARD}        input = input * half\n",
        "half is missing, since linear.py, line 1, failed and was passed over.",
        "FileNotFoundError",
    ),
}


@pytest.mark.parametrize("kind", LACKING)
def test_what_lacks_it_fails_for_that_reason(graded, kind):
    before, forward, found, quoted = LACKING[kind]
    report = graded(linear=f"{before}\n{LAYER.replace(FORWARD, forward)}")
    assert report.score < report.max_score
    assert found in messages(report)
    assert quoted in messages(report)


def test_what_a_failed_class_uses_within_explains_nothing(graded):
    other = "class Other:\n    def scale(self):\n        factor = 2\n    a = b"
    forward = f"{FORWARD}        input = input * factor\n"
    report = graded(linear=f"{other}\n{LAYER.replace(FORWARD, forward)}")
    assert "NameError was raised in linear.py, line " in messages(report)
    assert "is missing, since" not in messages(report)


def test_a_layer_that_cannot_be_defined_says_why(graded):
    report = graded(linear=LAYER.replace("from torch import nn\n", ""))
    assert report.score == 0
    text = messages(report)
    assert "CustomLinear is missing, since linear.py, line 5, failed and was passed over." in text
    assert "student | NameError: name 'nn' is not defined" in text


# Notebooks


def notebook(*cells):
    made = [{"cell_type": "code", "metadata": {}, "source": cell} for cell in cells]
    return module_text(json.dumps({"nbformat": 4, "cells": made}).encode()).decode()


def test_a_cell_that_python_cannot_read_is_passed_over(graded):
    report = graded(linear=notebook(IMPORTS, "def broken(:", CLASS, "x = (", "1 / 0"))
    assert report.per_cent == 100, messages(report)
    note = report.modules[0].note
    assert "cell 2 of linear, line 1, failed and was passed over: SyntaxError" in note
    assert "cell 4 of linear, line 1, failed and was passed over: SyntaxError" in note
    assert "cell 5 of linear, line 1, failed and was passed over: ZeroDivisionError" in note


def test_a_layer_in_a_cell_that_cannot_be_read_says_why(graded):
    report = graded(linear=notebook(IMPORTS, f"{CLASS}\nx = ("))
    assert report.score == 0
    assert "CustomLinear is missing, since cell 2 of linear, line " in messages(report)


def test_a_notebook_runs_as_in_jupyter(graded):
    cells = (
        "%matplotlib inline\nif True:\n    !pip install x",
        "%%bash\nexit 1",
        f"%%time\n{IMPORTS}",
        "    print('indented')\n    found = !ls",
        f"from __future__ import annotations\n{CLASS}",
        "async def wait():\n    return 3\nassert await wait() == 3",
        "CustomLinear??",
        ">>> layer = CustomLinear(2, 3)\n",
    )
    report = graded(linear=notebook(*cells))
    assert report.modules[0].note == ""
    assert report.per_cent == 100, messages(report)


def test_ones_own_cells_count(graded):
    """Beside the cells that nbgrader has marked, and whatever they are."""
    cells = [
        {"source": "%matplotlib inline", "metadata": {}},
        {"source": IMPORTS, "metadata": {"nbgrader": {"solution": False, "locked": True}}},
        {"source": "def times(a, b):\n    return a @ b.T", "metadata": {}},
        {
            "source": CLASS.replace("input @ self.weight.T", "times(input, self.weight)"),
            "metadata": {"nbgrader": {"solution": True}},
        },
        {"source": "assert False", "metadata": {"nbgrader": {"grade": True, "solution": False}}},
        {"source": "assert times is None", "metadata": {}},
    ]
    text = json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", **cell} for cell in cells]})
    report = graded(linear=module_text(text.encode()).decode())
    assert report.per_cent == 100, messages(report)
    assert report.modules[0].note == (
        "cell 6 of linear, line 1, failed and was passed over: AssertionError. A test of the file's own "
        "does not hold."
    )


def test_a_failing_line_in_a_notebook_is_named_by_its_cell(graded):
    forward = f"{FORWARD}        raise ValueError('lost')\n"
    report = graded(linear=notebook(IMPORTS, CLASS.replace(FORWARD, forward)))
    assert "ValueError was raised in cell 2 of linear, line 15." in messages(report)


# Between modules


def test_a_brick_is_imported_whatever_stands_around_it(course, broker, solutions):
    linear = f"{LAYER}\nraise SystemExit\n".encode()
    tower = solutions["tower"].replace(b"from linear import", b"from .linear import")
    tower = tower.replace(b"from conv2d import", b"from homework.conv2d import")
    assert_the_bricks_are_found(course, broker, solutions | {"linear": linear, "tower": tower})


def test_a_notebook_runs_another(course, broker, solutions):
    text = solutions["tower"].decode()
    text = re.sub("from (linear|conv2d) import .*", "", text)
    tower = notebook("%run linear.ipynb", f"%run ./conv2d.ipynb\n{text}").encode()
    linear = f"{LAYER}\nraise SystemExit\n".encode()
    assert_the_bricks_are_found(course, broker, solutions | {"linear": linear, "tower": tower})


def assert_the_bricks_are_found(course, broker, sources):
    report = grade(
        course, Submission("s", sources, {}), broker, seed=1, fit="off", only=["linear", "tower"]
    )
    assert report.per_cent == 100, messages(report)
    linear, tower = report.modules
    assert "SystemExit" in linear.note
    assert tower.note == ""


# What Python cannot read

UNREADABLE = {
    "a space that is none": ("a\u00a0= 1", "raised.pasted_character", "(U+00A0)"),
    "a space without width": ("a\u200b = 1", "raised.pasted_character", "(U+200B)"),
    "quotation marks of a text": ("a = \u201cone\u201d", "raised.pasted_character", "(U+201C)"),
    "a minus of a text": ("a = 2 \u2212 1", "raised.pasted_character", "(U+2212)"),
    "tabs and spaces": ("if True:\n\ta = 1\n        b = 2", "raised.tabs", "four spaces"),
    "another width": ("if True:\n    a = 1\n  b = 2", "raised.tabs", "four spaces"),
    "a conflict": ("<<<<<<< HEAD\na = 1\n=======", "raised.merge_conflict", "keep one of the two"),
    "a line for Jupyter": ("!pip install torch", "raised.for_jupyter", "hand in the notebook"),
    "the marks of Markdown": ("```", "raised.for_markdown", "delete the lines of ```"),
    "a prompt": (">>> import torch", "raised.prompt", "delete each >>>"),
    "all else": ("def broken(:", "raised.syntax", "cannot read it at all"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_python_cannot_read_has_a_remedy(graded, kind):
    line, name, remedy = UNREADABLE[kind]
    report = graded(linear=f"{LAYER}\n{line}\n")
    assert report.score == 0
    cause = checks_of(report)["linear.registration"].feedback.cause
    assert cause.id == name
    assert remedy in cause.text
