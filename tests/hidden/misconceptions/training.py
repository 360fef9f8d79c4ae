"""What can go wrong with training, evaluation and counting."""

import copy
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Batch = tuple[Tensor, Tensor]


class Loop:
    """One pass over the batches, with one thing wrong, as the methods of a subclass say."""

    cause = ""

    def __init__(
        self, model: nn.Module, criterion: nn.Module, optimizer: torch.optim.Optimizer
    ) -> None:
        self.model, self.criterion, self.optimizer = model, criterion, optimizer

    def run(self, batches: Sequence[Batch]) -> None:
        """The epoch."""
        self.begin()
        for number, (inputs, labels) in enumerate(batches):
            self.step(number, inputs, labels)

    def begin(self) -> None:
        """Before the first batch."""
        self.model.train()

    def step(self, number: int, inputs: Tensor, labels: Tensor) -> None:
        """One batch."""
        self.optimizer.zero_grad()
        self.backward(inputs, labels)
        self.optimizer.step()

    def backward(self, inputs: Tensor, labels: Tensor) -> None:
        """The gradients of one batch."""
        self.criterion(self.model(inputs), labels).backward()


class NeverCleared(Loop):
    cause = (
        "Gradients accumulate from batch to batch: optimizer.zero_grad() is missing in the loop."
    )

    def step(self, number: int, inputs: Tensor, labels: Tensor) -> None:
        self.backward(inputs, labels)
        self.optimizer.step()


class ClearedOnce(Loop):
    cause = "Gradients are cleared once, before the loop; they accumulate from batch to batch."

    def step(self, number: int, inputs: Tensor, labels: Tensor) -> None:
        if number == 0:
            self.optimizer.zero_grad()
        self.backward(inputs, labels)
        self.optimizer.step()


class Still(Loop):
    cause = (
        "No weight moves: backward() or step() is missing or comes too early, the gradients are cleared in "
        "between, or the loss does not reach the weights (argmax has no gradient)."
    )

    def step(self, number: int, inputs: Tensor, labels: Tensor) -> None:
        self.model(inputs)


class SteppedFirst(Loop):
    cause = "optimizer.step() comes before backward(): each step uses the batch before."

    def step(self, number: int, inputs: Tensor, labels: Tensor) -> None:
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.backward(inputs, labels)


class SteppedTwice(Loop):
    cause = "optimizer.step() is called twice for each batch."

    def step(self, number: int, inputs: Tensor, labels: Tensor) -> None:
        super().step(number, inputs, labels)
        self.optimizer.step()


class BackwardTwice(Loop):
    cause = "backward() runs twice for each batch, so its gradient counts twice."

    def backward(self, inputs: Tensor, labels: Tensor) -> None:
        (2 * self.criterion(self.model(inputs), labels)).backward()


class OneStep(Loop):
    cause = "There is one step for the whole epoch; each batch has its own."

    def run(self, batches: Sequence[Batch]) -> None:
        self.begin()
        self.optimizer.zero_grad()
        for inputs, labels in batches:
            self.backward(inputs, labels)
        self.optimizer.step()


class ModeAsItWas(Loop):
    cause = "model.train() is missing: dropout and normalisation act as before the call."

    def begin(self) -> None:
        pass


class EvaluationMode(Loop):
    cause = "The model is trained in evaluation mode: model.train() is missing, or model.eval() stands there."

    def begin(self) -> None:
        self.model.eval()


class FirstBatch(Loop):
    cause = "Only the first batch is used: the return stands inside the loop."

    def run(self, batches: Sequence[Batch]) -> None:
        super().run(batches[:1])


class LastBatchMissing(Loop):
    cause = "The last batch is not used."

    def run(self, batches: Sequence[Batch]) -> None:
        super().run(batches[:-1])


class SmallBatchMissing(Loop):
    cause = "A batch that is smaller than the first is dropped; every sample counts."

    def run(self, batches: Sequence[Batch]) -> None:
        super().run([batch for batch in batches if len(batch[1]) == len(batches[0][1])])


class FirstBatchMissing(Loop):
    cause = "The first batch is not used for training."

    def run(self, batches: Sequence[Batch]) -> None:
        super().run(batches[1:])


class Backwards(Loop):
    cause = "The batches are used in reverse order."

    def run(self, batches: Sequence[Batch]) -> None:
        super().run(batches[::-1])


class TwoPasses(Loop):
    cause = "The batches are gone through twice; an epoch is one pass."

    def run(self, batches: Sequence[Batch]) -> None:
        super().run([*batches, *batches])


