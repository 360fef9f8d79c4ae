"""What a wrong output depends on, found by asking again: a wrong value alone does not tell."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from autograder.report import Cause
from autograder.suite.candidates import same
from autograder.suite.failures import CheckFailed, why
from autograder.suite.replies import Answer
from autograder.suite.student import Input, Layer

CHANGES_INPUT = why(
    "layer.changes_input",
    "An in-place operation has changed the input: an operator such as +=, a method that ends in _, or an "
    "assignment to a slice.",
)


IGNORES_INPUT = why(
    "layer.ignores_input",
    "The output does not follow the input: it is fixed, or kept from an earlier call.",
)


@dataclass(frozen=True)
class WrongOutput:
    """An output of a layer that differs from the oracle's, and the question it answers.

    Attributes:
        method: which of the layer's methods was asked.
        answer: what came back for the input `x`.
        expected: what the oracle says.
        upstream: what was sent back, where that was asked as well.
    """

    layer: Layer
    oracle: nn.Module
    x: Input
    method: str
    answer: Answer
    expected: Tensor
    upstream: Tensor | None = None

    def unsteady(self) -> Cause | None:
        """What the same question, asked again, tells."""
        loaded, now = self.oracle.state_dict(), self.layer.state()
        changed = [
            n for n, p in self.oracle.named_parameters() if not torch.equal(now[n], loaded[n])
        ]
        if changed:
            return why(
                "layer.forward_changes_parameters",
                "forward() changes {names}: it has to leave its parameters as they are.",
                names=", ".join(changed),
            )
        if isinstance(self.answer.after, Tensor) and not torch.equal(
            self.answer.after, self.x.tensor
        ):
            return CHANGES_INPUT
        if not self._is(self._ask(self.x.tensor, self.upstream)):
            return why(
                "layer.unsteady",
                "The same input gives another output each time: it depends on chance (as dropout does), on "
                "what ran before, or on memory that was never filled.",
            )
        return None

    def ties(self) -> Cause | None:
        """What it should follow and does not, or follows and should not."""
        x, value = self.x.tensor, self.answer.value
        if not isinstance(value, Tensor) or value.shape != self.expected.shape:
            return None
        if all(self._is(self._ask(other)) for other in (2 * x + 1, -x, x / 3)):
            return IGNORES_INPUT
        for name, parameter in self.layer.state().items():
            unmoved = True
            for other in (parameter + 1, -parameter):
                self.layer.overwrite({name: other})
                unmoved = unmoved and self._is(self._ask(x))
            self.layer.overwrite({name: parameter})
            if unmoved:
                return why(
                    "layer.ignores_parameter",
                    "The output does not follow {name}: it is not used, or an old copy of it is.",
                    name=name,
                )
        if factor := self._factor():
            return why(
                "layer.factor",
                "Without the bias, every value is {factor:.6g} times what it should be.",
                factor=factor,
            )
        if self._is_shifted():
            return why(
                "layer.shifted",
                "All values of one output are off by the same number, whatever the input: look at what is "
                "added after the product.",
            )
        first = self._ask(x[:1]) if x.dim() > 1 and len(x) > 1 else None
        if (
            isinstance(first, Tensor)
            and len(value) == len(x)
            and not torch.allclose(
                first, value[:1], rtol=1e-3, atol=1e-3 * float(value.abs().max())
            )
        ):
            return why(
                "layer.mixes_samples",
                "A sample's output depends on the other samples of the batch: they are mixed up, or "
                "something is computed over all of them.",
            )
        return None

    def rounds(self) -> bool:
        """Whether inputs that hardly differ have outputs that are the same, or jump."""
        x = self.x.tensor
        step, jump = (1e-9, 1e-7) if x.dtype == torch.float64 else (1e-5, 3e-4)
        near, value = self._ask(x * (1 + step)), self._ask(x)
        if not isinstance(near, Tensor) or not isinstance(value, Tensor):
            return False
        moved = (near.double() - value.double()).abs()
        smooth = (moved > 0) & (moved < jump * value.double().abs().mean())
        return float(smooth.double().mean()) < 0.3

    def _factor(self) -> float:
        """By which the product is multiplied, but not the bias; 0 where it is not."""
        bias = getattr(self.oracle, "bias", None)
        if not isinstance(bias, Tensor) or not isinstance(self.answer.value, Tensor):
            return 0.0
        if self.expected.dim() == 4:
            bias = bias[:, None, None]
        bias = bias.detach()
        got, expected = self.answer.value - bias, self.expected - bias
        factor = float((got * expected).sum() / (expected * expected).sum())
        return factor if got.numel() > 1 and same(got, factor * expected) else 0.0

    def _is_shifted(self) -> bool:
        if self.expected.dim() < 2 or len(self.expected) < 2:
            return False
        features = 1 if self.expected.dim() == 4 else -1
        off = (self.answer.value - self.expected).movedim(features, 0).flatten(1)
        return same(off, off[:, :1].expand_as(off))

    def _ask(self, x: Tensor, upstream: Tensor | None = None) -> object:
        given, grad = Input(x, self.x.layout), upstream is not None
        try:
            return self.layer.run(given, upstream, method=self.method, grad=grad).value
        except CheckFailed:
            return None

    def _is(self, other: object) -> bool:
        value = self.answer.value
        if not isinstance(value, Tensor) or not isinstance(other, Tensor):
            return other is value
        return value.shape == other.shape and torch.allclose(
            value.double(), other.double(), rtol=0, atol=0, equal_nan=True
        )
