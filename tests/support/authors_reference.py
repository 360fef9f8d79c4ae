"""The reference for authors of hidden tests: docs/reference.md, made of docstrings and of lines that CI runs.

python tests/support/authors_reference.py
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import msgspec

from autograder import bank, course, mutants
from autograder.sandbox.policy import Policy
from autograder.suite import (
    candidates,
    cases,
    failures,
    long_run,
    outputs,
    parity,
    properties,
    ranges,
    registry,
    replies,
    sampler,
    slips,
    statistics,
    student,
    tolerances,
)

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "reference.md"
HIDDEN = "tests/hidden"
SMALL = "tests/kit/courses/attention"
#: What is public for other parts of the kit, and not for hidden tests.
LEFT_OUT = {
    *(thing for thing in vars(replies).values() if inspect.isfunction(thing)),
    *(student.Student.ask, student.Student.defer, student.Layer.describe),
    *(failures.CheckFailed.feedback, registry.forget),
}
OPERATORS = (properties.by_hand, properties.judged_elsewhere, properties.ReadyMade)
DEVICES = (
    *(properties.survives_transfers, properties.keeps_to_the_stream, properties.half_forward),
    *(properties.lies_on, properties.meta_output),
)


def page() -> str:
    """Return the page."""
    elsewhere = {*OPERATORS, *DEVICES, properties.initialised_uniformly}
    on_gpu = ", ".join(
        f"`properties.{each.__name__}`" for each in public(properties) if asks(each, "on_gpu")
    )
    return joined(
        [
            "# What a hidden test can ask",
            *paragraph(f"""
                For authors of hidden tests. Made from docstrings by `make reference`; not written by hand.
                Every example is cut from a file that CI runs: the checks of this course, and of a smaller one
                in `{SMALL}`. [new-exercise.md](new-exercise.md) writes a module from beginning to end.
            """),
            *paragraph("""
                A check is a function `test_CHECK` in `tests/hidden/test_MODULE.py`; its weight stands in
                `course.toml`. The first line of its docstring is the title that students read, the rest the
                hint. It takes the fixtures below as arguments, and passes when it returns. What it imports
                from `tests/hidden/` is the course's own: oracles, and in `conftest.py` misconceptions.
            """),
            "## The `student` fixture",
            *prose(student),
            *cut(f"{SMALL}/tests/hidden/test_softmax.py", "test_gradient", "answer =", 3),
            *methods(student.Student, "student"),
            "### Layers",
            *methods(student.Layer, "layer"),
            *cut(f"{SMALL}/tests/hidden/test_attention.py", "make", "oracle =", 3),
            "### Arguments",
            *paragraph("""
                Tensors, numbers, texts, dtypes, layers, lists and tuples go to the worker as
                they are. These describe what is made there:
            """),
            *entries(student.Input, student.Meta, student.Generator, student.Batches, student.Once),
            "### Answers",
            *entries(
                *(replies.Answer, replies.Seen, replies.Transfers),
                *(replies.Description, replies.Parameter, replies.Description.shapes),
            ),
            "## The `sampler` fixture",
            *methods(sampler.Sampler, "sampler"),
            *cut(f"{SMALL}/tests/hidden/test_attention.py", "given", "n, queries", 3),
            "## The `long_run` fixture",
            *entries(*public(long_run)),
            *cut(f"{HIDDEN}/fit.py", "fitted_accuracy", "if context.on_gpu", 2),
            "## Cases",
            *prose(cases),
            *cut(f"{HIDDEN}/test_linear.py", "", "by_name =", 1),
            *entries(*public(cases)),
            "### Drawn questions",
            *prose(ranges),
            *cut(f"{HIDDEN}/test_linear.py", "", "DRAWN =", 2),
            *entries(*public(ranges)),
            "## Comparing",
            *prose(parity),
            *cut(f"{SMALL}/tests/hidden/test_attention.py", "test_own_softmax", "other =", 2),
            *entries(*public(parity)),
            "### Failing",
            *prose(failures),
            *cut(f"{HIDDEN}/test_kaiming_init.py", "test_by_hand", "filled =", 2),
            *entries(*public(failures), failures.CheckFailed.because, failures.CheckFailed.beside),
            "### Slips",
            *prose(slips),
            *cut(f"{HIDDEN}/test_gradient_loop.py", "compare_history", "forgiven =", 3),
            *entries(
                failures.CheckFailed.slipped, slips.charged_once, slips.is_forgiven, slips.keyword
            ),
            *constants(slips),
            "### Tolerances",
            *entries(tolerances.Tolerance),
            *constants(tolerances),
            "## Layer properties",
            *prose(properties),
            *cut(f"{SMALL}/tests/hidden/test_attention.py", "test_gradient_parity", "layer,", 2),
            *entries(*(each for each in public(properties) if each not in elsewhere)),
            "## How to forbid an operator",
            *paragraph("""
                Ask with `watch=True`: the operators that run are recorded, and come back as `Answer.seen`.
                This is a speed bump in the student's own process, no proof.
            """),
            *cut(f"{SMALL}/tests/hidden/test_softmax.py", "test_by_hand", "answer =", 2),
            *entries(*OPERATORS),
            "## How to judge an initialisation",
            *prose(statistics),
            *cut(f"{HIDDEN}/test_linear.py", "test_initialisation", "oracle, bound =", 2),
            *entries(properties.initialised_uniformly, *public(statistics)),
            "## How to ask for a GPU",
            *paragraph(f"""
                A check named `test_{course.GPU_CHECKS}…` runs on a GPU alone, with `--device cuda` or `auto`;
                elsewhere it is not verified, and its points go to the module's others. In any other check,
                long ones apart, `on_gpu=True` asks a simulated GPU: its tensors say that they lie on CUDA,
                and compute on the CPU. `Student.call`, `Student.keep`, `Layer.run` and {on_gpu} take it.
                The meta device needs no GPU: it has shapes and no memory, and refuses CPU tensors.
            """),
            *cut(f"{HIDDEN}/test_linear.py", "test_gpu_parity", "layer, oracle =", 2),
            *cut(f"{HIDDEN}/test_linear.py", "test_meta_device", "made:", 3),
            *entries(*DEVICES),
            "## How to write a misconception",
            *prose(registry),
            *cut(f"{SMALL}/tests/hidden/conftest.py", "of_attention", "query, key", 4, header=True),
            "For a function that is no layer, candidates go to `compare` itself:",
            *cut(f"{SMALL}/tests/hidden/test_softmax.py", "test_values", "candidates =", 2),
            *entries(*public(registry), *public(candidates), *public(outputs)),
            "## How to write a mutant",
            *prose(bank.Mutant, fields=False),
            *prose(mutants.mutant),
            "The file imports `mutant` from `autograder.bank`, and needs no other import.",
            *paragraph_with(f"{SMALL}/tests/bank/mutants/softmax.py", "over_the_last_dimension"),
            "`make matrix` grades every mutant, and says which of them no check catches.",
            "## course.toml",
            *paragraph_with(f"{SMALL}/course.toml", "[modules.attention]"),
            *table("The whole file", course._CourseTable),
            *table("[modules.NAME]", course._ModuleTable),
            *table("[worker]", course._WorkerTable),
            "### [limits]",
            *prose(Policy),
            *constants(Policy),
        ]
    )


def joined(blocks: list[str]) -> str:
    """Return blocks of Markdown as a page: items of a list follow one another without a blank line."""
    text = ""
    for before, block in zip(["", *blocks], blocks, strict=False):
        text += "\n" if before[:2] == block[:2] == "- " else "\n\n"
        text += block
    return text.strip() + "\n"


def public(module: ModuleType) -> list[object]:
    """Return the public functions and classes that a module defines, in order."""
    return [
        thing
        for name, thing in vars(module).items()
        if getattr(thing, "__module__", "") == module.__name__
        and (inspect.isfunction(thing) or inspect.isclass(thing))
        and not name.startswith("_")
        and thing not in LEFT_OUT
    ]


def entries(*things: object) -> Iterator[str]:
    """Yield a list item for each function or class, under the name of its module."""
    module = ""
    for thing in things:
        if thing.__module__ != module:
            module = thing.__module__
            yield f"From `{module}`:"
        yield item(thing.__qualname__.removesuffix(thing.__name__) + signature(thing), thing)


def methods(cls: type, name: str) -> Iterator[str]:
    """Yield what a class says of itself, and a list item for each public method, called on `name`."""
    yield from prose(cls, name=f"{name}.")
    for key, method in vars(cls).items():
        if (not key.startswith("_") or key == "__call__") and method not in LEFT_OUT:
            yield item(f"{name}.{signature(method)}".replace(".__call__", ""), method)


def item(head: str, thing: object) -> str:
    """Return a list item: a signature, and what the docstring says below it."""
    first, *rest = prose(thing)
    text = "\n\n".join([f"`{head}`\\\n{first}", *rest])
    return textwrap.indent(text, "  ").replace("  ", "- ", 1)


def signature(thing: object) -> str:
    """Return a signature as it is written, or the fields of a class as its arguments."""
    source = thing.fget if isinstance(thing, property) else thing
    node = ast.parse(textwrap.dedent(inspect.getsource(source))).body[0]
    if isinstance(node, ast.ClassDef):
        fields = [ast.unparse(n) for n in node.body if isinstance(n, ast.AnnAssign)]
        made = [arguments(n) for n in node.body if getattr(n, "name", "") == "__init__"]
        inside = "".join(made) or ", ".join(fields)
        text = f"{node.name}({inside})" if inside else node.name
    else:
        returned = ast.unparse(node.returns).strip("'")
        returned = "" if returned == "None" else f" -> {returned}"
        call = "" if isinstance(thing, property) else f"({arguments(node)})"
        text = f"{node.name}{call}{returned}"
    return text.replace("field(default_factory=dict)", "{}").replace("'", '"')


def arguments(node: ast.FunctionDef) -> str:
    """Return the arguments of a function as its author wrote them, without `self`."""
    written = ast.unparse(node.args).removeprefix("self").removeprefix(", ")
    return re.sub(r"(\w: [^=]*[^\s=])=", r"\1 = ", written)


def asks(function: object, argument: str) -> bool:
    """Return whether a function takes an argument of this name."""
    return inspect.isfunction(function) and argument in inspect.signature(function).parameters


def paragraph(text: str) -> list[str]:
    """Return a text on one line."""
    return [" ".join(text.split())]


def prose(thing: object, *, fields: bool = True, name: str = "") -> Iterator[str]:
    """Yield a docstring as Markdown: paragraphs, and a list for Args and Attributes; no code.

    Args:
        fields: whether to list them.
        name: what stands before their names.
    """
    for block in inspect.cleandoc(thing.__doc__ or "").split("\n\n"):
        if re.match(r"(Args|Attributes):\n", block):
            if fields:
                yield "\n".join(
                    f"- `{name}{key}`: {text}" for key, text in described(block).items()
                )
        elif not block.startswith("    "):
            yield " ".join(block.split())


def described(block: str) -> dict[str, str]:
    """Return what an Args or Attributes block says of each name."""
    found = re.findall(r"^    (\w+): (.+(?:\n {8}.+)*)", block, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}


def fields(cls: type) -> dict[str, str]:
    """Return what a class says of each of its attributes."""
    return described(inspect.cleandoc(cls.__doc__ or "").partition("Attributes:\n")[2])


def constants(thing: object) -> Iterator[str]:
    """Yield each constant of a module, or field of a class, with its value and the words by it."""
    lines = inspect.getsource(thing).splitlines()
    tree = ast.parse(textwrap.dedent("\n".join(lines)))
    body = tree.body[0].body if isinstance(thing, type) else tree.body
    for node, below in zip(body, [*body[1:], None], strict=True):
        if not isinstance(node, ast.Assign | ast.AnnAssign):
            continue
        words = []
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            words = below.value.value.split()
        above = lines[: node.lineno - 1]
        while above and above[-1].strip().startswith("#:"):
            words = [*above.pop().strip().removeprefix("#:").split(), *words]
        name = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
        value = ast.get_source_segment("\n".join(lines), node.value)
        yield f"- `{ast.unparse(name)} = {value}`: {' '.join(words)}"


def table(title: str, cls: type[msgspec.Struct]) -> Iterator[str]:
    """Yield the keys of a table of course.toml."""
    yield f"### {title}"
    yield from prose(cls, fields=False)
    texts = fields(cls)
    for field in msgspec.structs.fields(cls):
        yield f"- `{field.name}`{' (required)' if field.required else ''}: {texts[field.name]}"


def cut(file: str, function: str, first: str, count: int, *, header: bool = False) -> list[str]:
    """Return `count` statements of a file, from the one that begins with `first`, as a block of code.

    Raises LookupError where there is no such function, or no such statement in it.
    """
    text = (ROOT / file).read_text()
    body = ast.parse(text).body
    lines = text.splitlines()
    shown = []
    if function:
        node = next((n for n in body if getattr(n, "name", "") == function), None)
        if not isinstance(node, ast.FunctionDef):
            raise LookupError(f"{file} defines no function {function}")
        body = node.body
        top = min(n.lineno for n in (node, *node.decorator_list))
        shown = lines[top - 1 : body[0].lineno - 1] if header else []
    starts = [n for n in body if lines[n.lineno - 1].lstrip().startswith(first)]
    if not starts:
        raise LookupError(f"{file}: no statement of {function} begins with {first!r}")
    chosen = body[body.index(starts[0]) :][:count]
    shown += lines[chosen[0].lineno - 1 : chosen[-1].end_lineno]
    code = textwrap.dedent("\n".join(shown))
    return [f"```python\n{code}\n```"]


def paragraph_with(file: str, text: str) -> list[str]:
    """Return the paragraph of a file that holds a text, as a block of code. Raises LookupError."""
    language = "python" if file.endswith(".py") else "toml"
    for block in (ROOT / file).read_text().split("\n\n"):
        if text in block:
            return [f"```{language}\n{block.strip()}\n```"]
    raise LookupError(f"{file}: no paragraph holds {text!r}")


if __name__ == "__main__":
    PAGE.write_text(page())
