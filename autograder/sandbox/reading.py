"""What the text of a module names that no work by hand needs, read without running it.

Two kinds: what blinds or searches for whoever watches (profile hooks, frames, the worker's own modules), and
what runs code that cannot be read or falls apart into honest operators (exec, torch._decomp, ctypes). What an
honest submission may name as well, such as F.linear in a test of its own, is left to the recorder.

A definition counts if what was asked reaches it by name, or if it runs when the module is imported.
"""

import ast
import functools
import re
import sys
from collections.abc import Iterable, Iterator
from types import ModuleType

ANYWHERE = frozenset(
    {
        *("setprofile", "settrace", "getprofile", "gettrace", "_enable_record_function"),
        *("_disable_profiler", "_disable_profiler_legacy", "_enable_profiler", "_profiler_enabled"),
        *("kineto_results", "_disable_current_modes", "_DisableTorchDispatch"),
        *("_ExcludeDispatchKeyGuard", "_pop_torch_dispatch_stack", "_getframe", "_current_frames"),
        *("tb_frame", "f_back", "f_globals", "f_locals", "f_builtins", "gi_frame", "cr_frame"),
        *("ag_frame", "get_objects", "get_referrers", "get_referents", "__globals__"),
        *("__closure__", "__code__", "__subclasses__", "__builtins__"),
    }
)
"""Names that mean the same whatever they are looked up in, and strings that are nothing else."""
DOTTED = (
    *("builtins.exec", "builtins.eval", "builtins.compile", "code", "codeop", "marshal", "runpy"),
    *("sys.modules", "sys.monitoring", "sys.meta_path", "sys.path_hooks", "sys.addaudithook"),
    *("inspect.stack", "inspect.currentframe", "inspect.trace", "inspect.getouterframes"),
    *("traceback.walk_stack", "types.CodeType", "importlib.machinery", "importlib.abc"),
    *("importlib.util.spec_from_file_location", "importlib.util.spec_from_loader"),
    *("importlib.util.module_from_spec", "ctypes", "_ctypes", "cffi", "numpy.ctypeslib"),
    *("_xxsubinterpreters", "_interpreters", "concurrent.interpreters", "sandbox"),
    *("torch.autograd.profiler.profile", "torch.profiler.profile", "torch.utils.cpp_extension"),
    *("torch.ops.load_library", "torch.classes"),
)
"""Names, with all that lies below them."""
IN_DEFINITIONS = (
    *("timeit.Timer", "timeit.timeit", "timeit.repeat", "cProfile", "profile", "pdb", "bdb"),
    *("doctest", "pickle.load", "pickle.loads", "pickle.Unpickler", "scipy"),
)
"""Further names, which stand in the cells of a notebook with good reason; and torch's private modules."""
SEARCHED = ("sys", "builtins", "types", "gc", "inspect", "torch.autograd", "torch.utils")
"""Where a name that is only computed while the code runs is as good as one of those above."""
WORDS = re.compile(rb"\w+")
LOOKUPS = frozenset(
    {"getattr", "vars", "globals", "locals", "exec", "eval", "compile", "__import__"}
)
MAX_MEANINGS = 32
"""Of one name, about."""
MAX_DEPTH = 100
"""Of a string put together from others."""
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def read(tree: ast.Module) -> dict[str, tuple[list[str], list[str]]]:
    """Return, by definition, which others its text refers to, and what of the above it names.

    What runs when the module is imported stands under "".
    """
    units = {unit.name: unit for unit in _definitions(tree)}
    reader = _Reader(tree)
    known = frozenset(units)
    found = {name: reader.of(ast.walk(unit), known) for name, unit in units.items()}
    refers, names = reader.of(_at_import(tree), known, within=False)
    decorated = {name for name, unit in units.items() if unit.decorator_list}  # and called, perhaps
    return found | {"": (sorted({*refers, *decorated}), names)}


def running(tree: ast.Module) -> list[ast.stmt]:
    """The statements of a module without what a script alone runs, under `if __name__ == "__main__":`.

    Each package is imported by a statement of its own, so that one which is missing takes no other with it.
    """
    found: list[ast.stmt] = []
    for node in tree.body:
        match node:
            case ast.If(
                test=ast.Compare(
                    left=ast.Name(id="__name__"),
                    ops=[ast.Eq()],
                    comparators=[ast.Constant(value="__main__")],
                )
            ):
                found += node.orelse
            case ast.Import(names=names):
                found += [ast.copy_location(ast.Import([name]), node) for name in names]
            case _:
                found.append(node)
    return found