class MeasuredAgain(Loop):
    cause = "The model runs twice for each batch: take the loss from before the step."

    def step(self, number: int, inputs: Tensor, labels: Tensor) -> None:
        super().step(number, inputs, labels)
        self.model(inputs)


class OwnCriterion(Loop):
    cause = "The loss is cross-entropy with its defaults, not the criterion that is given."

    def backward(self, inputs: Tensor, labels: Tensor) -> None:
        F.cross_entropy(self.model(inputs), labels).backward()


class SummedLoss(Loop):
    cause = "The loss is multiplied by the size of the batch before backward()."

    def backward(self, inputs: Tensor, labels: Tensor) -> None:
        (self.criterion(self.model(inputs), labels) * len(labels)).backward()


class DividedLoss(Loop):
    cause = "The loss is divided by the size of the batch before backward(); it is a mean already."

    def backward(self, inputs: Tensor, labels: Tensor) -> None:
        (self.criterion(self.model(inputs), labels) / len(labels)).backward()


class Probabilities(Loop):
    cause = "The criterion is given probabilities: cross-entropy takes the softmax itself."

    def backward(self, inputs: Tensor, labels: Tensor) -> None:
        self.criterion(self.model(inputs).softmax(1), labels).backward()


class ByHand(Loop):
    cause = "The weights are moved by hand, p -= lr·grad, instead of by optimizer.step()."

    def step(self, number: int, inputs: Tensor, labels: Tensor) -> None:
        self.optimizer.zero_grad()
        self.backward(inputs, labels)
        for group in self.optimizer.param_groups:
            for parameter in group["params"]:
                parameter.data -= group["lr"] * parameter.grad


class Clipped(Loop):
    cause = "The gradients are clipped between backward() and step(), which nobody asked for."
    norm = 1.0

    def backward(self, inputs: Tensor, labels: Tensor) -> None:
        super().backward(inputs, labels)
        nn.utils.clip_grad_norm_(self.model.parameters(), self.norm)


class ClippedMore(Clipped):
    norm = 0.1


class ClippedLess(Clipped):
    norm = 5.0


class OwnOptimizer(Loop):
    cause = "The optimizer that is given takes no step: another one is made inside."
    rate = 0.01

    def begin(self) -> None:
        super().begin()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=self.rate)


class OwnFastOptimizer(OwnOptimizer):
    rate = 0.1


class OwnSlowOptimizer(OwnOptimizer):
    rate = 0.001


class OwnAdam(OwnOptimizer):
    def begin(self) -> None:
        self.model.train()
        self.optimizer = torch.optim.Adam(self.model.parameters())


class Regularised(Loop):
    cause = "A penalty on the weights is added to the criterion's loss, which nobody asked for."
    weight = 1e-3

    def backward(self, inputs: Tensor, labels: Tensor) -> None:
        penalty = sum((p**2).sum() for p in self.model.parameters())
        (self.criterion(self.model(inputs), labels) + self.weight * penalty).backward()


class RegularisedLess(Regularised):
    weight = 1e-4


class ShiftedLabels(Loop):
    cause = "The labels are shifted by one class."

    def backward(self, inputs: Tensor, labels: Tensor) -> None:
        self.criterion(self.model(inputs), (labels - 1).clamp(min=0)).backward()


class Decayed(Loop):
    cause = "The learning rate is changed from batch to batch, which nobody asked for."

    def step(self, number: int, inputs: Tensor, labels: Tensor) -> None:
        super().step(number, inputs, labels)
        for group in self.optimizer.param_groups:
            group["lr"] *= 0.9


class TornApart(Loop):
    cause = "Inputs and labels of a batch are in opposite order: they no longer belong together."

    def backward(self, inputs: Tensor, labels: Tensor) -> None:
        self.criterion(self.model(inputs.flip(0)), labels).backward()


LOOPS: tuple[type[Loop], ...] = (
    *(NeverCleared, ClearedOnce, Still, SteppedFirst, SteppedTwice, BackwardTwice, OneStep),
    *(ModeAsItWas, EvaluationMode, FirstBatch, LastBatchMissing, SmallBatchMissing),
    *(FirstBatchMissing, Backwards, TwoPasses, MeasuredAgain, OwnCriterion, SummedLoss),
    *(
        DividedLoss,
        Probabilities,
        ByHand,
        Clipped,
        ClippedMore,
        ClippedLess,
        ShiftedLabels,
        Decayed,
        TornApart,
    ),
    *(OwnOptimizer, OwnFastOptimizer, OwnSlowOptimizer, OwnAdam, Regularised, RegularisedLess),
)


