"""Make a mutant of the bank out of a wrong submission: what it defines otherwise than the solution does.

    python tests/support/keep_mutant.py conv2d.py --name wide_kernels --why "A kernel is at most five wide."

The submission is graded, and has to fail a check: the first that it fails is the mutant's, with its cause.
One that is right for small numbers is caught by a drawn question, which the seed of its report repeats.
"""

import argparse
import ast
import sys
from pathlib import Path

from helpers import checks_of

from autograder.bank import Bank
from autograder.broker import Broker
from autograder.course import OFF, course_root, load_course
from autograder.export.view import message
from autograder.grading import grade, prepare_process
from tower_student.submission import Submission

Definition = ast.FunctionDef | ast.ClassDef


def differences(solution: str, submission: str) -> str:
    """The definitions of a submission that its solution has not, as they stand under @mutant.

    Of a class, the members that differ. What is neither function nor class has to be in the solution, too:
    raises ValueError.
    """
    known = {_name(node): node for node in ast.parse(solution).body}
    parts = []
    for node in ast.parse(submission).body:
        own = known.get(_name(node))
        if own is not None and _plain(own) == _plain(node):
            continue
        if isinstance(node, ast.ClassDef) and isinstance(own, ast.ClassDef):
            members = {_name(member): _plain(member) for member in own.body}
            node.body = [m for m in node.body if members.get(_name(m)) != _plain(m)] or [ast.Pass()]
            node.bases = []
        elif not isinstance(node, Definition):
            raise ValueError(f"line {node.lineno}: only functions and classes can differ.")
        parts.append(ast.unparse(node))
    return "\n\n\n".join(parts)


def _name(node: ast.stmt) -> str:
    return node.name if isinstance(node, Definition) else _plain(node)


def _plain(node: ast.AST) -> str:
    """The code of a node, without its docstrings."""
    for child in ast.walk(node):
        if isinstance(child, Definition) and ast.get_docstring(child) is not None:
            child.body = child.body[1:] or [ast.Pass()]
    return ast.unparse(node)


def main() -> int:
    """Grade, and write; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("submission", type=Path, help="MODULE.py")
    parser.add_argument("--name", required=True, help="of the mutant, in snake_case")
    parser.add_argument("--why", required=True, help="what a student who writes this believes")
    parser.add_argument("--seed", type=int, default=3)
    arguments = parser.parse_args()
    prepare_process()
    course = load_course(course_root())
    bank, module, text = (
        Bank(course.root),
        arguments.submission.stem,
        arguments.submission.read_text(),
    )
    submission = Submission(
        arguments.name, bank.solutions(course.modules) | {module: text.encode()}, {}
    )
    with Broker(course.policy) as broker:
        broker.start()
        report = grade(course, submission, broker, seed=arguments.seed, fit=OFF, only=[module])
    failures = [check for check in checks_of(report).values() if check.status == "failed"]
    if not failures:
        print(f"It fails no check under the seed {arguments.seed}: there is nothing to keep.")
        return 1
    check = failures[0]
    try:
        body = differences(bank.solution(module), text)
    except ValueError as error:
        print(f"{arguments.submission}, {error}")
        return 2
    says = [repr(arguments.name), repr(arguments.why), f'check="{check.id.partition(".")[2]}"']
    if check.cause_id:
        says.append(f'cause="{check.cause_id}"')
    path = bank.folder / "mutants" / f"{module}.py"
    first, *others = body.split("\n\n\n")
    marked = [f"@mutant({', '.join(says)})\n{first}", *(f"@mutant({says[0]})\n{o}" for o in others)]
    kept = path.read_text().rstrip() + "".join(f"\n\n\n{part}" for part in marked) + "\n"
    path.write_text(kept)
    print(
        f"{message(check)}\n\n{path} holds it now: run `ruff format {path}`, and tests/kit/test_bank.py."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