def _definitions(tree: ast.Module) -> Iterator[Definition]:
    """What is defined at the top of a module, under its conditions too."""
    return (node for node in outermost(tree.body) if isinstance(node, Definition))


def outermost(statements: Iterable[ast.stmt]) -> Iterator[ast.AST]:
    """Statements and what they consist of, but not what stands inside a class or a function."""
    left: list[ast.AST] = [*statements]
    while left:
        node = left.pop()
        yield node
        if not isinstance(node, Definition):
            left += ast.iter_child_nodes(node)


def _at_import(tree: ast.Module) -> Iterator[ast.AST]:
    """What is evaluated on import; not the bodies of functions."""
    left: list[ast.AST] = [*running(tree)]
    while left:
        node = left.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                left += [*node.decorator_list, node.args]
            case ast.Assign(targets=[ast.Name(id="__all__")]):
                pass
            case _:
                yield node
                left += ast.iter_child_nodes(node)


class _Reader:
    """Knows which names of a module stand for which names of libraries."""

    def __init__(self, tree: ast.Module) -> None:
        self._stands_for: dict[str, set[str]] = {}
        self._known: dict[ast.AST, set[str]] = {}
        self._harmless: set[ast.AST] = set()
        own = {unit.name for unit in _definitions(tree)}
        for name in LOOKUPS - own:
            self._stands_for[name] = {f"builtins.{name}"}
        assigned = []
        for node in ast.walk(tree):
            match node:
                case ast.Import(names=aliases):
                    for alias in aliases:
                        bound = alias.name if alias.asname else alias.name.partition(".")[0]
                        self._bind(alias.asname or bound, {bound})
                case ast.ImportFrom(module=str() as module, names=aliases):
                    for alias in aliases:
                        self._bind(alias.asname or alias.name, {f"{module}.{alias.name}"})
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    assigned.append((name, value))
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    assigned.append((name, value))
                case ast.NamedExpr(target=ast.Name(id=name), value=value):
                    assigned.append((name, value))
                case ast.Subscript(value=value, slice=ast.Name(id="__name__")):
                    self._harmless.add(value)  # sys.modules[__name__] is the module itself
                case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[value]):
                    self._harmless.add(value)  # "google.colab" in sys.modules
        for name, value in assigned * 2:  # an alias of an alias
            self._known.clear()
            self._bind(name, self._names(value))
        self._known.clear()

    def _bind(self, name: str, meanings: set[str]) -> None:
        known = self._stands_for.setdefault(name, set())
        if len(known) < MAX_MEANINGS:
            known.update(meanings)

    def of(
        self, nodes: Iterable[ast.AST], known: frozenset[str], *, within: bool = True
    ) -> tuple[list[str], list[str]]:
        """Which of the known names these nodes refer to, and what they name that no work by hand needs.

        Within definitions more counts.
        """
        refers: set[str] = set()
        found: set[str] = set()
        for node in nodes:
            match node:
                case ast.Name(id=name):
                    refers.add(name)
                    found.update({name} & ANYWHERE)
                case ast.Attribute(attr=name):
                    refers.add(name)
                    found.update({name} & ANYWHERE)
                case ast.ImportFrom(module=str() as module, names=[ast.alias(name="*")]):
                    found.update({module} if _is_foreign(module) else ())
                case ast.Constant(value=bytes() as data):  # a pickle
                    found.update(
                        {word.decode("latin-1") for word in WORDS.findall(data)} & ANYWHERE
                    )
            if not isinstance(node, ast.expr):
                continue
            text = _text(node)
            if text is not None:
                refers.add(text)
                parts = text.split(".")  # as for operator.attrgetter
                found.update({text} if parts[0] == "sandbox" else ANYWHERE.intersection(parts))
            names = self._names(node)
            if node not in self._harmless:
                found.update(name for name in names if _is_foreign(name, within))
            if names & {"builtins.globals", "builtins.locals"}:
                refers |= known
            found.update(self._computed(node))
        return sorted(refers & known), sorted({_shortened(name) for name in found})

    def _computed(self, node: ast.AST) -> Iterator[str]:
        """Names that are computed while the code runs, looked up where they can mean anything."""
        match node:
            case ast.Call(func=function, args=[of, name, *_]) if (
                "builtins.getattr" in self._names(function) and _text(name) is None
            ):
                looked_in = self._names(of)
            case ast.Subscript(value=of, slice=name) if _text(name) is None:
                looked_in = {
                    place.removesuffix(".__dict__")
                    for place in self._names(of)
                    if place.endswith(".__dict__")
                }
            case _:
                return
        for place in looked_in:
            if place in SEARCHED or _is_foreign(place):
                yield f"getattr({place}, …)"

    def _names(self, node: ast.AST) -> set[str]:
        """The dotted names of libraries that an expression may stand for."""
        if node not in self._known:
            try:
                self._known[node] = self._looked_up(node)
            except RecursionError:  # a chain that long is no name
                self._known[node] = set()
        return self._known[node]

    def _looked_up(self, node: ast.AST) -> set[str]:
        match node:
            case ast.Name(id=name):
                return self._stands_for.get(name, set())
            case ast.Attribute(value=of, attr=name):
                return {f"{place}.{name}" for place in self._names(of)}
            case ast.Call(func=function, args=[of, *rest]):
                functions = self._names(function)
                if "builtins.getattr" in functions and rest:
                    return {
                        f"{place}.{text}" for place in self._names(of) if (text := _text(rest[0]))
                    }
                if "builtins.vars" in functions:
                    return {f"{place}.__dict__" for place in self._names(of)}
                if functions & {"builtins.__import__", "importlib.import_module"}:
                    return {text} if (text := _text(of)) else set()
            case ast.Subscript(value=of, slice=index) if text := _text(index):
                return {
                    f"{place.removesuffix('.__dict__')}.{text}"
                    for place in self._names(of)
                    if place.endswith(".__dict__")
                }
            case ast.NamedExpr(value=value):
                return self._names(value)
            case ast.IfExp(body=first, orelse=second):
                return self._names(first) | self._names(second)
        return set()