def guilty_of_epoch(
    got: dict[str, Tensor],
    model: nn.Module,
    criterion: nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Sequence[Batch],
) -> str:
    """The cause of weights that are not what the epoch should have made of them; "" where none is known.

    Args:
        got: the state dict that came back.
        model, optimizer: as they were before the epoch; they are left so.
    """

    def is_got(ours: nn.Module) -> bool:
        return all(
            name in got and got[name].shape == value.shape and torch.allclose(got[name], value)
            for name, value in ours.state_dict().items()
        )

    for loop in LOOPS:
        ours, its = copy.deepcopy((model, optimizer))
        try:
            loop(ours, criterion, its).run(batches)
        except (RuntimeError, ValueError, IndexError):
            continue
        if is_got(ours):
            return loop.cause
    ours, its = copy.deepcopy((model, optimizer))
    right = Loop(ours, criterion, its)
    right.begin()
    for number, (inputs, labels) in enumerate(batches[:-1]):
        right.step(number, inputs, labels)
        if is_got(ours):
            return f"Only the first {number + 1} of {len(batches)} batches are used."
    return ""


def of_mean_loss(losses: Sequence[float], sizes: Sequence[int]) -> dict[str, float]:
    """What train_epoch could have returned instead of the mean loss per sample.

    Args:
        losses: the mean loss of each batch.
        sizes: the number of its samples.
    """
    samples, weighted = sum(sizes), sum(n * x for n, x in zip(sizes, losses, strict=True))
    return {
        "All batches weigh the same; a smaller one has to weigh less: multiply by len(labels).": sum(
            losses
        )
        / len(losses),
        "The losses of the batches are added up, not averaged.": sum(losses),
        "The losses of the samples are added up, not averaged.": weighted,
        "The batches' mean losses are added up and divided by the number of samples: multiply each by "
        "its len(labels) first.": sum(losses) / samples,
        "The losses of the samples are divided by the number of batches.": weighted / len(losses),
        "The last batch's loss is returned.": losses[-1],
        "The first batch's loss is returned.": losses[0],
        "The last batch is not counted.": sum(
            n * x for n, x in zip(sizes[:-1], losses[:-1], strict=True)
        )
        / max(1, sum(sizes[:-1])),
        "The divisor counts every batch as if it were as large as the first.": weighted
        / (sizes[0] * len(sizes)),
        "Every batch is weighed as if it were as large as the first.": sum(losses)
        * sizes[0]
        / samples,
        "The largest loss of a batch is returned.": max(losses),
        "The smallest loss of a batch is returned.": min(losses),
    }


ALL_OR_NOTHING = (
    "One wrong answer makes it 0: // leaves only whole numbers, and torch.equal compares whole tensors, not their "
    "elements."
)


