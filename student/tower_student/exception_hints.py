"""What an exception that student code raised most likely means, by its type, text and line."""

import re
import tomllib
from collections.abc import Iterable
from typing import NamedTuple

from tower_student.language import mark, tr

MAX_READ = 1000
"""Characters of a message that are read: it may be as long as a student likes."""
ID = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")
"""The pattern of a cause's id, as reports have it."""


class Reading(NamedTuple):
    """Applies where every pattern is found; `cause` may quote groups of `message` that match numbers or
    names alone, so that no sentence of a student's becomes one of ours.

    `id` names the cause in every language, such as "raised.broadcasting"; readings of one cause share it.
    """

    id: str
    kind: str
    message: str
    cause: str
    line: str = ""


class Hint(NamedTuple):
    """A reading that fits: its id, and its sentence for the student as `tr` takes it, with its values."""

    id: str
    text: str
    values: dict[str, str]


_ELSEWHERE = mark(
    "A tensor is made on the CPU, or carried there, while the input lies elsewhere: make it from the input "
    "(zeros_like, new_zeros) or with device=input.device. An unregistered layer stays behind, too."
)
_NO_GRAPH = mark(
    "Nothing that the loss was computed from requires a gradient: requires_grad_() is missing or taken back, "
    "or it was computed under no_grad, from .data or .detach(), or where autograd is off on purpose."
)
_DIMENSIONS = mark(
    "The code expects another number of dimensions than this input has: see its shape above."
)
_DTYPE = mark(
    "Tensors of two dtypes meet: one is of a fixed dtype, or was made before the layer was moved to "
    "another one."
)
_UNREADABLE = "SyntaxError|IndentationError|TabError"
_REFUSED = mark("A `raise` or `assert` of the file itself stops here; what was asked is valid.")
READINGS = (
    Reading(
        "raised.refused",
        r"\w+",
        r"",
        _REFUSED,
        line=r"^\s*raise\b",
    ),
    Reading("raised.refused", "AssertionError", r"", _REFUSED, line=r"^\s*assert\b"),
    # autograd
    Reading(
        "raised.no_graph",
        "RuntimeError",
        r"does not require grad and does not have a grad_fn",
        _NO_GRAPH,
    ),
    Reading(
        "raised.leaf_in_place",
        "RuntimeError",
        r"a leaf Variable that requires grad is being used in an in-place operation",
        "A tensor that requires a gradient is changed in place, by a name that ends in _ or by -= and the like: "
        "update parameters under torch.no_grad(), and leave the input as it is.",
    ),
    Reading(
        "raised.graph_freed",
        "RuntimeError",
        r"Trying to backward through the graph a second time|saved tensors after they have already been freed",
        "The graph of an earlier step is still attached, or backward() is called twice on one graph: "
        "compute the loss again in every step, and detach what is carried over.",
    ),
    Reading(
        "raised.saved_in_place",
        "RuntimeError",
        r"modified by an inplace operation",
        "A tensor that the backward pass needs was changed in place after it had been used.",
    ),
    Reading(
        "raised.numpy_with_gradient",
        "RuntimeError",
        r"Can't call numpy\(\) on Tensor that requires grad|can't be converted to numpy",
        "numpy knows nothing of gradients: stay with torch's own operations.",
    ),
    Reading(
        "raised.numpy_on_gpu",
        "TypeError",
        r"can't convert cuda",
        "numpy knows nothing of GPUs: stay with torch's own operations.",
    ),
    Reading(
        "raised.static_methods",
        "RuntimeError",
        r"Legacy autograd function with non-static forward",
        "forward and backward of an autograd.Function are static methods, called by .apply.",
    ),
    Reading(
        "raised.grad_none",
        "TypeError|AttributeError",
        r"'?NoneType'?",
        "The .grad is None: backward() has not run yet, or the tensor is not the leaf that it reaches; "
        "w = w - … makes a new tensor, which is not a leaf.",
        line=r"\.grad\b",
    ),
    Reading(
        "raised.ctx",
        "AttributeError",
        r"Backward' object has no attribute|'NoneType' object has no attribute",
        "What the backward pass reads from ctx is not there: it was never saved in forward, or was removed "
        "by an earlier backward pass over the same graph.",
        line=r"\bctx\.",
    ),
    # sizes
    Reading(
        "raised.matmul_with_weight",
        "RuntimeError",
        r"mat1 and mat2 shapes cannot be multiplied \(\d{1,15}x(?P<b>\d{1,15}) and (?P<c>\d{1,15})x\d{1,15}\)",
        "The inner sizes of a matrix product are {b} and {c}; they have to be equal. A weight of shape (out, in) "
        "meets an input of shape (…, in) transposed: input @ weight.T.",
        line=r"^(?!.*(col|flatten)).*weight",
    ),
    Reading(
        "raised.matmul_shapes",
        "RuntimeError",
        r"mat1 and mat2 shapes cannot be multiplied \(\d{1,15}x(?P<b>\d{1,15}) and (?P<c>\d{1,15})x\d{1,15}\)",
        "The inner sizes of a matrix product are {b} and {c}; they have to be equal: print the shapes, step by "
        "step, to see where they leave the plan.",
    ),
    Reading(
        "raised.batch_sizes",
        "ValueError|RuntimeError",
        r"Expected input batch_size|batch_size \(\d+\)",
        "The model's output and the labels differ in batch size: the model has to keep the batch as the "
        "first dimension, (N, classes).",
    ),
    Reading(
        "raised.matmul_sizes",
        "RuntimeError",
        r"size mismatch, got|Expected size for first two dimensions|batch1 and batch2|inconsistent tensor size",
        "The inner sizes of a matrix product are not equal: write the shapes down, factor by factor.",
    ),
    Reading(
        "raised.matmul_of_numbers",
        "RuntimeError",
        r"both arguments to mat(mul|rix).* need to be at least 1D",
        "@ takes matrices and vectors, and one factor is a single number here: multiply it by *, or look how many "
        "dimensions the input has.",
    ),
    Reading(
        "raised.broadcasting",
        "RuntimeError",
        r"size of tensor a \((?P<a>\d{1,15})\) must match the size of tensor b \((?P<b>\d{1,15})\) at non-singleton "
        r"dimension (?P<d>\d{1,15})",
        "Two tensors meet that do not broadcast: along dimension {d} one has {a} entries, the other {b}. "
        "Broadcasting lines shapes up from the last dimension; a size of 1 stretches.",
    ),
    Reading(
        "raised.view_size",
        "RuntimeError",
        r"shape '(?P<shape>\[[-\d, ]{1,80}\])' is invalid for input of size (?P<n>\d{1,15})",
        "{n} values do not fill the shape {shape}: a size that varies is fixed, one is miscounted, or "
        "there are too many values or too few.",
    ),
    Reading(
        "raised.view_strides",
        "RuntimeError",
        r"view size is not compatible with input tensor's size and stride",
        "view needs contiguous memory, which a transposed or sliced tensor has not: use reshape.",
    ),
    Reading(
        "raised.parts_differ",
        "RuntimeError",
        r"stack expects each tensor to be equal size|Sizes of tensors must match except in dimension",
        "The parts that are put together differ in size: check starts, stops and steps of the slices.",
    ),
    Reading(
        "raised.nothing_to_join",
        "RuntimeError",
        r"(stack|cat\w*)\(?\)?:? expects a non-empty",
        "There is nothing to put together: a batch may be empty, and an operation on all of it at once "
        "does not mind.",
    ),
    Reading(
        "raised.minus_zero",
        "RuntimeError",
        r"expanded size of the tensor \(0\)",
        "A slice that ends at -0 is empty: x[p:-p] holds nothing where p is 0.",
        line=r":\s*-\s*[a-z_]",
    ),
    Reading(
        "raised.expanded",
        "RuntimeError",
        r"The expanded size of the tensor|number of sizes provided",
        "A tensor is copied into another, or expanded to a shape, that does not fit it.",
    ),
    Reading(
        "raised.dimensions",
        "RuntimeError|IndexError|ValueError|TypeError",
        r"must be a matrix|subscripts in the equation|Dimension out of range|dimensions? \(?\d*\)? ?for operand"
        r"|expects? (a )?(tensor with|input with)?.*<?=? ?\d+-?[dD]|Expected \d-?D|too many indices"
        r"|tensors? must be \d-?D|vector|is not supported on tensors? .* dimensions"
        r"|number of dims don't match|permute\(sparse_coo\)|same dimensionality",
        _DIMENSIONS,
    ),
    Reading(
        "raised.dimensions",
        "IndexError",
        r"tuple index out of range",
        _DIMENSIONS,
        line=r"shape|size\(",
    ),
    Reading(
        "raised.one_number",
        "RuntimeError|ValueError",
        r"elements? cannot be converted to Scalar|only one element tensors can be converted",
        "A tensor of several elements is made one number, by item(), float() or int(): compute with the whole "
        "tensor.",
    ),
    Reading(
        "raised.copied_with_graph",
        "RuntimeError",
        r"Only Tensors created explicitly by the user .* support the deepcopy",
        "A tensor that was computed from parameters is kept as an attribute: compute it in every call.",
    ),
    Reading(
        "raised.unpacking",
        "ValueError",
        r"(too many|not enough) values to unpack",
        "This line unpacks a fixed number of values, and another number is there.",
    ),
    Reading(
        "raised.no_length",
        "TypeError",
        r"len\(\) of a 0-d tensor|iteration over a 0-d tensor",
        "x may be a tensor without dimensions, a single number: it has no length and cannot be gone through. "
        "Compute with the whole tensor; numel() counts elements.",
    ),
    Reading(
        "raised.iterator_length",
        "TypeError",
        r"of type '(?!int|float|bool|NoneType)\w+' has no len\(\)",
        "What is given may be an iterator, which has no length: count as you go.",
    ),
    Reading(
        "raised.samples_zero",
        "ZeroDivisionError",
        r"",
        "The number to divide by is zero: nothing was counted, or an iterator was gone through before; it yields "
        "its batches only once.",
        line=r"sampl|total|count|len",
    ),
    Reading(
        "raised.divisor_zero",
        "ZeroDivisionError",
        r"",
        "A divisor is zero: check the formula, and which argument arrives where.",
    ),
    # devices and dtypes
    Reading(
        "raised.value_on_meta",
        "RuntimeError|NotImplementedError",
        r"Tensor\.item\(\) cannot be called on meta|is_nonzero",
        "A tensor's value is looked at, as by `if` or item(): on the meta device there is none, and a GPU waits "
        "for it. What is computed must not depend on it.",
    ),
    Reading(
        "raised.device_mismatch",
        "RuntimeError|NotImplementedError|ValueError|TypeError",
        r"on (the expected )?device|same device|[mM]eta tensor|meta device",
        _ELSEWHERE,
    ),
    Reading(
        "raised.no_gpu",
        "AssertionError|RuntimeError",
        r"Torch not compiled with CUDA|No CUDA GPUs|NVIDIA driver",
        "A GPU is asked for, by .cuda() or device='cuda', where there is none: stay on the device of the input.",
    ),
    Reading(
        "raised.gpu_memory",
        "OutOfMemoryError|RuntimeError|AcceleratorError",
        r"CUDA (error: )?out of memory",
        "More of the GPU's memory is asked for than one submission may take: a tensor is far larger than it "
        "need be, or graphs are kept from one call to the next.",
    ),
    Reading(
        "raised.gpu_index",
        "AcceleratorError|RuntimeError",
        r"CUDA error: (device-side assert|an illegal memory access|misaligned address)",
        "An index on the GPU lies outside its tensor. CUDA reports it late: the line may be a later one. The "
        "same on the CPU names the index.",
    ),
    Reading(
        "raised.dtypes_mixed",
        "RuntimeError|NotImplementedError",
        r"to have the same dtype|expected scalar type|same dtype"
        r"|Found dtype|dtype .*(mismatch|not supported)|mixed dtype",
        _DTYPE,
        line=r"^(?!.*criterion)",
    ),
    Reading(
        "raised.dtype_unsupported",
        "RuntimeError|NotImplementedError",
        r"not implemented for '(?P<dtype>Long|Int|Short|Char|Byte|Bool|Half)'",
        "This operation takes no tensor of dtype {dtype}: whole numbers and truth values become others by "
        ".to(x.dtype), where x is a tensor of the dtype that is wanted.",
        line=r"^(?!.*criterion)",
    ),
    Reading(
        "raised.criterion_arguments",
        "RuntimeError|NotImplementedError|IndexError|ValueError",
        r"",
        "A criterion is called as criterion(logits, labels): logits of shape (N, classes) first, then the "
        "class numbers.",
        line=r"criterion|cross_entropy",
    ),
    # None, names, calls
    Reading(
        "raised.generator_none",
        "TypeError|AttributeError",
        r"'NoneType' object has no attribute",
        "Without a generator, `generator` is None: then draw from the global one.",
        line=r"\bgenerator\.",
    ),
    Reading(
        "raised.bias_none",
        "TypeError|AttributeError",
        r"(?<!'Parameter' and ')NoneType(?!' and '(Parameter|Tensor)')",
        "With bias=False, self.bias is None: ask before using it.",
        line=r"\bbias\b",
    ),
    Reading(
        "raised.none",
        "TypeError|AttributeError",
        r"NoneType",
        "Something is None here: a value that was never set, as a .grad that no gradient has reached, or the "
        "result of a function without a return.",
    ),
    Reading(
        "raised.number_for_tensor",
        "AttributeError",
        r"'(float|int)' object has no attribute",
        "This is a number of Python's and has nothing of a tensor: .item(), float() and int() make one.",
    ),
    Reading(
        "raised.bool_for_parameter",
        "AttributeError",
        r"'bool' object has no attribute",
        "The attribute holds the argument (True or False) instead of a parameter or None.",
        line=r"\bself\.bias\b",
    ),
    Reading(
        "raised.super_init",
        "AttributeError",
        r"before Module\.__init__\(\) call",
        "super().__init__() has to come first in the constructor.",
    ),
    Reading(
        "raised.not_a_parameter",
        "TypeError",
        r"cannot assign .* as parameter",
        "Only an nn.Parameter (or None) can take the place of a parameter.",
    ),
    Reading(
        "raised.name_taken",
        "KeyError",
        r"attribute '\w+' already exists",
        "A plain attribute of that name was set before the parameter is registered.",
    ),
    Reading(
        "raised.state_dict",
        "RuntimeError",
        r"Error\(s\) in loading state_dict[^']*?(Missing key|Unexpected key|size mismatch)",
        "The parameters are not those asked for, in name or shape: what is called missing above should not be "
        "there, and what is called unexpected is not registered.",
    ),
    Reading(
        "raised.attribute",
        "AttributeError",
        r"has no attribute",
        "There is no attribute of this name: it is misspelt, or was never set.",
    ),
    Reading(
        "raised.name",
        "NameError",
        r"name '(?P<name>[A-Za-z_]\w{0,39})' is not defined",
        "{name} is used before it is set, or its import is missing.",
    ),
    Reading(
        "raised.unassigned",
        "UnboundLocalError",
        r"",
        "A variable is read before it is set: on this way through the function nothing is assigned to it.",
    ),
    Reading(
        "raised.float_size",
        "TypeError",
        r"'float' object cannot be interpreted as an integer|received an invalid combination of arguments.*float|must be tuple of ints.*float|slice indices must be integers",
        "A size is a float: / makes one, // does not.",
    ),
    Reading(
        "raised.arguments",
        "TypeError",
        r"received an invalid combination of arguments|argument .* must be|takes .* positional argument|missing \d+ required|unexpected keyword",
        "A function is called with arguments that it does not take: compare with its documentation.",
    ),
    Reading(
        "raised.index",
        "IndexError",
        r"out of (range|bounds)",
        "An index goes past the end: count what there is.",
    ),
    Reading(
        "raised.merge_conflict",
        _UNREADABLE,
        r"",
        "A merge conflict was left in the file: keep one of the two versions, and delete the lines that begin "
        "with <<<<<<<, ======= and >>>>>>>.",
        line=r"^(<{7}|={7}|>{7}|\|{7})",
    ),
    Reading(
        "raised.for_jupyter",
        _UNREADABLE,
        r"",
        "A line is meant for Jupyter, which Python cannot read: take it out, or hand in the notebook itself.",
        line=r"^\s*[!%]",
    ),
    Reading(
        "raised.for_markdown",
        _UNREADABLE,
        r"",
        "The marks that stand around code in a chat or a Markdown page were pasted with it: delete the lines "
        "of ```.",
        line=r"^\s*```",
    ),
    Reading(
        "raised.prompt",
        _UNREADABLE,
        r"",
        "The prompts of a Python session were pasted with the code: delete each >>> and what was printed.",
        line=r"^\s*>>>",
    ),
    Reading(
        "raised.pasted_character",
        _UNREADABLE,
        r"invalid (non-printable )?character\b.*(?P<code>U\+[0-9A-F]{4,6})",
        "A character ({code}) that only looks like a space, a quotation mark or a minus came with a text "
        "that was pasted: type it again.",
    ),
    Reading(
        "raised.tabs",
        _UNREADABLE,
        r"[Tt]abs and spaces|unindent does not match",
        "The line is indented by another width than those around it, or by tabs and spaces: use four spaces a "
        "level.",
    ),
    Reading(
        "raised.syntax",
        _UNREADABLE,
        r"",
        "Python cannot read it at all, so nothing in it counts.",
    ),
    Reading(
        "raised.exit",
        "SystemExit",
        r"",
        "A program may be ended, a module not: exit() and what calls it, such as unittest.main() and argparse, "
        'belong under `if __name__ == "__main__":`.',
    ),
    Reading(
        "raised.input",
        "EOFError",
        r"",
        'Nobody answers input() here: put it under `if __name__ == "__main__":`.',
    ),
    Reading(
        "raised.debugger",
        "BdbQuit",
        r"",
        "A breakpoint was left in the code: take it out.",
    ),
    Reading(
        "raised.late",
        "TimeoutError",
        r"takes too long",
        "Training and other work does not belong at the top of a module: put it under "
        '`if __name__ == "__main__":`.',
    ),
    Reading("raised.recursion", "RecursionError", r"", "A function calls itself without end."),
    Reading(
        "raised.shared_elements",
        "RuntimeError",
        r"refers? to a single memory location",
        "Several elements of this tensor share their memory, as expand() makes them: clone() it before it is "
        "written to.",
    ),
    Reading(
        "raised.memory",
        "MemoryError",
        r"",
        "More memory is asked for than a submission may take: is a size wrong?",
    ),
    Reading(
        "raised.memory",
        "RuntimeError",
        r"can't allocate|Cannot allocate|not enough memory|out of memory|bad_alloc|Unable to allocate",
        "More memory is asked for than a submission may take: is a size wrong?",
    ),
    Reading(
        "raised.out_of_reach",
        "PermissionError|FileNotFoundError|OSError|URLError|ConnectionError|gaierror",
        r"",
        "Files, processes and the network are out of reach here; the exercise needs none.",
    ),
    Reading(
        "raised.imports",
        "ModuleNotFoundError|ImportError",
        r"",
        "Only the named modules, torch, numpy and the standard library can be imported; a helper belongs into "
        "the module itself.",
    ),
)