@functools.lru_cache(maxsize=4096)
def _is_foreign(name: str, within: bool = True) -> bool:
    """Whether no work by hand needs a dotted name of a library."""
    root, *parts = name.split(".")
    of: object = sys.modules.get(root)
    known = root
    for part in parts:
        try:
            of = getattr(of, part, None)
        except Exception:  # torch.classes says so if it has none of that name
            of = None
        # torch._foreach_add_ is an operator, which the recorder sees; torch._refs is a module.
        if (
            within
            and isinstance(of, ModuleType | None)
            and re.match("_(?!_|dynamo$)", part)
            and re.match(r"torch(?!\.nn\b)\b", known)
        ):
            return True
        known = of.__name__ if isinstance(of, ModuleType) else f"{known}.{part}"  # torch.sys is sys
    if parts and parts[-1] in ANYWHERE:
        return True
    names = (*DOTTED, *IN_DEFINITIONS) if within else DOTTED
    return any(known == other or known.startswith(f"{other}.") for other in names)


def _shortened(name: str) -> str:
    """What of a name no work by hand needs: up to a private module, or the one part alone."""
    parts = name.removeprefix("builtins.").split(".")
    for i, part in enumerate(parts):
        if part in ANYWHERE:
            return part
        if part.startswith("_"):
            return ".".join(parts[: i + 1])
    return ".".join(parts)


def _text(node: ast.AST, depth: int = 0) -> str | None:
    """The string that an expression of constants makes."""
    if depth > MAX_DEPTH:
        return None
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            first, second = _text(left, depth + 1), _text(right, depth + 1)
            return None if first is None or second is None else first + second
        case ast.JoinedStr(values=parts):
            return _joined("", parts, depth)
        case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
            return _text(value, depth + 1)
        case ast.Subscript(
            value=value, slice=ast.Slice(lower=None, upper=None, step=ast.expr() as step)
        ):
            backwards = _text(value, depth + 1)
            return backwards and backwards[::-1] if ast.unparse(step) == "-1" else None
        case ast.Call(func=ast.Name(id="chr"), args=[ast.Constant(value=int() as code)]):
            return chr(code) if 0 <= code < 0x110000 else None
        case ast.Call(
            func=ast.Attribute(value=between, attr="join"),
            args=[ast.List(elts=parts) | ast.Tuple(elts=parts)],
        ):
            separator = _text(between, depth + 1)
            return None if separator is None else _joined(separator, parts, depth)
    return None


def _joined(separator: str, parts: Iterable[ast.AST], depth: int) -> str | None:
    texts = [_text(part, depth + 1) for part in parts]
    return None if None in texts else separator.join(map(str, texts))