def of_evaluation(model: nn.Module, batches: Sequence[Batch]) -> dict[str, float]:
    """What evaluate could have returned instead of the fraction that is right.

    Every batch needs two samples, to be normalised in training mode.
    """

    def logits(*, train: bool) -> list[Tensor]:
        ours = copy.deepcopy(model).train(train)
        with torch.no_grad():
            return [ours(x) for x, _ in batches]

    labels = [y for _, y in batches]
    sizes = [len(y) for y in labels]

    def right(outputs: Sequence[Tensor], chosen: Callable[[Tensor], Tensor]) -> list[int]:
        return [int((chosen(o) == y).sum()) for o, y in zip(outputs, labels, strict=True)]

    evaluated = logits(train=False)
    counts = right(evaluated, lambda o: o.argmax(1))
    samples, total = sum(sizes), sum(counts)
    fractions = [count / n for count, n in zip(counts, sizes, strict=True)]
    with torch.enable_grad():
        ours = copy.deepcopy(model).eval()
        tracked = sum(right([ours(x) for x, _ in batches], lambda o: o.argmax(1))) / samples
    full = [i for i, n in enumerate(sizes) if n >= sizes[0]]
    wrong = {
        ALL_OR_NOTHING: float(total == samples),
        "The result is in per cent; asked for is a fraction in [0, 1].": 100 * total / samples,
        "The result is the number of right answers; divide it by the number of samples.": float(
            total
        ),
        "The result is the fraction that is wrong: == and != are exchanged.": 1 - total / samples,
        "All batches weigh the same; a smaller one has to weigh less.": sum(fractions)
        / len(fractions),
        "The right answers are divided by the number of batches, not of samples.": total
        / len(sizes),
        "Only the last batch is counted.": fractions[-1],
        "Only the first batch is counted.": fractions[0],
        "Only the last batch's right answers are counted, among all samples.": counts[-1] / samples,
        "A batch that is smaller than the first is dropped.": sum(counts[i] for i in full)
        / sum(sizes[i] for i in full),
        "The last batch is not counted.": sum(counts[:-1]) / max(1, sum(sizes[:-1])),
        "Every batch is counted as if it were as large as the first.": total
        / (sizes[0] * len(sizes)),
        "The fraction is rounded to two digits.": round(total / samples, 2),
        "The fraction is rounded to one digit.": round(total / samples, 1),
        "The divisor is 10,000, the size of MNIST's test set.": total / 10_000,
        "The smallest logit is taken for the answer, not the largest.": sum(
            right(evaluated, lambda o: o.argmin(1))
        )
        / samples,
        "A batch counts only if all of it is right.": sum(
            count for count, n in zip(counts, sizes, strict=True) if count == n
        )
        / samples,
        "Gradients are tracked: torch.no_grad() is missing; eval() does not switch them off.": tracked,
        "A sigmoid or tanh stands before the argmax: large logits all become 1, and the first of them wins.": sum(
            right(evaluated, lambda o: o.sigmoid().argmax(1))
        )
        / samples,
        "An answer counts only if its probability exceeds a half.": sum(
            int(((o.argmax(1) == y) & (o.softmax(1).amax(1) > 0.5)).sum())
            for o, y in zip(evaluated, labels, strict=True)
        )
        / samples,
        "An answer counts if its own probability exceeds a half, largest or not.": sum(
            int((o.softmax(1)[range(len(y)), y] > 0.5).sum())
            for o, y in zip(evaluated, labels, strict=True)
        )
        / samples,
        "An answer counts if it is among the two largest logits; only the largest does.": sum(
            int((o.topk(2).indices == y[:, None]).sum())
            for o, y in zip(evaluated, labels, strict=True)
        )
        / samples,
        "The largest logit is looked for along the batch, not along the classes: argmax needs dim=1.": sum(
            int((o.argmax(0)[0] == y).sum()) for o, y in zip(evaluated, labels, strict=True)
        )
        / samples,
        "The largest logit of the whole batch is looked for: argmax needs dim=1.": sum(
            int((o.argmax() == y).sum()) for o, y in zip(evaluated, labels, strict=True)
        )
        / samples,
    }
    in_training = (
        "The model is not in evaluation mode: model.eval() is missing, or another mode is set."
    )
    wrong[in_training] = sum(right(logits(train=True), lambda o: o.argmax(1))) / samples
    return wrong


def of_count(model: nn.Module) -> dict[str, float]:
    """What count_parameters could have returned."""
    parameters = list(model.parameters())
    twice = [p for module in model.modules() for p in module.parameters(recurse=False)]
    own = [p for p in model.parameters(recurse=False) if p.requires_grad]
    children = [
        p for child in model.children() for p in child.parameters(recurse=False) if p.requires_grad
    ]

    def elements(tensors: Sequence[Tensor]) -> int:
        return sum(tensor.numel() for tensor in tensors)

    trained = [p for p in parameters if p.requires_grad]
    return {
        "Parameters that do not require a gradient are counted as well.": elements(parameters),
        "Parameters that several layers share are counted more than once.": elements(
            [p for p in twice if p.requires_grad]
        ),
        "Buffers are counted as well: model.parameters() leaves them out, a state dict does not.": elements(
            list(model.state_dict().values())
        ),
        "The tensors are counted, not their elements.": len(parameters),
        "The tensors that require a gradient are counted, not their elements.": len(trained),
        "len counts the rows of a tensor; numel() its elements.": sum(map(len, trained)),
        "Bytes are counted, not elements.": sum(p.numel() * p.element_size() for p in trained),
        "Only weights are counted, not biases.": elements([p for p in trained if p.dim() > 1]),
        "Only the model's own parameters are counted, not those of its layers.": elements(own),
        "Only the parameters of direct children are counted: a single layer has none, nested layers are missed.": elements(
            children
        ),
        "Only parameters that have a .grad already are counted; ask p.requires_grad.": 0,
        "Only the first dimension and the last are multiplied.": sum(
            p.shape[0] * p.shape[-1] for p in trained if p.dim()
        ),
        "A fixed number is returned, whatever the model.": 421_642,
        "Only frozen parameters are counted.": elements(
            [p for p in parameters if not p.requires_grad]
        ),
    }