def read_readings(text: str) -> tuple[Reading, ...]:
    """The readings of a TOML file: [[reading]] tables with the fields of Reading. Raises ValueError."""
    entries = tomllib.loads(text).get("reading", [])
    known, needed = set(Reading._fields), {"id", "kind", "message", "cause"}
    readings = []
    for number, entry in enumerate(entries, 1):
        if not needed <= entry.keys() <= known or not all(
            isinstance(v, str) for v in entry.values()
        ):
            raise ValueError(
                tr(
                    "reading {number}: expected the texts {fields}, and perhaps line",
                    number=number,
                    fields=", ".join(sorted(needed)),
                )
            )
        reading = Reading(**entry)
        if not ID.fullmatch(reading.id):
            raise ValueError(
                tr(
                    "reading {number}: {id!r} is no id: expected words with dots between, such as "
                    "'conv2d.padding.missing'",
                    number=number,
                    id=reading.id,
                )
            )
        for pattern in (reading.kind, reading.message, reading.line):
            try:
                groups = re.compile(pattern).groupindex
            except re.error as error:
                raise ValueError(
                    tr(
                        "reading {number}: {pattern!r} is no regular expression: {reason}",
                        number=number,
                        pattern=pattern,
                        reason=error,
                    )
                ) from None
            if pattern == reading.message:
                try:
                    reading.cause.format(**groups)
                except (KeyError, IndexError, ValueError):
                    raise ValueError(
                        tr(
                            "reading {number}: the cause names no group of its message",
                            number=number,
                        )
                    ) from None
        readings.append(reading)
    return tuple(readings)


def likely_cause(
    type_name: str, message: str, line: str, course: Iterable[Reading] = ()
) -> Hint | None:
    """The first reading that fits, those of the course before ours; None where none does.

    The first three arguments are a submission's.
    """
    message = message[:MAX_READ]
    for reading in (*course, *READINGS):
        found = re.search(reading.message, message, re.ASCII)
        if (
            found
            and re.fullmatch(reading.kind, type_name)
            and re.search(reading.line, line[:MAX_READ])
        ):
            values = found.groupdict("")
            return Hint(reading.id, reading.cause, values)
    return None
