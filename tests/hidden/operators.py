"""Names of the dispatcher's operators, by family: forward and backward, of every backend."""

import re

LINEAR = re.compile(r"(^|_)(bi|tri)?linear(_|$)")
CONVOLUTION = re.compile(r"conv(?!ert)")
UNFOLD = re.compile(r"^im2col$")
BACKWARD = re.compile(r"_backward$")
DIFFERENTIATION = re.compile(r"^autograd::engine|^_make_dual$")
